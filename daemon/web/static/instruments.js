// What is on the bench: instruments and chambers, whether each answers, who it is, and what to look at.

import { get, path } from './api.js';
import { badge, h, say } from './dom.js';
import { celsius } from './format.js';
import { live, stateOf } from './live.js';
import { heads, panel } from './table.js';

const REFRESH = 10000; // milliseconds

/** Show them. */
export function instruments(main) {
  const note = h('p', { class: 'quiet', role: 'status' }, 'One moment …');
  const body = h('div', { class: 'stack' });
  const words = h('input', { type: 'search', placeholder: 'Instrument, serial number, address …', 'aria-label': 'Search the instruments', oninput: () => show() });
  let found = [];
  let over = false;
  let timer;
  main.replaceChildren(h('div', { class: 'title' }, h('h1', {}, 'Instruments')), h('div', { class: 'filters' }, words), note, body);

  async function refresh() {
    try {
      found = await get('/instruments');
      if (over) return;
      show();
    } catch (error) {
      say(note, error.message);
    }
    if (!over) timer = setTimeout(refresh, REFRESH);
  }

  function show() {
    const like = (each) => words.value.toLowerCase().split(/\s+/).every((word) => JSON.stringify(each).toLowerCase().includes(word));
    const scroll = scrollY;
    const shown = found.map((core) => [core, core.instruments.filter(like), core.chambers.filter(like)]);
    body.replaceChildren(...shown.flatMap(([core, each, chambers]) => [
      core.trouble ? h('div', { class: 'notice grave' }, h('p', {}, core.trouble)) : '',
      each.length ? panel(found.length > 1 ? `Instruments of ${core.core}` : 'Instruments', '', instrumentTable(core.core, each)) : '',
      chambers.length ? panel(found.length > 1 ? `Chambers of ${core.core}` : 'Chambers', '', chamberTable(core.core, chambers)) : '']));
    const count = shown.reduce((sum, [, each, chambers]) => sum + each.length + chambers.length, 0);
    const wrong = found.flatMap((core) => [...core.instruments, ...core.chambers]).filter((each) => each.trouble).length;
    say(note, count ? `${count} attached${wrong ? `, ${wrong} of them do${wrong === 1 ? 'es' : ''} not answer` : ', all answer'}` : words.value ? 'No instrument is like that.' : 'No instrument is attached.');
    scrollTo(0, scroll);
  }

  refresh();
  return () => { over = true; clearTimeout(timer); };
}

function instrumentTable(core, found) {
  return h('table', { class: 'cards' }, heads('Instrument', 'Link', 'Maker and model', 'Serial number', 'Firmware', 'If the core dies', 'Channels'),
    h('tbody', {}, ...[...found].sort((one, other) => Boolean(other.trouble) - Boolean(one.trouble)).map((each) => h('tr', {},
      h('td', {}, h('strong', {}, each.instrument), h('div', { class: 'method' }, each.driver, each.simulated ? ' · simulated' : each.hardware_verified ? '' : ' · not verified on hardware')),
      h('td', {}, badge(each.trouble ? 'unreachable' : each.identity ? 'running' : 'idle', each.trouble ? 'no answer' : each.identity ? 'answers' : 'not opened yet'), h('div', { class: 'method address' }, each.address), each.trouble ? h('div', { class: 'alarm' }, each.trouble) : '', each.transcript ? h('div', { class: 'method' }, `written down in ${each.transcript}`) : ''),
      h('td', {}, [each.identity?.maker, each.identity?.model].filter(Boolean).join(' ') || '–'), h('td', {}, each.identity?.serial || '–'), h('td', {}, each.identity?.firmware || '–'),
      h('td', {}, dead(each.deadman)), h('td', {}, channels(core, each.channels))))));
}

/** What becomes of the circuits when nobody is there, in words. */
export function dead(deadman) {
  const [kind, seconds] = deadman.split(', ');
  return { instrument: `it opens the circuit after ${seconds}`, autonomous: 'it ends its step by itself', none: h('span', { class: 'alarm' }, 'nothing opens the circuit') }[kind] ?? deadman;
}

/** Its channels with how they are; of many, how many there are. */
function channels(core, names) {
  const link = (name) => {
    const now = live.byKey.get(`${core}/${name}`);
    return h('a', { class: 'dot', 'data-state': now ? stateOf(now) : 'idle', href: `#${path('channel', core, name)}`, title: now ? stateOf(now) : '' }, name);
  };
  const first = h('div', { class: 'dots' }, ...names.slice(0, 8).map(link));
  return names.length <= 8 ? first : h('details', {}, h('summary', {}, `${names.length} channels, ${names[0]} to ${names.at(-1)}`), h('div', { class: 'dots' }, ...names.map(link)));
}

function chamberTable(core, found) {
  return h('table', { class: 'cards' }, heads('Chamber', 'Link', 'Temperature', 'Set to', 'Mode', 'Alarms', 'Channels in it'),
    h('tbody', {}, ...found.map((each) => h('tr', {},
      h('td', {}, h('strong', {}, each.chamber), h('div', { class: 'method' }, each.driver, each.simulated ? ' · simulated' : '')),
      h('td', {}, badge(each.trouble ? 'unreachable' : 'running', each.trouble ? 'no answer' : 'answers'), h('div', { class: 'method address' }, each.address), each.trouble ? h('div', { class: 'alarm' }, each.trouble) : ''),
      h('td', {}, celsius(each.temperature)), h('td', {}, celsius(each.set_point)), h('td', {}, each.mode ?? '–'),
      h('td', {}, each.alarms.length || each.complaint ? h('span', { class: 'alarm' }, [...each.alarms, each.complaint].filter(Boolean).join(', ')) : 'none'), h('td', {}, channels(core, each.channels))))));
}
