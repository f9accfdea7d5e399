// A channel: what runs on it now, what it may hold, its instrument, its chamber, and what was on it before.

import { actions, may } from './actions.js';
import { get, path, post } from './api.js';
import { doing } from './dialogs.js';
import { badge, h, icon, say } from './dom.js';
import { amperes, celsius, duration, exactly, moment, volts } from './format.js';
import { eventLines } from './events.js';
import { dead } from './instruments.js';
import { live, stateOf } from './live.js';
import { queuePanel } from './queuepanel.js';
import { heads, lacking, panel } from './table.js';
import { facts } from './tables.js';
import { progress } from './tile.js';
import { tileRow } from './tiles.js';
import { timeplot } from './timeplot.js';

const REFRESH = 10000; // milliseconds
const LOOKS = 3; // at what has ended: its last readings are recorded a moment later

/** Show it. */
export function channel(main, visitor, core, name) {
  const key = `${core}/${name}`;
  const at = path('channels', core, name);
  const state = h('span', {});
  const under = h('p', { class: 'quiet' });
  const box = actions(visitor, () => live.byKey.get(key), null);
  const tiles = tileRow();
  const bar = h('div', { class: 'long-progress', hidden: true }, h('span', {}));
  const plot = h('div', { class: 'plots' });
  const panels = h('div', { class: 'masonry' });
  const older = h('p', { class: 'alarm', role: 'status' });
  const asked = { facts: at, runs: `/runs?limit=8&channel=${encodeURIComponent(name)}`, events: `/events?limit=12&core=${encodeURIComponent(core)}&channel=${encodeURIComponent(name)}` };
  const known = {}; // what was answered, and when
  let count = 0;
  let placed = [];
  const queue = queuePanel(visitor, core, name);
  const missing = h('p', { class: 'quiet', role: 'status' });
  let time = null;
  let shown;
  let seen = '';
  let looks = LOOKS; // left at the curve from here: what goes on looks by itself
  let over = false;
  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, name), state, h('div', { class: 'actions' }, box.element)), missing, under, box.notices, bar, tiles.element, plot, queue.element, older, panels);

  function update() {
    const now = live.byKey.get(key);
    say(missing, now || !live.channels.length ? '' : `Core ${core} has no channel ${name}. It may have been taken out of the bench file; its runs are still among the runs.`);
    if (!now) return;
    if (state.dataset.word !== stateOf(now)) {
      state.replaceChildren(badge(stateOf(now)));
      state.dataset.word = stateOf(now);
    }
    describe(now);
    tiles.update(now.run ? now : null);
    queue.update(now);
    box.update();
    follow(now.run ?? now.last_run);
    const stands = `${now.run} ${now.state} ${now.latch} ${now.trouble}`;
    if (stands !== seen) {
      seen = stands;
      looks = LOOKS;
      refresh();
    }
  }

  function describe(now) {
    const run = now.run ?? now.last_run;
    const words = now.run ? `${now.protocol} · ${now.cell} · since ${moment(now.started)}` : `${now.cell ?? 'no cell yet'} · nothing runs`;
    if (under.dataset.text !== words + run) {
      under.dataset.text = words + run;
      under.replaceChildren(words, run ? ' · ' : '', run ? h('a', { href: `#${path('run', run)}` }, now.run ? `${run}: all curves and figures` : `last run: ${run}`) : '');
    }
    const done = progress(now);
    bar.hidden = done === null;
    if (done !== null) {
      bar.style.setProperty('--done', `${(done * 100).toFixed(1)}%`);
      say(bar.firstElementChild, `${Math.floor(done * 100)} % of about ${duration(now.expected)}`);
    }
  }

  /** Draw the run in hand, or the last. */
  function follow(run) {
    if (run === shown) return;
    shown = run;
    time?.end();
    delete known.marks; // those of another run
    time = run ? timeplot(run, () => live.ofRun(run) !== null, () => known.marks?.found ?? []) : null;
    plot.replaceChildren(...(time ? [time.element] : []));
    looks = LOOKS;
  }

  /** Look anew, and show each part as it comes; what cannot be had stays as it was known, and it is said of when it is. */
  async function refresh() {
    clearTimeout(timer);
    const mine = ++count;
    if (looks > 0) time?.refresh();
    looks -= 1;
    const failed = new Map();
    const wanted = shown ? { ...asked, marks: `${path('runs', shown)}/events` } : asked; // gaps and events of the curve
    await Promise.all(Object.entries(wanted).map(async ([what, where]) => {
      try {
        const found = await get(where);
        if (mine === count) known[what] = { found, at: Date.now() / 1000 }; // else somebody looks at another run by now
      } catch (error) {
        failed.set(what, error);
      }
      if (over || mine !== count) return;
      show(failed);
      if (what === 'marks') time?.redraw();
    }));
    if (!over && mine === count) timer = setTimeout(refresh, REFRESH);
  }

  function show(failed) {
    const old = [...failed.keys()].find((what) => known[what]);
    const unmarked = failed.has('marks') && !known.marks ? `Gaps and events are not marked on the curve: ${failed.get('marks').message}` : '';
    say(older, [unmarked, old ? `${failed.get(old).message} What is below is as of ${exactly(known[old].at)}.` : ''].filter(Boolean).join(' '));
    const part = (what, title, made) => (known[what] ? made(known[what].found) : failed.has(what) ? [lacking(title, failed.get(what))] : []);
    place([
      ...part('facts', 'What it may hold, and its instrument', (found) => [latchPanel(found), limitPanel(found), instrumentPanel(found, visitor, at), chamberPanel(found)]),
      ...part('runs', 'Runs on it', (page) => [historyPanel(page.runs)]), ...part('events', 'Events on it', (page) => [eventPanel(page.events)]),
      known.facts ? guardPanel(known.facts.found) : null].filter(Boolean));
  }

  /** Show these panels; one that says what it said before stays, with what somebody opened or found in it. */
  function place(made) {
    const next = made.map((element) => placed.find((each) => each.html === element.outerHTML) ?? { html: element.outerHTML, element });
    if (next.length !== placed.length) panels.replaceChildren(...next.map(({ element }) => element));
    else next.forEach((each, i) => { if (each !== placed[i]) panels.children[i].replaceWith(each.element); });
    placed = next;
  }

  let timer;
  live.addEventListener('change', update);
  live.addEventListener('link', box.update);
  update();
  return () => {
    over = true;
    clearTimeout(timer);
    live.removeEventListener('change', update);
    live.removeEventListener('link', box.update);
    time?.end();
  };
}

/** Why it is latched, and what was read just before. */
function latchPanel({ latch }) {
  if (!latch) return null;
  const last = latch.readings.at(-1)?.time;
  const rows = latch.readings.slice(-8).map((reading) => h('tr', {},
    h('td', { class: 'number' }, reading.time === last ? 'the last' : `${duration(last - reading.time)} earlier`), h('td', { class: 'number' }, volts(reading.voltage)), h('td', { class: 'number' }, amperes(reading.current)), h('td', { class: 'number' }, celsius(reading.temperature))));
  return panel('Latched', exactly(latch.since),
    h('p', {}, h('strong', { class: 'alarm' }, latch.reason)), h('p', { class: 'quiet' }, 'Nothing closes this circuit until somebody has looked at the cell and clears it. The last readings before it opened:'),
    h('table', {}, heads('When', 'Voltage', 'Current', 'Temp.'), h('tbody', {}, ...rows)));
}

const UNITS = { voltage: 'V', current: 'A', temperature: '°C' };

/** What it may never leave, and who says so. */
function limitPanel({ limits, sample, unattended }) {
  const edge = (bound) => (bound ? [h('span', { class: 'number' }, `${+bound.value.toPrecision(6)}`.replace('-', '−')), ' ', h('span', { class: 'quiet' }, bound.origin)] : [h('span', { class: 'quiet' }, 'none')]);
  return panel('Limits of the channel', 'a protocol or a cell may be tighter',
    h('table', {}, heads('', 'Low', 'High', 'Unit'), h('tbody', {}, ...Object.entries(limits).map(([name, { low, high }]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, ...edge(low)), h('td', {}, ...edge(high)), h('td', {}, UNITS[name]))))),
    facts([['Read every', duration(sample)], ['Without a dead-man', unattended ? 'allowed' : 'refused']]));
}

/** Which instrument it is, and whether it is well. */
function instrumentPanel(found, visitor, at) {
  const who = found.instrument ?? {};
  const result = h('div', { role: 'status' });
  const look = h('button', { onclick: () => doing(async () => {
    look.disabled = true;
    try {
      result.replaceChildren(findings(await post(`${at}/examine`)));
    } finally {
      look.disabled = false;
    }
  }, `${found.channel} was examined.`) }, 'Examine');
  return panel('Instrument', '',
    facts([['Name', found.on], ['Maker and model', [who.maker, who.model].filter(Boolean).join(' ') || 'not known: it has not answered yet'], ['Serial number', who.serial], ['Firmware', who.firmware],
      ['Address', found.address], ['Driver', found.driver], ['Place on it', found.place ?? 'by its position'], ['If the core dies', dead(found.deadman)], ['Simulated', found.simulated ? `yes: ${found.simulated}` : 'no'], ['Trouble', found.trouble ?? 'none']]),
    may(visitor, 'submit') ? h('div', { class: 'row' }, look, h('span', { class: 'quiet' }, 'as galvanod doctor does: closes no circuit, leaves a run alone')) : '', result);
}

/** What an examination found. */
function findings(found) {
  const lines = found.findings.map((finding) => h('li', { class: finding.wrong ? 'alarm' : '' }, finding.text));
  return h('div', {}, h('p', {}, icon(found.healthy ? 'finished' : 'failed'), ' ', h('strong', {}, found.healthy ? 'Nothing is wrong' : 'Something is wrong'), ` · ${found.state}${found.voltage === null ? '' : ` · ${volts(found.voltage)}`}`), h('ul', {}, ...lines));
}

function chamberPanel({ chamber }) {
  if (!chamber) return null;
  return panel(`Chamber ${chamber.chamber}`, chamber.trouble ? 'does not answer' : '',
    facts([['Temperature', celsius(chamber.temperature)], ['Set to', celsius(chamber.set_point)], ['Mode', chamber.mode], ['A run wants', chamber.wanted === null ? 'nothing' : celsius(chamber.wanted)], ['Alarms', chamber.alarms.join(', ') || 'none'], ['Complaint', chamber.complaint ?? 'none'], ['Channels in it', chamber.channels.join(', ')]]),
    chamber.trouble ? h('p', { class: 'alarm' }, chamber.trouble) : '');
}

/** The state of a run as a core says it, or as it is recorded. */
function stateNow(run) {
  const now = live.ofRun(run.run);
  return now ? stateOf(now) : run.state;
}

function historyPanel(runs) {
  if (!runs.length) return null;
  return panel('Runs on it', 'the latest first',
    h('table', {}, heads('Run', 'State', 'Cell', 'Began'), h('tbody', {}, ...runs.map((run) => h('tr', {}, h('td', {}, h('a', { href: `#${path('run', run.run)}` }, run.run)), h('td', {}, badge(stateNow(run))), h('td', {}, run.cell ?? '–'), h('td', {}, moment(run.started)))))));
}

function eventPanel(events) {
  if (!events.length) return null;
  const section = panel('Events on it', 'the latest first', eventLines(events, false));
  section.querySelector('header').append(h('a', { href: '#/events' }, 'All events'));
  return section;
}

const GUARDS = { stale: 's without a reading', settle: 's for a set value to arrive', current_band: 'of the set current', voltage_band: 'V beside the set voltage', frozen: 'identical readings', jump: 'V of a jump', lead_current: 'A at least through a held cell', heating: 'K/s of warming', rising: 'of the lowest current under a held voltage', resistance: 'ohm', second_voltage: 'V to a second voltmeter' };

function guardPanel({ guards }) {
  return panel('Guards', 'where its readings are no longer believed', h('details', {}, h('summary', {}, `${Object.values(guards).filter((value) => value !== null).length} of ${Object.keys(guards).length} watch`),
    facts(Object.entries(guards).map(([name, value]) => [name.replaceAll('_', ' '), value === null ? 'off' : `${+value.toPrecision(4)} ${GUARDS[name] ?? ''}`]))));
}
