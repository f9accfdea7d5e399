// What can be done to a channel and its run, by whoever may; what is grave asks first.

import { path, post } from './api.js';
import { ask, doing } from './dialogs.js';
import { h, icon, say, toast } from './dom.js';
import { duration, moment } from './format.js';
import { live } from './live.js';
import { facts } from './tables.js';

const SCOPES = ['view', 'submit', 'control', 'admin'];

/** Whether this visitor may do what a scope is for. */
export const may = (visitor, scope) => SCOPES.indexOf(visitor.scope) >= SCOPES.indexOf(scope);

/** The buttons for a channel, kept true by `update`; `name` is the run on the page. */
export function actions(visitor, channelOf, name) {
  const control = may(visitor, 'control');
  const pause = h('button', { onclick: () => act(pause, 'pause', 'The circuit opens before the next reading.') }, 'Pause');
  const resume = h('button', { class: 'first', onclick: () => act(resume, 'resume', 'It goes on.') }, 'Resume');
  const stop = h('button', { class: 'grave', onclick: () => askToStop(channelOf()) }, 'Stop …');
  const why = h('span', { class: 'alarm', role: 'status' });
  const submit = h('a', { class: 'button' }, 'Submit here');
  const export_ = name ? menu(name) : '';
  const element = h('span', { class: 'row' }, why, pause, resume, stop, submit, export_);
  const notices = h('div', { class: 'stack' });

  async function act(button, what, done) {
    const channel = channelOf();
    button.disabled = true; // once is enough, whatever the answer takes
    await doing(() => post(`${path('runs', channel.run)}/${what}`, null, { 'if-match': `"${channel.revision}"` }), done);
    update();
  }

  function update() {
    const channel = channelOf();
    const mine = channel !== null && channel !== undefined && channel.run !== null && (name === null || channel.run === name);
    pause.hidden = !(control && mine && channel.state === 'running');
    resume.hidden = !(control && mine && ['paused', 'interrupted'].includes(channel.state));
    stop.hidden = !(control && mine);
    const away = unheard(channel);
    say(why, mine && control ? away : '');
    for (const button of [pause, resume, stop]) button.disabled = away !== '';
    submit.hidden = !(channel && channel.run === null && !channel.latch && may(visitor, 'submit'));
    if (channel) submit.setAttribute('href', `#${path('submit', channel.core, channel.channel)}`);
    const text = `${channel?.latch ?? channel?.trouble ?? ''}${channel?.acknowledged ?? ''}`;
    if (notices.dataset.text === text) return;
    notices.dataset.text = text;
    notices.replaceChildren(...(channel?.latch ? [latched(channel, control)] : channel?.trouble ? [troubled(channel)] : []));
  }

  update();
  return { element, notices, update };
}

/** Why nobody would hear what is wished of a channel now; empty where somebody would. */
function unheard(channel) {
  if (live.link === 'lost') return 'Disconnected: nothing can be done from here now.';
  return channel && live.cores.some((core) => core.core === channel.core && core.trouble) ? `Core ${channel.core} does not answer.` : '';
}

function latched(channel, control) {
  const since = channel.since ? ` Since ${moment(channel.since)}.` : '';
  const seen = channel.acknowledged ? ` Seen by ${channel.acknowledged}.` : '';
  return h('div', { class: 'notice grave', role: 'alert' }, icon('latched'),
    h('p', {}, h('strong', {}, `${channel.channel} is latched, its circuit open. `), `${channel.latch}${/[.?!]$/.test(channel.latch) ? '' : '.'}${since}${seen} `,
      channel.last_run ? h('a', { href: `#${path('run', channel.last_run)}` }, `What led to it: ${channel.last_run}`) : ''),
    control ? h('button', { class: 'grave', onclick: () => askToClear(channel) }, 'Clear …') : '');
}

function troubled(channel) {
  return h('div', { class: 'notice', role: 'status' }, icon('unreachable'), h('p', {}, channel.trouble));
}

/** Stop: there is no way back, so the cell's name is typed. */
export function askToStop(channel) {
  const hours = channel.latest.time === null ? 'not begun' : duration(channel.latest.time);
  ask({
    title: `Stop ${channel.run}?`, word: 'Stop it', grave: true,
    body: [
      facts([['Cell', channel.cell], ['Channel', channel.channel], ['Protocol', channel.protocol], ['Has run for', hours], ['Cycle', channel.latest.cycle ?? '–']]),
      h('p', {}, 'The run ends and cannot be resumed. What was read is kept. To wait instead, pause it.'),
      h('div', { class: 'field' }, h('label', { for: 'confirm' }, 'Type the name of the cell'), h('input', { id: 'confirm', name: 'cell', autocomplete: 'off', spellcheck: 'false', required: true, placeholder: channel.cell })),
      h('div', { class: 'field' }, h('label', { for: 'why' }, 'Why (kept with the run)'), h('input', { id: 'why', name: 'reason', maxlength: 500, value: 'stopped by a person' })),
    ],
    ready: (form) => form.get('cell') === channel.cell && String(form.get('reason')).trim() !== '',
    act: async (form) => {
      await post(`${path('runs', channel.run)}/stop`, { cell: form.get('cell'), reason: form.get('reason') }, { 'if-match': '*' }); // a stop is never too late
      toast(`${channel.run} is stopped, its cell disconnected.`);
    },
  });
}

function askToClear(channel) {
  ask({
    title: `Clear ${channel.channel}?`, word: 'Clear the latch',
    body: [
      h('p', {}, 'A limit opened this circuit. Clear it once you have looked at the cell.'),
      facts([['Cell', channel.cell ?? '–'], ['Latched for', channel.latch]]),
      h('div', { class: 'field' }, h('label', { for: 'found' }, 'What was found and done (kept with your name)'), h('input', { id: 'found', name: 'reason', minlength: 3, maxlength: 500, required: true })),
    ],
    ready: (form) => String(form.get('reason')).trim().length >= 3,
    act: async (form) => {
      await post(`${path('channels', channel.core, channel.channel)}/clear`, { reason: String(form.get('reason')).trim(), latch: channel.latch });
      toast(`${channel.channel} is cleared.`);
    },
  });
}

/** What can be taken away of a run. */
function menu(name) {
  const at = `/api/v1${path('runs', name)}`;
  const kinds = [['csv', 'Readings (Battery Data Format CSV)'], ['cycles', 'Cycles (CSV)'], ['impedance', 'Impedance (CSV)'], ['figures', 'Figures of merit (CSV)'], ['events', 'Events (CSV)']];
  const list = h('div', { hidden: true }, ...kinds.map(([kind, words]) => h('a', { href: `${at}/export/${kind}`, download: `${name}-${kind}.csv` }, words)));
  const button = h('button', { 'aria-expanded': 'false', onclick: () => open(list.hidden) }, 'Export');
  const open = (now) => { list.hidden = !now; button.setAttribute('aria-expanded', String(now)); };
  const element = h('span', { class: 'menu' }, button, list);
  element.addEventListener('focusout', (event) => { if (!element.contains(event.relatedTarget)) open(false); });
  element.addEventListener('keydown', (event) => { if (event.key === 'Escape') open(false); });
  return h('span', { class: 'row' }, h('a', { class: 'button', href: `#/submit/again/${encodeURIComponent(name)}`, title: 'Submit the same again, with the next cell' }, 'Again …'), h('a', { class: 'button', href: `${at}/report`, target: '_blank', rel: 'noopener' }, 'Report'), element);
}
