// The curves of several runs over one another; each panel only where at least one run has something for it.

import { h } from './dom.js';
import { span } from './cycleplot.js';
import { units } from './perunit.js';
import { plotPanel } from './plotpanel.js';
import { axis, cycleAxis } from './plots.js';
import { nyquistOf, plane } from './spectra.js';
import { voltammetry } from './voltammogram.js';

/** The panels; `update(runs, wishes)` draws them, and returns what could not be had, in words. */
export function overlays() {
  const curve = plotPanel('Voltage against capacity', 'compared-capacity');
  const capacity = plotPanel('Discharge capacity', 'compared-cycles');
  const efficiency = plotPanel('Coulombic efficiency', 'compared-efficiency');
  const nyquist = plotPanel('Nyquist', 'compared-nyquist');
  const sweeps = plotPanel('Voltammogram', 'compared-voltammogram');
  const panels = [curve, capacity, efficiency, nyquist, sweeps];
  const element = h('div', { class: 'plots overlays' }, ...panels.map((panel) => panel.element));

  async function update(runs, { per, spread, cycle }) {
    const unit = units({ area: 1, active_mass: 1 })[per].words;
    const legends = firsts();
    await show(curve, runs.flatMap((run) => run.curve.map((part) => ({ ...line(run, legends), x: part.capacity.map(units(run.facts)[per].of), y: part.voltage, hovertemplate: `%{y:.4f} V at %{x:.4~g} ${unit}<extra>${run.name}</extra>` }))),
      { xaxis: axis(`capacity of the step in ${unit}, cycle ${Number(cycle) || 0}`), yaxis: axis('voltage in V') });
    const cycled = runs.filter((run) => run.cycles.some((each) => each.discharge_capacity || each.charge_capacity));
    await show(capacity, byCycle(cycled, spread, (run, each) => value(each.discharge_capacity ?? each.charge_capacity, units(run.facts)[per].of), `.4~g`, unit), { xaxis: cycleAxis(cycled.flatMap(numbers)), yaxis: axis(`capacity in ${unit}`, { rangemode: 'tozero' }) });
    const shares = byCycle(cycled, spread, (run, each) => value(each.coulombic_efficiency, (share) => share * 100), '.3f', '%');
    await show(efficiency, shares, { xaxis: cycleAxis(cycled.flatMap(numbers)), yaxis: axis('Coulombic efficiency in %', { range: span(shares.flatMap((one) => one.y)) }) });
    const spectra = runs.filter((run) => run.impedance.length > 2);
    await show(nyquist, spectra.flatMap((run, i) => nyquistOf({ name: run.name, each: lastSpectrum(run.impedance), fit: null, colour: run.colour, labelled: i === 0 })), plane(spectra.flatMap((run) => lastSpectrum(run.impedance))));
    const swept = await Promise.all(runs.filter((run) => run.sweeps.length).map(async (run) => ({ run, ...await voltammetry(run.run, run.sweeps.slice(-3)) })));
    const seen = firsts();
    await show(sweeps, swept.flatMap(({ run, lines }) => lines.filter((one, i) => lines.length < 2 || one.name === `cycle ${Number(cycle)}` || (i === lines.length - 1 && !lines.some((other) => other.name === `cycle ${Number(cycle)}`))).map((one) => ({ ...line(run, seen), x: one.voltage, y: one.current.map((each) => value(each, (amperes) => amperes * 1000)), hovertemplate: `%{y:.4~g} mA at %{x:.4f} V<extra>${run.name}, ${one.name}</extra>` }))), { xaxis: axis('voltage in V'), yaxis: axis('current in mA') });
    return swept.flatMap(({ run, lacking }) => lacking.map((words) => `${run.run}: ${words}`));
  }

  async function show(panel, traces, layout) {
    panel.element.hidden = traces.length === 0;
    if (traces.length) await panel.show(traces, { showlegend: true, ...layout });
  }

  return { element, update, end: () => panels.forEach((panel) => panel.end()) };
}

const value = (number, turn) => (number === null || number === undefined ? null : turn(number));
const lastSpectrum = (points) => points.filter((point) => point.step === points[points.length - 1].step);

/** Says once for each run that it belongs in the legend. */
function firsts() {
  const seen = new Set();
  return (run) => !seen.has(run) && Boolean(seen.add(run));
}

function line(run, first) {
  return { mode: 'lines', name: run.name, legendgroup: run.name, showlegend: first(run.name), line: { color: run.colour, width: 1.5 } };
}

const numbers = (run) => run.cycles.map((each) => each.cycle);

/** A line for each run, or for each group of several its mean within its standard deviation (n - 1). */
function byCycle(runs, spread, of, digits, unit) {
  const groups = Map.groupBy(runs, (run) => run.group);
  return [...groups.values()].flatMap((members) => {
    if (spread && members.length > 1) return meanOf(members, of, digits, unit);
    return members.map((run) => ({ x: numbers(run), y: run.cycles.map((each) => of(run, each)), name: run.name, mode: run.cycles.length > 60 ? 'lines' : 'lines+markers', marker: { size: 4 }, line: { color: run.colour, width: 1.4 }, hovertemplate: `%{y:${digits}} ${unit} in cycle %{x}<extra>${run.name}</extra>` }));
  });
}

function meanOf(members, of, digits, unit) {
  const byNumber = new Map();
  for (const run of members) {
    for (const each of run.cycles) {
      const found = of(run, each);
      if (found !== null) byNumber.set(each.cycle, [...(byNumber.get(each.cycle) ?? []), found]);
    }
  }
  const x = [...byNumber.keys()].sort((a, b) => a - b);
  const stats = x.map((cycle) => meanAndDeviation(byNumber.get(cycle)));
  const { colour, label } = members[0];
  const band = { x: [...x, ...x.toReversed()], y: [...stats.map((one) => one.mean + one.deviation), ...stats.map((one) => one.mean - one.deviation).toReversed()], fill: 'toself', fillcolor: colour, opacity: 0.18, line: { width: 0 }, mode: 'lines', hoverinfo: 'skip', showlegend: false, legendgroup: label, name: `${label}, ± one standard deviation` };
  return [band, { x, y: stats.map((one) => one.mean), customdata: stats.map((one) => [one.deviation, one.count]), name: `${label}, mean of ${members.length}`, legendgroup: label, mode: 'lines', line: { color: colour, width: 2 }, hovertemplate: `%{y:${digits}} ± %{customdata[0]:.2~g} ${unit}, n = %{customdata[1]}, in cycle %{x}<extra>${label}</extra>` }];
}

function meanAndDeviation(values) {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const squares = values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0, count: values.length };
}
