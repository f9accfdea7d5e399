// What a cycle came to, against its number: capacity and efficiency, energy, voltages, hysteresis, time.

import { h } from './dom.js';
import { offer, units } from './perunit.js';
import { choice, plotPanel } from './plotpanel.js';
import { axis, cycleAxis, trace } from './plots.js';

const KINDS = [['capacity', 'capacity and CE'], ['energy', 'energy and its efficiency'], ['voltage', 'mean voltages and hysteresis'], ['time', 'time of each half']];

/** The panel; `update(cycles, facts)` keeps it true. */
export function cyclePlot(run) {
  const kind = choice('What to show against cycle', KINDS, () => show());
  const per = choice('Capacity in', [], () => show());
  const panel = plotPanel('Cycles', `${run}-cycles`, kind, per);
  let cycles = [];
  let facts = {};

  async function show() {
    per.hidden = kind.value !== 'capacity' || Object.keys(units(facts)).length < 2;
    const unit = units(facts)[per.value] ?? units(facts).mAh;
    const { left, right, layout } = KIND[kind.value](cycles, unit);
    const x = cycles.map((cycle) => cycle.cycle);
    const mode = cycles.length > 300 ? 'lines' : 'markers';
    const drawn = (line, i, more) => ({ x, y: line.y, name: line.name, mode, marker: { size: 5, symbol: line.symbol, color: line.colour }, line: { width: 1.3, color: line.colour, dash: line.symbol === 'circle-open' ? 'dot' : 'solid' }, hovertemplate: `${line.hover} in cycle %{x}<extra>${line.name}</extra>`, ...more });
    await panel.show([...left.map((line, i) => drawn(line, i, {})), ...right.map((line, i) => drawn(line, i, { yaxis: 'y2' }))], { xaxis: cycleAxis(x), ...layout });
    panel.tell(kind.value === 'capacity' ? pairing(cycles) : '');
  }

  return { element: panel.element, end: panel.end, update: (found, cellFacts) => {
    cycles = found.filter((cycle) => cycle.cycle > 0 && (cycle.discharge_capacity || cycle.charge_capacity));
    facts = cellFacts ?? {};
    offer(per, facts, (value, words) => h('option', { value }, words));
    panel.element.hidden = cycles.length < 2;
    return panel.element.hidden ? null : show();
  } };
}

const of = (cycles, field, turn) => cycles.map((cycle) => (cycle[field] === null ? null : turn(cycle[field])));
const second = (title, y, more = {}) => axis(title, { overlaying: 'y', side: 'right', showgrid: false, ...more });

const KIND = {
  capacity(cycles, unit) {
    const efficiency = of(cycles, 'coulombic_efficiency', (each) => each * 100);
    const hover = `%{y:.4~g} ${unit.words}`;
    return {
      left: [{ name: 'charge', y: of(cycles, 'charge_capacity', unit.of), symbol: 'circle-open', colour: trace(1), hover }, { name: 'discharge', y: of(cycles, 'discharge_capacity', unit.of), symbol: 'circle', colour: trace(1), hover }],
      right: [{ name: 'Coulombic efficiency', y: efficiency, symbol: 'diamond-open', colour: trace(2), hover: '%{y:.2f} %' }],
      layout: { yaxis: axis(`capacity in ${unit.words}`, { rangemode: 'tozero' }), yaxis2: second('Coulombic efficiency in %', efficiency, { range: span(efficiency) }) },
    };
  },
  energy(cycles) {
    const efficiency = of(cycles, 'energy_efficiency', (each) => each * 100);
    const hover = '%{y:.4~g} mWh';
    return {
      left: [{ name: 'charge', y: of(cycles, 'charge_energy', (each) => each / 3.6), symbol: 'circle-open', colour: trace(1), hover }, { name: 'discharge', y: of(cycles, 'discharge_energy', (each) => Math.abs(each) / 3.6), symbol: 'circle', colour: trace(1), hover }],
      right: [{ name: 'energy efficiency', y: efficiency, symbol: 'diamond-open', colour: trace(2), hover: '%{y:.2f} %' }],
      layout: { yaxis: axis('energy in mWh', { rangemode: 'tozero' }), yaxis2: second('energy efficiency in %', efficiency, { range: span(efficiency) }) },
    };
  },
  voltage(cycles) {
    const volts = (name, field, symbol) => ({ name, y: of(cycles, field, (each) => each), symbol, colour: trace(1), hover: '%{y:.4f} V' });
    return {
      left: [volts('mean charge voltage', 'mean_charge_voltage', 'circle-open'), volts('mean discharge voltage', 'mean_discharge_voltage', 'circle')],
      right: [{ name: 'hysteresis', y: of(cycles, 'hysteresis', (each) => each * 1000), symbol: 'diamond-open', colour: trace(2), hover: '%{y:.4~g} mV' }],
      layout: { yaxis: axis('mean voltage in V'), yaxis2: second('hysteresis in mV') },
    };
  },
  time(cycles) {
    const hours = (name, field, symbol, colour) => ({ name, y: of(cycles, field, (each) => each / 3600), symbol, colour, hover: '%{y:.4~g} h' });
    return { left: [hours('charge', 'charge_time', 'circle-open', trace(1)), hours('discharge', 'discharge_time', 'circle', trace(2))], right: [], layout: { yaxis: axis('time in h', { rangemode: 'tozero' }) } };
  },
};

/** From a little below the lowest to a little above 100. */
export function span(efficiency) {
  const known = efficiency.filter((each) => each !== null && each > 0).sort((a, b) => a - b);
  const low = known.length ? known[Math.floor(known.length * 0.02)] : 90;
  return [Math.max(0, Math.min(low - 2, 98)), Math.max(101, Math.min(130, (known[known.length - 1] ?? 100) + 1))];
}

function pairing(cycles) {
  return cycles.find((cycle) => cycle.pairing)?.pairing ?? '';
}
