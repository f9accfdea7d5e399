// Every run there has been, a page at a time: sought, sifted, sorted, and chosen to be compared.

import { asked, tell } from './address.js';
import { get, path } from './api.js';
import { badge, h, say } from './dom.js';
import { duration, moment } from './format.js';
import { live, stateOf, whenBack } from './live.js';

const STATES = ['running', 'finished', 'stopped', 'tripped', 'failed', 'interrupted'];
const COLUMNS = [['Run', 'run'], ['State', 'state'], ['Cell', 'cell'], ['Protocol', 'protocol'], ['Channel', 'channel'], ['Began', '-started'], ['Took', '-duration'], ['Cycles', null]];
const TURNED = { '-started': 'started', started: '-started', '-duration': 'duration', duration: '-duration' };
const MOST = 24;
const PAGE = 50;

const LATE = 8; // changes, a second apart, for which a run that the list has not is looked for: its recorder may be late

const inHand = () => live.channels.map((channel) => channel.run).filter(Boolean);

/** Show the list; what is sought stands in the address. */
export function runs(main) {
  const query = asked();
  const field = (name, attributes) => h('input', { name, value: query.get(name) ?? '', maxlength: 100, ...attributes });
  const words = field('words', { type: 'search', placeholder: 'Run, cell, protocol, channel, label …', 'aria-label': 'Search the runs' });
  const select = (name, every, values) => h('select', { name, 'aria-label': every }, h('option', { value: '' }, every), ...values.map((each) => h('option', { value: each, selected: query.get(name) === each }, each)));
  const state = select('state', 'every state', STATES);
  const protocol = select('protocol', 'every protocol', [query.get('protocol')].filter(Boolean));
  const label = select('label', 'every label', [query.get('label')].filter(Boolean));
  const since = field('since', { type: 'date', 'aria-label': 'Began on this day or later' });
  const until = field('until', { type: 'date', 'aria-label': 'Began on this day or earlier' });
  const day = (word, input) => h('label', { class: 'day' }, word, input);
  const fields = [words, state, protocol, label, since, until];
  const chosen = new Set();
  const compare = h('a', { class: 'button first', hidden: true });
  const csv = h('a', { class: 'button', download: 'runs.csv' }, 'CSV');
  const body = h('tbody', {});
  const note = h('p', { class: 'quiet', role: 'status' });
  const lost = h('p', { class: 'alarm', role: 'status' });
  const more = h('button', { hidden: true, onclick: () => load(cursor) }, 'Show more');
  const heads = COLUMNS.map(([name, key]) => [key, h('th', { scope: 'col', class: key ? '' : 'number' }, key ? h('button', { class: 'bare', onclick: () => sort(key) }, name) : name)]);
  let order = query.get('order') ?? '-started';
  let cursor = null;
  let count = 0;
  let typing;
  let severalCores = false;
  let rows = new Map(); // by run
  let news = null; // how often each run that has begun meanwhile was looked for
  main.replaceChildren(
    h('h1', { class: 'filters' }, 'Runs'), h('form', { class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault() }, words, state, protocol, label, day('from', since), day('until', until), csv, compare),
    h('div', { class: 'panel' }, h('table', { class: 'cards picks' }, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, h('span', { class: 'skip' }, 'Compare')), ...heads.map(([, head]) => head))), body)), note, lost, more);

  function wanted() {
    const found = new URLSearchParams(fields.filter((each) => each.value.trim()).map((each) => [each.name, each.value.trim()]));
    if (order !== '-started') found.set('order', order);
    return found;
  }

  async function load(from) {
    const mine = ++count;
    const asking = wanted();
    tell('#/runs', asking);
    csv.setAttribute('href', `/api/v1/runs.csv?${asking}`);
    for (const [key, head] of heads) head.setAttribute('aria-sort', order === key || TURNED[key] === order ? (order.startsWith('-') ? 'descending' : 'ascending') : 'none');
    asking.set('limit', String(PAGE));
    if (from) asking.set('cursor', from);
    try {
      const page = await get(`/runs?${asking}`);
      if (mine !== count) return;
      const found = page.runs.map((each) => [each.run, row(each, chosen, choose, severalCores)]);
      rows = new Map([...(from ? rows : []), ...found]);
      body.replaceChildren(...[...rows.values()].map((each) => each.element));
      cursor = page.next;
      more.hidden = cursor === null;
      say(note, body.children.length ? '' : 'No run is like that.');
    } catch (error) {
      say(note, error.message);
    }
  }

  /** States are as of now; what has begun meanwhile comes to the list, unless somebody has gone further down. */
  function changed() {
    const byRun = new Map(live.channels.map((channel) => [channel.run, channel]));
    for (const [run, { update }] of rows) update(byRun.get(run) ?? null);
    news ??= new Map(inHand().map((run) => [run, LATE]));
    const missing = inHand().filter((run) => !rows.has(run) && (news.get(run) ?? 0) < LATE);
    for (const run of missing) news.set(run, (news.get(run) ?? 0) + 1);
    if (missing.length && rows.size <= PAGE) load(null);
  }

  function sort(key) {
    order = order === key && TURNED[key] ? TURNED[key] : key;
    load(null);
  }

  function choose(name, is) {
    is ? chosen.add(name) : chosen.delete(name);
    compare.hidden = chosen.size === 0;
    say(compare, `Compare ${chosen.size}${chosen.size > MOST ? ` (at most ${MOST})` : ''}`);
    compare.setAttribute('href', `#/compare?${new URLSearchParams([...chosen].slice(0, MOST).map((run) => ['run', run]))}`);
  }

  function fill(element, values) {
    const had = new Set([...element.options].map((option) => option.value));
    element.append(...values.filter((each) => !had.has(each)).map((each) => h('option', { value: each }, each.length > 60 ? `${each.slice(0, 59)}…` : each)));
  }

  words.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(() => load(null), 200); });
  for (const each of fields.slice(1)) each.addEventListener('change', () => load(null));
  live.addEventListener('change', changed);
  async function offer() {
    try {
      const found = await get('/runs-choices');
      say(lost, '');
      fill(protocol, found.protocols);
      fill(label, found.labels);
      severalCores = found.cores.length > 1;
      if (severalCores) load(null);
    } catch (error) {
      say(lost, `What can be chosen from is not known: ${error.message}`);
    }
  }

  const look = () => { load(null); offer(); };
  const ended = whenBack(look);
  look();
  return () => { count += 1; clearTimeout(typing); live.removeEventListener('change', changed); ended(); };
}

function row(run, chosen, choose, severalCores) {
  const box = h('input', { type: 'checkbox', checked: chosen.has(run.run), 'aria-label': `Compare ${run.run}`, onchange: () => choose(run.run, box.checked) });
  const state = h('td', {});
  let shown = '';
  let wasInHand = false;
  function update(now) {
    if (wasInHand && !now) again();
    wasInHand = now !== null;
    const word = now ? stateOf(now) : run.state;
    const why = now ? now.why : word === 'finished' ? null : run.reason;
    if (shown === `${word} ${why}`) return;
    shown = `${word} ${why}`;
    state.replaceChildren(badge(word), why ? h('div', { class: 'method' }, why) : '');
  }
  /** What it came to, once that is recorded. */
  async function again(tries = 5) {
    const found = await get(path('runs', run.run)).catch(() => null); // the list can be read anew
    if (found?.ended) Object.assign(run, { state: found.state, reason: found.reason });
    else if (tries) setTimeout(() => again(tries - 1), 1000);
    update(live.ofRun(run.run));
  }
  const element = h('tr', {}, h('td', { class: 'pick' }, box), h('td', {}, h('a', { href: `#/run/${encodeURIComponent(run.run)}` }, run.run)), state,
    h('td', {}, run.cell ?? '–'), h('td', {}, run.protocol ?? '–'), h('td', {}, run.channel ?? '–', severalCores && run.core ? h('div', { class: 'method' }, run.core) : ''), h('td', {}, moment(run.started)), h('td', {}, duration(run.duration)), h('td', { class: 'number' }, run.cycles));
  update(live.ofRun(run.run));
  return { element, update };
}
