// Voltage and a second quantity against time, live; a zoom asks the server for that part anew.

import { get, path } from './api.js';
import { h, say } from './dom.js';
import { live } from './live.js';
import { choice, saving } from './plotpanel.js';
import { axis, draw, escaped, forget, markColour, timeUnit, trace, zoomed } from './plots.js';

const QUIET = new Set(['resistance', 'unwatched', 'note withdrawn', 'labels', 'imported', 'remark']); // noted in every cycle, or from the beginning, or of the whole run
const REFRESH = 5000; // milliseconds between looks at a run that goes on

const SECOND = {
  current: { words: 'current', unit: 'A', digits: '.4~g' },
  capacity: { words: 'capacity of the step', unit: 'mAh', digits: '.4~g', turn: (coulombs) => coulombs / 3.6 },
  temperature: { words: 'temperature', unit: '°C', digits: '.2f' },
  power: { words: 'power', unit: 'W', digits: '.4~g' },
};

/**
 * Make the panel; `going` says whether the run goes on, `events` what to mark on the axis; `picked` hears the
 * moment, in seconds, of a point somebody clicks.
 */
export function timeplot(run, going, events, picked = () => {}) {
  const plot = h('div', { class: 'plot', tabindex: 0, role: 'group', 'aria-label': 'Voltage over time: plus and minus zoom, arrows move, 0 shows all' });
  const kind = choice('Second axis', Object.entries(SECOND).map(([value, { words }]) => [value, words]), () => redraw());
  const basis = h('span', { class: 'basis' });
  const whole = h('button', { class: 'bare', hidden: true, onclick: () => look(null) }, 'Whole run');
  const element = h('section', { class: 'panel wide', 'aria-label': 'Voltage and current' },
    h('header', {}, h('h2', {}, 'Voltage and'), kind, whole, saving(plot, `${run}-time`), basis), plot);
  let range = null; // seconds
  let unit = timeUnit(0);
  let last = null; // what was answered
  let reached = 0; // seconds of the run that were over when it was asked
  let busy = false;
  let heard = false;
  let ended = false;
  let again = false;
  let shown = [0, 1]; // seconds that are in view

  async function refresh() {
    if (ended) return;
    again = busy; // somebody zoomed meanwhile: the last wish counts
    if (busy) return;
    busy = true;
    reached = live.ofRun(run)?.latest.time ?? reached;
    try {
      const query = range ? `?start=${range[0]}&end=${range[1]}` : '';
      const found = await get(`${path('runs', run)}/trace${query}`);
      plot.hidden = found.time.length === 0;
      if (plot.hidden) say(basis, going() ? 'no reading yet' : 'no reading is recorded');
      else if (!ended) await show(last = found);
    } catch (error) {
      say(basis, `${error.message} ${last ? 'What is drawn is older.' : ''}`);
    } finally {
      busy = false;
      if (again) refresh();
    }
  }

  const redraw = () => { if (last && !ended) show(last).catch((error) => say(basis, error.message)); };

  /** Mark what has happened since; a run that goes on is looked at by its own clock. */
  const update = () => (last && going() ? redraw() : refresh());

  async function show(found) {
    const span = found.time[found.time.length - 1] - found.time[0];
    unit = range ? unit : timeUnit(span);
    const [factor, word] = unit;
    shown = range ?? [found.time[0], found.time[found.time.length - 1]];
    const second = secondOf(found, kind.value);
    const { time, voltage, other } = broken(found, second.values, events());
    const milli = voltage.every((each) => Math.abs(each ?? 0) < 0.1);
    const volts = milli ? voltage.map((each) => (each === null ? null : each * 1000)) : voltage;
    const x = time.map((each) => (each === null ? null : each / factor));
    await draw(plot, [
      { x, y: volts, name: 'voltage', mode: 'lines', line: { color: trace(1), width: 1.4 }, hovertemplate: `%{y:.4f} ${milli ? 'mV' : 'V'} at %{x:.4~g} ${word}<extra></extra>` },
      { x, y: other, name: SECOND[kind.value].words, yaxis: 'y2', mode: 'lines', line: { color: trace(2), width: 1.2 }, hovertemplate: `%{y:${SECOND[kind.value].digits}} ${second.unit} at %{x:.4~g} ${word}<extra></extra>` },
    ], {
      xaxis: axis(`time in ${word}`, range ? { range: range.map((each) => each / factor) } : { autorange: true }),
      yaxis: axis(`voltage in ${milli ? 'mV' : 'V'}`, { overlaying: 'y2' }), yaxis2: axis(`${SECOND[kind.value].words} in ${second.unit}`, { side: 'right', showgrid: false, zeroline: false, ...(second.still ? { range: [-1, 1] } : { autorange: true }) }),
      uirevision: 'stay', ...annotated(events(), factor),
    });
    if (!heard) {
      heard = true;
      zoomed(plot, (part) => look(part && part.map((each) => Math.max(0, each * unit[0]))));
      plot.on('plotly_click', ({ points }) => picked(points[0].x * unit[0]));
    }
    whole.hidden = range === null;
    say(basis, `${found.readings.toLocaleString()} readings: ${found.basis === 'every reading' ? 'every one shown' : `${found.basis} shown`}${found.basis !== 'every reading' && found.overview < 0.99 ? `; the overview is made: ${Math.floor(found.overview * 100)} %` : ''}`);
  }

  function look(part) {
    if (JSON.stringify(part) === JSON.stringify(range)) return;
    range = part;
    refresh();
  }

  plot.addEventListener('keydown', (event) => {
    const [from, to] = shown;
    const wide = to - from;
    const part = { '+': [from + wide / 4, to - wide / 4], '=': [from + wide / 4, to - wide / 4], '-': [from - wide / 2, to + wide / 2], ArrowLeft: [from - wide / 4, to - wide / 4], ArrowRight: [from + wide / 4, to + wide / 4] }[event.key];
    if (event.key === '0') look(null);
    else if (part) look([Math.max(0, part[0]), Math.max(part[1], 1)]);
    else return;
    event.preventDefault();
  });

  const timer = setInterval(() => { if (going() && (!range || range[1] > reached)) refresh(); }, REFRESH); // a part that is over has nothing new
  document.addEventListener('theme', redraw);
  return { element, refresh, redraw, update, end: () => { ended = true; clearInterval(timer); document.removeEventListener('theme', redraw); forget(plot); } };
}

/** The quantity of the second axis, in a person's unit. */
function secondOf(found, kind) {
  const { unit, turn = (value) => value } = SECOND[kind];
  const raw = kind === 'power' ? found.voltage.map((volts, i) => (volts === null || found.current[i] === null ? null : volts * found.current[i])) : found[kind];
  const values = raw.map((each) => (each === null ? null : turn(each)));
  const largest = values.reduce((most, each) => Math.max(most, Math.abs(each ?? 0)), 0);
  const milli = (unit === 'A' || unit === 'W') && largest < 0.5;
  const still = unit === 'A' && largest < 1e-7; // what an ammeter says of no current is no curve
  return { values: milli ? values.map((each) => (each === null ? null : each * 1000)) : values, unit: (milli ? 'm' : '') + unit, still };
}

/** Lift the pen where nothing was read: no line crosses a gap. */
function broken(found, second, events) {
  const gaps = events.filter((event) => event.detail.seconds > 0 && event.detail.from !== undefined).map((event) => event.detail.from).sort((a, b) => a - b);
  const columns = { time: [], voltage: [], other: [] };
  let gap = gaps.findIndex((from) => from >= found.time[0]);
  found.time.forEach((time, i) => {
    if (gap >= 0 && gap < gaps.length && time > gaps[gap]) {
      gap += 1;
      for (const column of Object.values(columns)) column.push(null);
    }
    columns.time.push(time);
    columns.voltage.push(found.voltage[i]);
    columns.other.push(second[i]);
  });
  return columns;
}

/** Mark events on the axis, and shade what was not read. */
function annotated(events, factor) {
  const shapes = [];
  const annotations = [];
  for (const event of events.filter((each) => !QUIET.has(each.kind)).slice(-60)) {
    const x = event.time / factor;
    const from = event.detail.from;
    if (from !== undefined && event.detail.seconds > 0) {
      shapes.push({ type: 'rect', xref: 'x', yref: 'paper', x0: from / factor, x1: (from + event.detail.seconds) / factor, y0: 0, y1: 1, line: { width: 0 }, fillcolor: markColour(), opacity: 0.16 });
    }
    shapes.push({ type: 'line', xref: 'x', yref: 'paper', x0: x, x1: x, y0: 0, y1: 1, line: { color: markColour(), width: 1, dash: 'dot' } });
    annotations.push({ x, y: 1, xref: 'x', yref: 'paper', yanchor: 'top', xanchor: 'left', text: escaped(event.kind), showarrow: false, font: { size: 10.5, color: markColour() }, hovertext: escaped(event.text) });
  }
  return { shapes, annotations };
}
