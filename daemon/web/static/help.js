// Help: what the keys do, what the words mean, and where to read on.

import { badge, h } from './dom.js';

const KEYS = [
  ['Everywhere', [['Ctrl K', 'find a channel, run, protocol or page'], ['/', 'find; on the bench: filter it'], ['?', 'this help'], ['Esc', 'close, or show everything again']]],
  ['On the bench', [['← ↑ ↓ →', 'move between channels'], ['Enter', 'open the channel'], ['P', 'pause …'], ['R', 'resume …'], ['S', 'stop …'], ['X', 'select; then P, R and S act on all that are selected'], ['Shift click', 'select with the mouse']]],
  ['In dialogs', [['Tab', 'next field'], ['Esc', 'leave things as they are']]],
];

const WORDS = [
  ['running', 'A protocol runs. Values older than three readings are struck through.'],
  ['paused', 'A person opened the circuit; the step goes on with what is left of it.'],
  ['interrupted', 'The core or the instrument went away; the circuit is open, and a person, or the policy of the run, lets it go on.'],
  ['latched', 'A limit opened the circuit. Nothing closes it until somebody has looked at the cell and clears the latch with a reason.'],
  ['unreachable', 'The instrument does not answer.'],
  ['finished', 'Every step is done; the cell waits at open circuit to be taken out.'],
  ['stopped', 'A person ended the run.'],
  ['failed', 'The instrument, or galvanod, could not go on; the circuit is open.'],
  ['idle', 'Nothing has run here since the core was started.'],
];

/** The page. */
export function help(main) {
  main.replaceChildren(h('div', { class: 'title' }, h('h1', {}, 'Help')), h('div', { class: 'columns' }, ...sections()));
  return () => {};
}

/** The same in a dialog, over whatever is shown. */
export function helpDialog() {
  const dialog = h('dialog', { class: 'wide', 'aria-label': 'Help and keys' }, h('div', { class: 'columns' }, ...sections()),
    h('div', { class: 'row' }, h('a', { href: '#/help', onclick: () => dialog.close() }, 'As a page'), h('button', { class: 'first', autofocus: true, onclick: () => dialog.close() }, 'Close')));
  return dialog;
}

function sections() {
  const version = document.querySelector('meta[name=version]')?.getAttribute('content') ?? '';
  return [
    h('section', { class: 'panel' }, h('h2', {}, 'Keys'), ...KEYS.flatMap(([where, keys]) => [h('h3', {}, where), h('dl', { class: 'facts' }, ...keys.flatMap(([key, does]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, does)]))])),
    h('section', { class: 'panel' }, h('h2', {}, 'What the states mean'), h('dl', { class: 'facts' }, ...WORDS.flatMap(([state, says]) => [h('dt', {}, badge(state)), h('dd', {}, says)]))),
    h('section', { class: 'panel' }, h('h2', {}, 'In an emergency'), h('p', {}, 'Hold SAFE ALL for a second: every circuit is opened and each instrument confirms it. Without this page: ', h('code', {}, 'galvanod safe'), ' on the computer of the core, which needs neither core, broker nor database.')),
    h('section', { class: 'panel' }, h('h2', {}, 'For programs'), h('p', {}, 'Everything here can be had from ', h('a', { href: '/api/v1/openapi.json' }, '/api/v1'), '; metrics for Prometheus are at ', h('code', {}, '/metrics'), '.'), h('p', { class: 'quiet' }, `galvanod ${version}`)),
  ];
}
