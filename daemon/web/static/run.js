// A run: what it is, what can be done, its curves and figures.

import { get, path } from './api.js';
import { actions } from './actions.js';
import { capacityCurves } from './capacitycurves.js';
import { cyclePlot } from './cycleplot.js';
import { badge, h, say } from './dom.js';
import { amperes, celsius, moment } from './format.js';
import { labelling } from './labels.js';
import { live, stateOf, whenBack } from './live.js';
import { notes } from './notes.js';
import { spectra } from './spectra.js';
import { eventTable, facts, figureTable, stepTable } from './tables.js';
import { tileRow } from './tiles.js';
import { timeplot } from './timeplot.js';
import { voltammogram } from './voltammogram.js';

const REFRESH = 8000; // milliseconds; events, cycles and figures come no faster
const SOON = 700;
const PARTS = ['events', 'cycles', 'figures', 'steps', 'impedance'];

/** Show a run. */
export function run(main, visitor, name) {
  const channelOf = () => live.ofRun(name) ?? latchedBy();
  const latchedBy = () => live.channels.find((channel) => channel.latch && channel.last_run === name) ?? null;
  const going = () => live.ofRun(name) !== null;
  const parted = Object.fromEntries(PARTS.map((part) => [part, []])); // what was read last stays where it cannot be read again
  let record = null;
  let tabled = '';
  let over = false;
  const state = h('span', {});
  const heading = h('h1', {}, name);
  const under = h('p', { class: 'quiet' });
  const wrong = h('p', { class: 'alarm', role: 'alert', hidden: true });
  const tiles = tileRow();
  const written = notes(name, visitor, () => refresh());
  const time = timeplot(name, going, () => parted.events, written.about);
  const parts = [capacityCurves(name), cyclePlot(name), spectra(name), voltammogram(name)];
  const plots = h('div', { class: 'plots' }, time.element, ...parts.flatMap((part) => part.elements ?? [part.element]));
  for (const element of [...plots.children].slice(1)) element.hidden = true;
  const tables = h('div', { class: 'columns' });
  const box = actions(visitor, channelOf, name);
  const labels = labelling(name, visitor, () => refresh());
  const compare = h('a', { class: 'button', hidden: true, href: `#/compare?run=${encodeURIComponent(name)}` }, 'Compare …');
  main.replaceChildren(h('div', { class: 'title' }, heading, state, h('div', { class: 'actions' }, compare, box.element)), under, wrong, labels.element, box.notices, tiles.element, plots, written.element, tables);
  written.refresh();

  async function refresh() {
    const failed = await read();
    if (over) return;
    if (record) await show().catch((error) => failed.push(error.message));
    wrong.hidden = !failed.length;
    say(wrong, failed.length ? `Not everything could be read: ${failed.join(' ')}` : '');
  }

  async function show() {
    describe();
    const { events, cycles, figures, steps, impedance } = parted;
    const told = JSON.stringify([figures, events, steps, record]);
    if (told !== tabled) { // what somebody has opened stays open while nothing is new
      tabled = told;
      tables.replaceChildren(...[figureTable(figures, Boolean(record.ended)), eventTable(events), stepTable(steps), recordTable(record)].filter(Boolean));
    }
    const [capacity, byCycle, spectrum, sweep] = parts;
    await Promise.all([time.update(), capacity.update(cycles, record.cell_facts), byCycle.update(cycles, record.cell_facts), spectrum.update(impedance, steps), sweep.update(steps)]);
  }

  /** Read the run and its parts; what could not be read is returned in words, each once. */
  async function read() {
    const at = path('runs', name);
    const asked = await Promise.allSettled([get(at), ...PARTS.map((part) => get(`${at}/${part}`))]);
    const [found, ...rest] = asked;
    if (found.status === 'fulfilled') record = found.value;
    rest.forEach((each, i) => { if (each.status === 'fulfilled') parted[PARTS[i]] = each.value; });
    return [...new Set(asked.filter((each) => each.status === 'rejected').map((each) => each.reason.message))];
  }

  /** Whether nobody can say how the run is: its core does not answer, or is none of this page's. */
  function away() {
    const place = live.byKey.get(`${record.core}/${record.channel}`);
    return live.link === 'live' && (!place || stateOf(place) === 'unreachable');
  }

  function describe() {
    const now = live.ofRun(name);
    const word = now ? stateOf(now) : record?.ended ? record.state : record ? (away() ? 'unreachable' : 'ended') : 'unknown';
    if (state.dataset.word !== word) {
      state.replaceChildren(badge(word));
      state.dataset.word = word;
    }
    const about = record ?? now ?? {};
    const when = about.started ? `since ${moment(about.started)}` : '';
    const end = record?.ended && !now ? `, ended ${moment(record.ended)}: ${record.reason ?? ''}` : '';
    labels.show(record?.labels);
    compare.hidden = !record;
    say(under, [about.protocol, about.cell, when].filter(Boolean).join(' · ') + end);
    const core = now?.core ?? record?.core;
    if (about.channel && core) under.append(' · ', h('a', { href: `#${path('channel', core, about.channel)}` }, about.channel));
    tiles.update(now);
    box.update();
  }

  function changed(event) {
    const now = channelOf();
    if (!event.detail || (now && event.detail.has(now.key)) || now === null) describe();
    if (wasGoing && !going()) again(SOON);
  }

  /** Look once more, and soon: the record of an end comes a moment after the end. */
  function again(wait) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      await refresh();
      const goes = going();
      const late = !goes && tries < (record?.ended ? 5 : 20); // figures come after the end, and a recorder may be away
      tries = late ? tries + 1 : 0;
      wasGoing = goes;
      if (!over && (goes || late)) again(goes ? REFRESH : SOON * tries);
    }, wait);
  }

  let wasGoing = going();
  let timer;
  let tries = 0;
  again(REFRESH);
  live.addEventListener('change', changed);
  live.addEventListener('link', describe); // nothing can be done while nobody would hear it
  document.addEventListener('theme', refresh);
  const ended = whenBack(() => { refresh(); written.refresh(); });
  refresh();
  return () => {
    over = true;
    clearTimeout(timer);
    live.removeEventListener('change', changed);
    live.removeEventListener('link', describe);
    document.removeEventListener('theme', refresh);
    ended();
    time.end();
    for (const part of parts) part.end();
  };
}

const LIMIT = { voltage: (volts) => `${+volts.toPrecision(6)} V`.replace('-', '−'), current: amperes, temperature: celsius };

function recordTable(record) {
  if (!record.driver) return null;
  const instrument = Object.values(record.instrument ?? {}).join(' ');
  const limits = Object.entries(record.limits ?? {}).filter(([, edges]) => edges && (edges.low || edges.high)).map(([name, { low, high }]) => [`Limit: ${name}`, [low, high].map((edge) => (edge ? `${LIMIT[name]?.(edge.value) ?? edge.value} (${edge.origin})` : 'none')).join(' to ')]);
  return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'What it runs with')),
    facts([['Protocol', record.protocol], ['SHA-256', record.protocol_digest], ['Instrument', `${record.driver}: ${instrument}`], ['Simulated', record.simulated ? 'yes' : 'no'], ...limits, ['Variables', Object.entries(record.variables ?? {}).map(([name, value]) => `${name} = ${value}`).join(', ') || 'none']]),
    h('details', {}, h('summary', {}, 'The protocol as submitted'), h('pre', { class: 'source', tabindex: 0 }, record.protocol_source ?? '')));
}
