// Voltage against capacity of chosen cycles, and what its slopes say: dQ/dV and dV/dQ.

import { get, path } from './api.js';
import { h } from './dom.js';
import { offer, units } from './perunit.js';
import { choice, plotPanel } from './plotpanel.js';
import { axis, palette } from './plots.js';

const MOST_CYCLES = 12;
const KINDS = [['voltage', 'V against Q'], ['dqdv', 'dQ/dV'], ['dvdq', 'dV/dQ']];

/** The panel; `update(cycles, facts)` keeps it true. */
export function capacityCurves(run) {
  const kind = choice('What to show', KINDS, () => show());
  const per = choice('Capacity in', [], () => show());
  const wish = h('input', { 'aria-label': 'Cycles to show', placeholder: 'cycles: 1, 10, 50-55', maxlength: 80, onchange: () => show() });
  const panel = plotPanel('Voltage against capacity', `${run}-capacity`, kind, per, wish);
  let known = [];
  let facts = {};
  let asked = 0;

  async function show() {
    const wanted = chosen(wish.value, known);
    if (!wanted.length) return;
    const mine = ++asked;
    const unit = units(facts)[per.value] ?? units(facts).mAh;
    const curves = kind.value === 'voltage' ? wanted.map((cycle) => voltages(run, cycle)) : wanted.map((cycle) => slopes(run, cycle));
    const found = await Promise.all(curves);
    if (mine !== asked) return;
    const traces = found.flatMap((curve, i) => curve.parts.map((part, place) => ({
      ...drawn(part, kind.value, unit), mode: 'lines', line: { color: palette(i, wanted.length), width: 1.5 }, name: `cycle ${wanted[i]}`, legendgroup: String(wanted[i]), showlegend: place === 0,
    })));
    await panel.show(traces, { ...axes(kind.value, unit), showlegend: true });
    const method = found.find((curve) => curve.method)?.method;
    const out = found.flatMap((curve) => curve.leftOut ?? []);
    const lacking = found.flatMap((curve, i) => (curve.lacking ? [`cycle ${wanted[i]}: ${curve.lacking.message}`] : []));
    const nothing = traces.length === 0 && !lacking.length;
    panel.tell(nothing ? out[0] ?? 'nothing to show of these cycles yet' : method ?? (known.length > MOST_CYCLES ? `of ${known.length} cycles` : ''), lacking);
  }

  return { element: panel.element, end: panel.end, update: (cycles, cellFacts) => {
    known = cycles.map((cycle) => cycle.cycle);
    facts = cellFacts ?? {};
    offer(per, facts, (value, words) => h('option', { value }, words));
    panel.element.hidden = !cycles.some((cycle) => cycle.cycle > 0 && (cycle.charge_capacity || cycle.discharge_capacity || cycle.duration === null));
    return panel.element.hidden ? null : show();
  } };
}

function drawn(part, kind, unit) {
  if (kind === 'voltage') return { x: part.capacity.map(unit.of), y: part.voltage, hovertemplate: `%{y:.4f} V at %{x:.4~g} ${unit.words}` };
  if (kind === 'dqdv') return { x: part.voltage, y: part.slope.map(unit.of), hovertemplate: `%{y:.4~g} ${unit.words}/V at %{x:.4f} V` };
  const kept = part.slope.map((slope, i) => i).filter((i) => Math.abs(part.slope[i]) > Math.max(...part.slope.map(Math.abs)) * 1e-3);
  return { x: kept.map((i) => unit.of(part.charge[i])), y: kept.map((i) => 1 / unit.of(part.slope[i])), hovertemplate: `%{y:.4~g} V per ${unit.words} at %{x:.4~g} ${unit.words}` };
}

function axes(kind, unit) {
  if (kind === 'voltage') return { xaxis: axis(`capacity of the step in ${unit.words}`), yaxis: axis('voltage in V') };
  if (kind === 'dqdv') return { xaxis: axis('voltage in V'), yaxis: axis(`dQ/dV in ${unit.words}/V`) };
  return { xaxis: axis(`charge below this voltage in ${unit.words}`), yaxis: axis(`dV/dQ in V/(${unit.words})`) };
}

const lost = (error) => ({ parts: [], lacking: error });

function voltages(run, cycle) {
  return get(`${path('runs', run)}/cycles/${cycle}/trace?points=1000`).then((found) => ({ parts: steps(found) }), lost);
}

function slopes(run, cycle) {
  return get(`${path('runs', run)}/cycles/${cycle}/differential`).then((found) => ({ parts: found.halves, method: found.method, leftOut: found.left_out }), lost);
}

/** The cycles somebody wrote, `1, 5-7`, or some that span the run. */
export function chosen(written, known) {
  const wanted = written.split(/[\s,;]+/).flatMap((word) => {
    const [first, last] = word.split('-').map(Number);
    return word && first >= 0 ? Array.from({ length: Math.min(MOST_CYCLES, (last || first) - first + 1) }, (_, i) => first + i) : [];
  }).filter((cycle) => known.includes(cycle));
  if (wanted.length) return wanted.slice(0, MOST_CYCLES);
  const cycles = known.filter((cycle) => cycle > 0);
  const few = Math.min(5, cycles.length);
  return [...new Set(Array.from({ length: few }, (_, i) => cycles[Math.round((i * (cycles.length - 1)) / Math.max(1, few - 1))]))];
}

/** The steps of a cycle that pass charge, each from its own nought; capacity in coulombs. */
export function steps(found) {
  const parts = [];
  let step = null;
  found.step.forEach((number, i) => {
    if (number !== step) {
      step = number;
      parts.push({ capacity: [], voltage: [] });
    }
    const part = parts[parts.length - 1];
    part.capacity.push(Math.abs(found.capacity[i] ?? 0));
    part.voltage.push(found.voltage[i]);
  });
  const most = Math.max(...found.capacity.map((each) => Math.abs(each ?? 0)));
  return parts.filter((part) => part.capacity.length > 1 && Math.max(...part.capacity) > most * 0.01);
}
