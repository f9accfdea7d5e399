// A rehearsal: the protocol on a simulated cell like this one, drawn over the sketch as it goes.

import { get, path, post, remove } from './api.js';
import { h, icon, say } from './dom.js';
import { ampereHours, duration, engineering, figureName, percent } from './format.js';
import { axis, cycleAxis, draw, forget, palette, timeUnit, trace } from './plots.js';
import { heads, scroll } from './table.js';

const LOOK = 700; // milliseconds between two questions
const SHOWN = 40; // figures

/**
 * The panel of a rehearsal. `wanted` returns the submission as it stands, or null while it has mistakes.
 * `drawn` hears of the curve, or of null when there is none any more.
 */
export function rehearsal({ wanted, drawn, allowed }) {
  const go = h('button', { class: 'first', hidden: !allowed, onclick: begin }, 'Rehearse');
  const seconds = h('select', { 'aria-label': 'Time a rehearsal may take', hidden: !allowed }, ...[10, 20, 60, 120].map((each) => h('option', { value: each, selected: each === 20 }, `for ${each} s`)));
  const note = h('p', { class: 'quiet' }, 'runs exactly this on a simulated cell, through the real driver');
  const status = h('div', { class: 'verdict', role: 'status' });
  const kinds = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Curves of the rehearsal' });
  const plot = h('div', { class: 'plot', hidden: true });
  const told = h('div', { class: 'told' });
  const element = h('section', { class: 'panel', hidden: true, 'aria-label': 'Rehearsal' }, h('header', {}, h('h2', {}, 'Rehearsal'), h('span', { class: 'push' }), seconds, go), note, status, kinds, plot, told);
  let name = null;
  let timer;
  let found = null;
  let kind = null;
  let begun = 0;

  async function begin() {
    if (name) { await end(); return; }
    const asked = wanted();
    if (!asked) return;
    clear();
    say(go, 'End it');
    begun = performance.now();
    status.replaceChildren(icon('running'), h('span', {}, 'starting a simulated instrument …'));
    try {
      const made = await post('/rehearsals', { ...asked, seconds: Number(seconds.value) });
      name = made.rehearsal;
      look();
    } catch (error) {
      refused(error.errors?.length ? error.errors.map((each) => each.detail).join('; ') : error.message);
    }
  }

  async function look() {
    const mine = name;
    let seen;
    try {
      seen = await get(path('rehearsals', mine));
    } catch (error) {
      if (mine === name) refused(error.message);
      return;
    }
    if (mine !== name) return;
    if (seen.found) show(seen.found);
    if (seen.state === 'refused') { refused(seen.problem.detail); return; }
    if (seen.state === 'done' || seen.state === 'ended') { over(seen); return; }
    if (!seen.found) {
      const waits = seen.state === 'waiting' && seen.before > 0 ? `waits for ${seen.before} other${seen.before > 1 ? 's' : ''}` : `starting a simulated ${seen.family} … ${Math.round((performance.now() - begun) / 1000)} s`;
      status.replaceChildren(icon('running'), h('span', {}, waits));
    }
    timer = setTimeout(look, LOOK);
  }

  function over(seen) {
    name = null;
    say(go, 'Rehearse again');
    if (seen.state === 'ended') status.replaceChildren(icon('stopped'), h('span', {}, 'ended'));
  }

  function refused(why) {
    name = null;
    say(go, 'Rehearse');
    const wrong = icon('failed');
    wrong.classList.add('wrong');
    status.replaceChildren(wrong, h('span', {}, why), h('span', { class: 'quiet' }, 'The sketch above stays.'));
  }

  function show(now) {
    found = now;
    const { trip, expected, totals, model } = now;
    say(note, `simulated ${model.words}; on a simulated ${model.family}`);
    const mark = icon(trip ? 'latched' : now.state === 'running' ? 'running' : now.state === 'failed' ? 'failed' : 'finished');
    if (trip) mark.classList.add('wrong');
    const words = trip ? h('strong', { class: 'alarm' }, `A limit would trip after ${duration(trip.time)}, in step ${trip.path}: ${trip.reason}`)
      : h('strong', {}, `${expected.extrapolated ? 'about ' : ''}${duration(expected.seconds)}`);
    const through = `${totals.cycles} cycles, ${totals.readings.toLocaleString()} readings, ${duration(expected.rehearsed)} gone through`;
    status.replaceChildren(mark, words, h('span', { class: 'quiet' }, now.state === 'running' ? `${through} …`
      : expected.extrapolated && !trip ? `${through}; ${totals.cycles > 1 ? 'the rest is carried on from the last round: fading makes it shorter' : 'the rest as it was sketched'}` : through));
    if (now.state === 'failed') status.append(h('span', { class: 'alarm' }, now.reason));
    told.replaceChildren(totalsOf(now), stepsOf(now), figuresOf(now));
    const possible = kindsOf(now);
    if (!possible.includes(kind)) kind = possible.includes(FIRST[now.technique]) ? FIRST[now.technique] : possible[0] ?? null;
    kinds.replaceChildren(...possible.map((each) => h('button', { type: 'button', 'aria-pressed': String(each === kind), onclick: () => { kind = each; show(found); } }, each)));
    plot.hidden = kind === null;
    if (kind !== null) CURVES[kind](plot, now);
    drawn(now.curve);
  }

  function clear() {
    found = null;
    kind = null;
    plot.hidden = true;
    for (const each of [status, kinds, told]) each.replaceChildren();
    say(note, 'runs exactly this on a simulated cell, through the real driver');
    drawn(null);
  }

  async function end() {
    clearTimeout(timer);
    const ended = name;
    name = null;
    say(go, 'Rehearse');
    if (ended) {
      status.replaceChildren(icon('stopped'), h('span', {}, 'ended'));
      await remove(path('rehearsals', ended)).catch(() => {});
    }
  }

  const redraw = () => { if (found) show(found); };
  document.addEventListener('theme', redraw);
  return {
    element,
    /** Whether there is something to rehearse; what was rehearsed is of another text now. */
    changed: (ready) => { if (name) end(); element.hidden = !ready && !found; go.disabled = !ready; if (found) { clear(); say(go, 'Rehearse'); } },
    end: () => { end(); document.removeEventListener('theme', redraw); forget(plot); },
  };
}

const FIRST = { impedance: 'Nyquist', voltammetry: 'Voltammogram', amperometry: 'Current', cycling: 'Voltage against capacity' };

function kindsOf({ curve, cycle_curves: cycles, impedance, cycles: rows, technique }) {
  const found = [];
  if (impedance.length > 1) found.push('Nyquist');
  if (technique === 'voltammetry' && curve.time.length > 2) found.push('Voltammogram');
  if (technique !== 'cycling' && curve.time.length > 2) found.push('Current');
  if (technique === 'cycling' && cycles.length) found.push('Voltage against capacity');
  if (rows.length > 1) found.push('Capacity');
  return found;
}

const line = (x, y, name, colour, more = {}) => ({ x, y, name, mode: 'lines', line: { color: colour, width: 1.5 }, ...more });
const milli = (values) => values.map((each) => (each === null ? null : each * 1000));

const CURVES = {
  'Voltage against capacity': (plot, { cycle_curves: cycles }) => draw(plot, cycles.map((each, i) => line(each.capacity.map((value) => (value === null ? null : Math.abs(value) / 3.6)), each.voltage.map((value, k) => (k && Math.sign(each.current[k]) !== Math.sign(each.current[k - 1]) ? null : value)), `cycle ${each.cycle}`, palette(i, cycles.length))), { xaxis: axis('capacity of the step in mAh'), yaxis: axis('voltage in V'), showlegend: true }),
  Capacity: (plot, { cycles }) => draw(plot, [
    line(cycles.map((each) => each.cycle), cycles.map((each) => (each.discharge_capacity === null ? null : each.discharge_capacity / 3.6)), 'discharge', trace(1), { mode: 'lines+markers' }),
    line(cycles.map((each) => each.cycle), cycles.map((each) => (each.coulombic_efficiency === null ? null : each.coulombic_efficiency * 100)), 'efficiency', trace(2), { yaxis: 'y2' }),
  ], { xaxis: cycleAxis(cycles.map((each) => each.cycle)), yaxis: axis('capacity in mAh', { rangemode: 'tozero' }), yaxis2: axis('Coulombic efficiency in %', { overlaying: 'y', side: 'right', showgrid: false }) }),
  Nyquist: (plot, { impedance }) => draw(plot, [line(impedance.map((each) => each.real), impedance.map((each) => -each.imaginary), 'spectrum', trace(1), { mode: 'lines+markers', text: impedance.map((each) => engineering(each.frequency, 'Hz')) })], { xaxis: axis('Re Z in Ω'), yaxis: axis('−Im Z in Ω', { scaleanchor: 'x' }) }),
  Voltammogram: (plot, { curve }) => draw(plot, [line(curve.voltage, milli(curve.current), 'current', trace(1))], { xaxis: axis('voltage in V'), yaxis: axis('current in mA') }),
  Current: (plot, { curve }) => {
    const [factor, unit] = timeUnit(curve.time[curve.time.length - 1]);
    return draw(plot, [line(curve.time.map((each) => each / factor), milli(curve.current), 'current', trace(2))], { xaxis: axis(`time in ${unit}`), yaxis: axis('current in mA') });
  },
};

const bytes = (count) => (count < 1e6 ? `${Math.round(count / 1e3)} kB` : count < 1e9 ? `${(count / 1e6).toPrecision(3)} MB` : `${(count / 1e9).toPrecision(3)} GB`);

function totalsOf({ totals, expected }) {
  const rows = [['Charge', `${ampereHours(totals.charged)} in, ${ampereHours(Math.abs(totals.discharged))} out`], ['Energy', `${engineering(totals.energy_in / 3600, 'Wh', 4)} in, ${engineering(Math.abs(totals.energy_out) / 3600, 'Wh', 4)} out`], ['Data', `about ${expected.readings.toLocaleString()} readings, ${bytes(expected.bytes)}`]];
  return h('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

function stepsOf({ steps }) {
  const takes = (each) => (each.visits ? duration(each.seconds) : 'not reached');
  return scroll('How each step went', h('table', {},
    heads('Step', 'Does', 'Went', 'Takes', 'Ends by', 'At', 'Passes'),
    h('tbody', {}, ...steps.map((each) => h('tr', {}, h('td', { class: 'number' }, each.path), h('td', {}, `${each.verb} ${each.setting ?? ''}`), h('td', {}, each.to_come ? `${each.visits} of ${each.of}` : each.visits), h('td', {}, takes(each)),
      h('td', {}, each.reason ?? ''), h('td', {}, each.end_voltage === null ? '' : engineering(each.end_voltage, 'V', 4)), h('td', {}, each.capacity ? ampereHours(Math.abs(each.capacity)) : ''))))));
}

function figuresOf({ figures, cycles }) {
  const made = figures.filter((each) => each.value !== null);
  if (!made.length) return cycles.length ? h('p', { class: 'quiet' }, `Coulombic efficiency of cycle ${cycles[cycles.length - 1].cycle}: ${percent(cycles[cycles.length - 1].coulombic_efficiency)}`) : '';
  return h('dl', { class: 'facts' }, ...made.slice(0, SHOWN).flatMap((each) => [h('dt', {}, figureName(each.name) + (each.mark ? ` (${each.mark})` : '')), h('dd', { title: each.method }, each.text)]));
}
