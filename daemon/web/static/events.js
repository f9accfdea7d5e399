// What happened on all channels: trips, ends, gaps and notes, back to the beginning.

import { get, path } from './api.js';
import { badge, h, say } from './dom.js';
import { ago, duration, exactly, moment } from './format.js';
import { live } from './live.js';
import { heads } from './table.js';

const SORTS = [['trip', 'Trips and failures'], ['gap', 'Gaps'], ['end', 'Ends'], ['note', 'Notes']];
const ICONS = { trip: 'tripped', end: 'finished', gap: 'interrupted', note: 'idle' };
const FRESH = 15000; // milliseconds between looks for what is new, while the top of the list is shown

/** Show them. */
export function events(main) {
  const words = h('input', { type: 'search', placeholder: 'Run, cell, channel, word …', 'aria-label': 'Search the events', maxlength: 100 });
  const sorts = new Set(['trip', 'gap', 'end']);
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Show only' }, ...SORTS.map(([value, word]) => h('button', { class: 'chip', 'aria-pressed': String(sorts.has(value)), 'data-value': value, onclick: () => choose(value) }, word)));
  const core = h('select', { 'aria-label': 'Core', hidden: true, onchange: () => load(null) }, h('option', { value: '' }, 'every core'));
  const list = h('div', {});
  const note = h('p', { class: 'quiet', role: 'status' }, 'One moment …');
  const more = h('button', { hidden: true, onclick: () => load(cursor) }, 'Show earlier');
  let cursor = null;
  let asked = 0;
  let pages = 0;
  let typing;
  main.replaceChildren(h('div', { class: 'title' }, h('h1', {}, 'Events')), h('div', { class: 'filters' }, words, chips, core), h('div', { class: 'panel' }, list, note), more);

  async function load(from) {
    const mine = ++asked;
    const query = new URLSearchParams({ limit: '100' });
    if (from) query.set('cursor', from);
    for (const sort of sorts) query.append('sort', sort);
    if (core.value) query.set('core', core.value);
    if (words.value.trim()) query.set('words', words.value.trim());
    try {
      const page = await get(`/events?${query}`);
      if (mine !== asked) return;
      const lines = eventLines(page.events, true);
      const body = list.querySelector('tbody');
      if (from && body) body.append(...lines.querySelectorAll('tbody tr'));
      else list.replaceChildren(page.events.length ? lines : '');
      pages = from ? pages + 1 : 1;
      cursor = page.next;
      more.hidden = cursor === null;
      say(note, page.events.length || from ? (cursor ? '' : 'That is the beginning.') : words.value || sorts.size < SORTS.length ? 'Nothing like that has happened.' : 'Nothing has happened yet.');
    } catch (error) {
      if (mine === asked) say(note, error.message);
    }
  }

  function choose(value) {
    sorts.has(value) ? sorts.delete(value) : sorts.add(value);
    for (const button of chips.children) button.setAttribute('aria-pressed', String(sorts.has(button.dataset.value)));
    load(null);
  }

  function cores() {
    if (live.cores.length < 2 || core.options.length > live.cores.length) return;
    core.append(...live.cores.map((each) => h('option', { value: each.core }, each.core)));
    core.hidden = false;
  }

  words.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(() => load(null), 250); });
  live.addEventListener('change', cores);
  const timer = setInterval(() => { if (pages === 1 && scrollY < 200 && !list.contains(document.activeElement)) load(null); }, FRESH);
  load(null);
  return () => { asked += 1; clearTimeout(typing); clearInterval(timer); live.removeEventListener('change', cores); };
}

/** A table of them; with `where`, each says its channel and cell. */
export function eventLines(found, where) {
  const rows = found.map((event) => h('tr', { 'data-sort': event.sort },
    h('td', { class: 'moment' }, h('time', { datetime: event.moment, title: exactly(event.moment) }, moment(event.moment)), h('div', { class: 'method' }, ago(event.moment))),
    h('td', {}, badge(event.sort === 'end' ? event.kind : ICONS[event.sort], event.kind)),
    where ? h('td', {}, event.channel ? h('a', { href: `#${path('channel', event.core ?? '', event.channel)}` }, event.channel) : '–', h('div', { class: 'method' }, event.cell ?? '')) : '',
    h('td', {}, event.text || '–'),
    h('td', {}, h('a', { href: `#${path('run', event.run)}`, title: event.protocol ?? '' }, event.run), h('div', { class: 'method moment' }, event.time === null ? '' : `at ${duration(event.time)}`))));
  return h('table', { class: 'cards events' }, heads('When', 'What', ...(where ? ['Channel'] : []), 'Told', 'Run'), h('tbody', {}, ...rows));
}
