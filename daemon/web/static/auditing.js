// Who did what: to the bench, as each core keeps it, and what was asked of the page, done or refused.

import { get } from './api.js';
import { badge, h, mark } from './dom.js';
import { exactly, moment } from './format.js';
import { live } from './live.js';

const HEADS = { bench: ['When', 'Who', 'What', 'To', 'With'], page: ['When', 'Who', 'From', 'Asked', 'Answer'] };

/** Make the panel; `load` fills it once the cores are known. */
export function auditPanel() {
  const body = h('tbody', {});
  const head = h('thead', {});
  const more = h('button', { hidden: true, onclick: () => load(true) }, 'Show earlier');
  const save = h('span', { class: 'row' });
  const kinds = h('div', { class: 'segments', role: 'group', 'aria-label': 'Of what' }, ...[['bench', 'On the bench'], ['page', 'Asked of the page']].map(([value, word]) => h('button', { class: 'small', 'data-value': value, onclick: () => choose(value) }, word)));
  const element = h('section', { class: 'panel', 'aria-label': 'Who did what' }, h('header', {}, h('h2', {}, 'Who did what'), kinds, save),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Entries' }, h('table', { class: 'cards' }, head, body), more));
  let kind = 'bench';
  let cursors = new Map();
  let asked = 0;

  function choose(value) {
    kind = value;
    load(false);
  }

  async function load(earlier) {
    const mine = ++asked;
    for (const button of kinds.children) mark(button, 'aria-pressed', String(button.dataset.value === kind));
    try {
      const pages = kind === 'bench' ? await ofCores(earlier) : [await ofPage(earlier)];
      if (mine !== asked) return;
      const entries = pages.flatMap((page) => page.entries).sort((one, other) => other.time - one.time);
      const rows = entries.map(kind === 'bench' ? done : wished);
      earlier ? body.append(...rows) : body.replaceChildren(...rows);
      head.replaceChildren(h('tr', {}, ...HEADS[kind].map((name) => h('th', { scope: 'col' }, name))));
      more.hidden = ![...cursors.values()].some(Boolean);
      save.replaceChildren(...downloads());
    } catch (error) {
      if (mine === asked) body.replaceChildren(h('tr', {}, h('td', { class: 'alarm' }, error.message)));
    }
  }

  async function ofCores(earlier) {
    const wanted = live.cores.map((each) => each.core).filter((core) => !earlier || cursors.get(core));
    const query = (core) => `/audit?core=${encodeURIComponent(core)}&limit=100${earlier ? `&cursor=${cursors.get(core)}` : ''}`;
    const pages = await Promise.all(wanted.map((core) => get(query(core)).catch(() => ({ entries: [], next: null })))); // a core that is away is said to be so elsewhere
    cursors = new Map(wanted.map((core, i) => [core, pages[i].next]));
    return pages;
  }

  async function ofPage(earlier) {
    const page = await get(`/ledger?limit=100${earlier ? `&cursor=${cursors.get('page')}` : ''}`);
    cursors = new Map([['page', page.next]]);
    return page;
  }

  function downloads() {
    const files = kind === 'page' ? [['ledger.csv', 'Save as CSV']] : live.cores.map(({ core }) => [`audit.csv?core=${encodeURIComponent(core)}`, live.cores.length > 1 ? `Save ${core} as CSV` : 'Save as CSV']);
    return files.map(([file, word]) => h('a', { href: `/api/v1/${file}`, download: '' }, word));
  }

  return { element, load: () => load(false) };
}

const when = (time) => h('td', { class: 'moment' }, h('time', { title: exactly(time) }, moment(time)));

function done(entry) {
  return h('tr', {}, when(entry.time), h('td', {}, entry.who), h('td', {}, entry.what), h('td', {}, entry.subject), h('td', { class: 'quiet' }, entry.detail));
}

function wished(entry) {
  const well = entry.status < 300;
  return h('tr', {}, when(entry.time), h('td', {}, entry.who ?? 'somebody unknown'), h('td', {}, entry.address), h('td', {}, `${entry.method} ${entry.path}`), h('td', {}, badge(well ? 'finished' : 'failed', well ? 'done' : `refused: ${entry.status}`)));
}
