// The other curves of a run: by capacity, by cycle, spectra and voltammograms; each only where there is something.

import { get, path } from './api.js';
import { h, say } from './dom.js';
import { axis, draw, forget, palette, trace } from './plots.js';

const MOST_CYCLES = 12;

function panel(title, plot, ...more) {
  return h('section', { class: 'panel', 'aria-label': title }, h('header', {}, h('h2', {}, title), ...more), plot);
}

/** Voltage against capacity of chosen cycles. */
export function capacityCurves(run) {
  const plot = h('div', { class: 'plot' });
  const wish = h('input', { 'aria-label': 'Cycles to show', placeholder: 'cycles: 1, 10, 50', maxlength: 80 });
  const note = h('span', { class: 'basis' });
  const element = panel('Voltage against capacity', plot, wish, note);
  let known = [];
  wish.addEventListener('change', () => show());

  async function show() {
    const wanted = chosen(wish.value, known);
    if (!wanted.length) return;
    const found = await Promise.all(wanted.map((cycle) => get(`${path('runs', run)}/cycles/${cycle}/trace?points=1000`).catch(() => null)));
    const traces = [];
    found.forEach((each, i) => {
      if (!each) return;
      for (const part of steps(each)) {
        traces.push({
          x: part.capacity, y: part.voltage, mode: 'lines', line: { color: palette(i, wanted.length), width: 1.5 }, name: `cycle ${wanted[i]}`, legendgroup: String(wanted[i]),
          showlegend: part.first, hovertemplate: `%{y:.4f} V at %{x:.4~g} mAh<extra>cycle ${wanted[i]}</extra>`,
        });
      }
    });
    await draw(plot, traces, { xaxis: axis('capacity of the step in mAh'), yaxis: axis('voltage in V'), showlegend: true });
    say(note, known.length > MOST_CYCLES ? `of ${known.length} cycles` : '');
  }

  return { element, end: () => forget(plot), update: (cycles) => {
    known = cycles.map((cycle) => cycle.cycle);
    element.hidden = !known.some((cycle) => cycle > 0);
    return show();
  } };
}

/** The cycles somebody wrote, `1, 5-7`, or some that span the run. */
function chosen(written, known) {
  const wanted = written.split(/[\s,;]+/).flatMap((word) => {
    const [first, last] = word.split('-').map(Number);
    return word && first >= 0 ? Array.from({ length: Math.min(MOST_CYCLES, (last || first) - first + 1) }, (_, i) => first + i) : [];
  }).filter((cycle) => known.includes(cycle));
  if (wanted.length) return wanted.slice(0, MOST_CYCLES);
  const cycles = known.filter((cycle) => cycle > 0);
  const few = Math.min(5, cycles.length);
  return [...new Set(Array.from({ length: few }, (_, i) => cycles[Math.round((i * (cycles.length - 1)) / Math.max(1, few - 1))]))];
}

/** The steps of a cycle that pass charge, each from its own nought. */
function steps(found) {
  const parts = [];
  let step = null;
  found.step.forEach((number, i) => {
    if (number !== step) {
      step = number;
      parts.push({ capacity: [], voltage: [] });
    }
    const part = parts[parts.length - 1];
    part.capacity.push(Math.abs(found.capacity[i] ?? 0) / 3.6);
    part.voltage.push(found.voltage[i]);
  });
  const most = Math.max(...found.capacity.map((each) => Math.abs(each ?? 0))) / 3.6;
  const passing = parts.filter((part) => Math.max(...part.capacity) > most * 0.01 && part.capacity.length > 1);
  return passing.map((part, i) => ({ ...part, first: i === 0 }));
}

/** Capacity and Coulombic efficiency against cycle. */
export function cyclePlot() {
  const plot = h('div', { class: 'plot' });
  const element = panel('Capacity and Coulombic efficiency', plot);

  async function update(cycles) {
    const whole = cycles.filter((cycle) => cycle.cycle > 0 && (cycle.discharge_capacity || cycle.charge_capacity));
    element.hidden = whole.length < 2;
    if (element.hidden) return;
    const x = whole.map((cycle) => cycle.cycle);
    const points = (name, field, colour, symbol) => ({
      x, y: whole.map((cycle) => (cycle[field] === null ? null : cycle[field] / 3.6)), name, mode: whole.length > 300 ? 'lines' : 'markers', marker: { color: colour, size: 5, symbol }, line: { color: colour, width: 1.4 }, hovertemplate: `%{y:.4~g} mAh in cycle %{x}<extra>${name}</extra>`,
    });
    const efficiency = whole.map((cycle) => (cycle.coulombic_efficiency === null ? null : cycle.coulombic_efficiency * 100));
    await draw(plot, [
      points('charge', 'charge_capacity', trace(1), 'circle-open'), points('discharge', 'discharge_capacity', trace(1), 'circle'),
      { x, y: efficiency, name: 'efficiency', yaxis: 'y2', mode: whole.length > 300 ? 'lines' : 'markers', marker: { color: trace(2), size: 5, symbol: 'diamond-open' }, line: { color: trace(2), width: 1.2 }, hovertemplate: '%{y:.2f} % in cycle %{x}<extra>efficiency</extra>' },
    ], {
      xaxis: axis('cycle', { tickformat: 'd' }), yaxis: axis('capacity in mAh', { rangemode: 'tozero' }),
      yaxis2: axis('Coulombic efficiency in %', { overlaying: 'y', side: 'right', showgrid: false, range: span(efficiency) }),
    });
  }

  return { element, update, end: () => forget(plot) };
}

/** From a little below the lowest to a little above 100. */
function span(efficiency) {
  const known = efficiency.filter((each) => each !== null && each > 0).sort((a, b) => a - b);
  const low = known.length ? known[Math.floor(known.length * 0.02)] : 90;
  return [Math.max(0, Math.min(low - 2, 98)), Math.max(101, Math.min(130, (known[known.length - 1] ?? 100) + 1))];
}

/** Nyquist and Bode plots of the run's spectra. */
export function spectra() {
  const nyquist = h('div', { class: 'plot' });
  const bode = h('div', { class: 'plot' });
  const first = panel('Nyquist', nyquist);
  const second = panel('Bode', bode);

  async function update(points) {
    first.hidden = second.hidden = points.length < 3;
    if (first.hidden) return;
    const groups = [...Map.groupBy(points, (point) => point.step).entries()].slice(-8);
    const named = (step) => `step ${step}`;
    await draw(nyquist, groups.map(([step, each], i) => ({
      x: each.map((point) => point.real), y: each.map((point) => -point.imaginary), name: named(step), mode: 'lines+markers', marker: { size: 4, color: palette(i, groups.length) }, line: { width: 1, color: palette(i, groups.length) },
      customdata: each.map((point) => point.frequency), hovertemplate: '%{x:.4~g} Ω, −%{y:.4~g} Ω at %{customdata:.3~s}Hz<extra></extra>',
    })), { xaxis: axis('Re Z in Ω'), yaxis: axis('−Im Z in Ω', { scaleanchor: 'x', scaleratio: 1 }), showlegend: groups.length > 1 });
    await draw(bode, groups.flatMap(([step, each], i) => {
      const x = each.map((point) => point.frequency);
      return [
        { x, y: each.map((point) => Math.hypot(point.real, point.imaginary)), name: `|Z| ${named(step)}`, mode: 'lines', line: { color: palette(i, groups.length), width: 1.5 } },
        { x, y: each.map((point) => (-Math.atan2(point.imaginary, point.real) * 180) / Math.PI), name: `−phase ${named(step)}`, yaxis: 'y2', mode: 'lines', line: { color: palette(i, groups.length), width: 1.2, dash: 'dot' } },
      ];
    }), { xaxis: axis('frequency in Hz', { type: 'log' }), yaxis: axis('|Z| in Ω', { type: 'log' }), yaxis2: axis('−phase in °', { overlaying: 'y', side: 'right', showgrid: false }) });
  }

  return { elements: [first, second], update, end: () => { forget(nyquist); forget(bode); } };
}

/** Current against voltage of sweeps, one line per cycle. */
export function voltammogram(run) {
  const plot = h('div', { class: 'plot' });
  const element = panel('Voltammogram', plot);

  async function update(steps) {
    const sweeps = steps.filter((step) => step.verb === 'sweep').slice(-MOST_CYCLES);
    element.hidden = sweeps.length === 0;
    if (element.hidden) return;
    const parts = await Promise.all(sweeps.map((step) => get(`${path('runs', run)}/trace?start=${step.started}${step.ended === null ? '' : `&end=${step.ended}`}`).catch(() => null)));
    const lines = parts.flatMap((part, i) => (part ? byCycle(part, sweeps[i]) : []));
    await draw(plot, lines.map((line, i) => ({
      x: line.voltage, y: line.current, mode: 'lines', name: line.name, line: { width: 1.4, color: palette(i, lines.length) }, hovertemplate: '%{y:.4~g} mA at %{x:.4f} V<extra></extra>',
    })), { xaxis: axis('voltage in V'), yaxis: axis('current in mA') });
  }

  return { element, update, end: () => forget(plot) };
}

function byCycle(part, step) {
  const lines = new Map();
  part.time.forEach((_, i) => {
    if (part.step[i] !== step.ordinal) return;
    const name = part.cycle[i] ? `cycle ${part.cycle[i]}` : `step ${step.path}`;
    if (!lines.has(name)) lines.set(name, { name, voltage: [], current: [] });
    lines.get(name).voltage.push(part.voltage[i]);
    lines.get(name).current.push(part.current[i] === null ? null : part.current[i] * 1000);
  });
  return [...lines.values()];
}
