// Every run there has been, a page at a time.

import { get } from './api.js';
import { badge, h, say } from './dom.js';
import { duration, moment } from './format.js';

/** Show the list. */
export function runs(main) {
  const words = h('input', { type: 'search', placeholder: 'Run, cell, protocol, channel …', 'aria-label': 'Search the runs', maxlength: 100 });
  const state = h('select', { 'aria-label': 'State' }, h('option', { value: '' }, 'every state'), ...['running', 'finished', 'stopped', 'tripped', 'failed', 'interrupted'].map((each) => h('option', { value: each }, each)));
  const body = h('tbody', {});
  const note = h('p', { class: 'quiet' });
  const more = h('button', { hidden: true, onclick: () => load(cursor) }, 'Show more');
  let cursor = null;
  let asked = 0;
  let typing;
  main.replaceChildren(
    h('h1', { class: 'filters' }, 'Runs'), h('div', { class: 'filters' }, words, state), h('div', { class: 'panel' },
      h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, ...['Run', 'State', 'Cell', 'Protocol', 'Channel', 'Began', 'Took', 'Cycles'].map((name) => h('th', { scope: 'col' }, name)))), body)), note, more);

  async function load(from) {
    const mine = ++asked;
    const query = new URLSearchParams({ limit: '50' });
    if (from) query.set('cursor', from);
    if (words.value.trim()) query.set('words', words.value.trim());
    if (state.value) query.set('state', state.value);
    try {
      const page = await get(`/runs?${query}`);
      if (mine !== asked) return;
      const rows = page.runs.map(row);
      from ? body.append(...rows) : body.replaceChildren(...rows);
      cursor = page.next;
      more.hidden = cursor === null;
      say(note, body.children.length ? '' : 'No run is like that.');
    } catch (error) {
      say(note, error.message);
    }
  }

  words.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(() => load(null), 200); });
  state.addEventListener('change', () => load(null));
  load(null);
  return () => { asked += 1; clearTimeout(typing); };
}

function row(run) {
  return h('tr', {}, h('td', {}, h('a', { href: `#/run/${encodeURIComponent(run.run)}` }, run.run)), h('td', {}, badge(run.state), run.reason && run.state !== 'finished' ? h('div', { class: 'method' }, run.reason) : ''),
    h('td', {}, run.cell ?? '–'), h('td', {}, run.protocol ?? '–'), h('td', {}, run.channel ?? '–'), h('td', {}, moment(run.started)), h('td', {}, duration(run.duration)), h('td', { class: 'number' }, run.cycles));
}
