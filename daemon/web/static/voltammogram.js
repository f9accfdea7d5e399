// Current against voltage of sweeps, one line per cycle.

import { get, path } from './api.js';
import { plotPanel } from './plotpanel.js';
import { axis, palette } from './plots.js';

const MOST_CYCLES = 12;

/** The panel; `update(steps)` keeps it true. */
export function voltammogram(run) {
  const panel = plotPanel('Voltammogram', `${run}-voltammogram`);

  async function update(steps) {
    const sweeps = steps.filter((step) => step.verb === 'sweep').slice(-MOST_CYCLES);
    panel.element.hidden = sweeps.length === 0;
    if (panel.element.hidden) return;
    const { lines, lacking } = await voltammetry(run, sweeps);
    const milli = largest(lines) < 0.5;
    await panel.show(lines.map((line, i) => ({
      x: line.voltage, y: line.current.map((each) => (each === null ? null : each * (milli ? 1000 : 1))), mode: 'lines', name: line.name, line: { width: 1.4, color: palette(i, lines.length) }, hovertemplate: `%{y:.4~g} ${milli ? 'mA' : 'A'} at %{x:.4f} V`,
    })), { xaxis: axis('voltage in V'), yaxis: axis(`current in ${milli ? 'mA' : 'A'}`) });
    panel.tell('', lacking);
  }

  return { element: panel.element, update, end: panel.end };
}

const largest = (lines) => lines.reduce((most, line) => line.current.reduce((each, value) => Math.max(each, Math.abs(value ?? 0)), most), 0);

/** The lines of these sweeps, volts and amperes; `lacking` says which could not be had, and why. */
export async function voltammetry(run, sweeps) {
  const parts = await Promise.allSettled(sweeps.map((step) => get(`${path('runs', run)}/trace?start=${step.started}${step.ended === null ? '' : `&end=${step.ended}`}`)));
  return {
    lines: parts.flatMap((part, i) => (part.value ? byCycle(part.value, sweeps[i]) : [])),
    lacking: parts.flatMap((part, i) => (part.reason ? [`sweep of step ${sweeps[i].path}: ${part.reason.message}`] : [])),
  };
}

function byCycle(part, step) {
  const lines = new Map();
  part.time.forEach((_, i) => {
    if (part.step[i] !== step.ordinal) return;
    const name = part.cycle[i] ? `cycle ${part.cycle[i]}` : `step ${step.path}`;
    if (!lines.has(name)) lines.set(name, { name, voltage: [], current: [] });
    lines.get(name).voltage.push(part.voltage[i]);
    lines.get(name).current.push(part.current[i]);
  });
  return [...lines.values()];
}
