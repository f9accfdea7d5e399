// Nyquist and Bode plots, with the frequencies written at whole decades and the fitted circuit dashed.

import { get, path } from './api.js';
import { plotPanel } from './plotpanel.js';
import { axis, escaped, palette } from './plots.js';

const MOST = 8;

/** The panels; `update(points, steps)` keeps them true. */
export function spectra(run) {
  const nyquist = plotPanel('Nyquist', `${run}-nyquist`);
  const bode = plotPanel('Bode', `${run}-bode`);

  async function update(points, steps) {
    nyquist.element.hidden = bode.element.hidden = points.length < 3;
    if (points.length < 3) return;
    const groups = [...Map.groupBy(points, (point) => point.step).entries()].slice(-MOST);
    const { found, lacking = [] } = await get(`${path('runs', run)}/impedance/fits`).then((all) => ({ found: all }), (error) => ({ found: [], lacking: [`the fits: ${error.message}`] }));
    const fits = new Map(found.map((fit) => [fit.step, fit]));
    const named = (ordinal) => words(steps.find((step) => step.ordinal === ordinal), ordinal);
    const coloured = groups.map(([step, each], i) => ({ step, name: named(step), each, fit: fits.get(step), colour: palette(i, groups.length) }));
    await nyquist.show(coloured.flatMap((one) => nyquistOf(one)), { ...plane(groups.flatMap(([, each]) => each)), showlegend: groups.length > 1 });
    await bode.show(coloured.flatMap((one) => bodeOf(one)), { xaxis: axis('frequency in Hz', { type: 'log' }), yaxis: axis('|Z| in Ω', { type: 'log' }), yaxis2: axis('−phase in °', { overlaying: 'y', side: 'right', showgrid: false }) });
    const circuits = [...new Set([...fits.values()].map((fit) => fit.circuit))];
    for (const panel of [nyquist, bode]) panel.tell(circuits.length ? `dashed: ${circuits.join(', ')} fitted` : '', lacking);
  }

  return { elements: [nyquist.element, bode.element], update, end: () => { nyquist.end(); bode.end(); } };
}

const words = (step, ordinal) => (step?.marks?.length ? escaped(step.marks.join(', ')) : step?.cycle ? `cycle ${step.cycle}` : `step ${ordinal}`);

/** The axes of the complex plane, to one scale unless that would leave a line of it. */
export function plane(points) {
  const extent = (values) => Math.max(...values) - Math.min(...values);
  const [wide, high] = [extent(points.map((point) => point.real ?? 0)), extent(points.map((point) => point.imaginary ?? 0))];
  const alike = high < 4 * wide && wide < 12 * high;
  return { xaxis: axis('Re Z in Ω'), yaxis: axis(alike ? '−Im Z in Ω' : '−Im Z in Ω, not to the scale of Re Z', alike ? { scaleanchor: 'x', scaleratio: 1 } : {}) };
}

/** A spectrum in the complex plane: its points, the decades by name, and the fit. */
export function nyquistOf({ name, each, fit, colour, labelled = true }) {
  const points = each.filter((point) => point.real !== null && point.imaginary !== null);
  const drawn = [{
    x: points.map((point) => point.real), y: points.map((point) => -point.imaginary), name, legendgroup: name, mode: 'markers+text', marker: { size: 5, color: colour }, text: labelled ? decades(points) : '', textposition: 'middle right', textfont: { size: 10.5 }, cliponaxis: false,
    customdata: points.map((point) => point.frequency), hovertemplate: `%{x:.4~g} Ω, −%{y:.4~g} Ω at %{customdata:.3~s}Hz<extra>${name}</extra>`,
  }];
  if (fit) drawn.push({ x: fit.real, y: fit.imaginary.map((value) => -value), name: `${name}, ${fit.circuit} fitted`, legendgroup: name, showlegend: false, mode: 'lines', line: { width: 1.2, dash: 'dash', color: colour }, hoverinfo: 'skip' });
  return drawn;
}

function bodeOf({ name, each, fit, colour }) {
  const size = (points, more) => ({ x: points.map((point) => point.frequency), y: points.map((point) => Math.hypot(point.real, point.imaginary)), name: `|Z| ${name}`, hovertemplate: '%{y:.4~g} Ω at %{x:.3~s}Hz', ...more });
  const phase = (points, more) => ({ x: points.map((point) => point.frequency), y: points.map((point) => (-Math.atan2(point.imaginary, point.real) * 180) / Math.PI), yaxis: 'y2', name: `−phase ${name}`, hovertemplate: '%{y:.2f}° at %{x:.3~s}Hz', ...more });
  const points = each.filter((point) => point.real !== null && point.imaginary !== null);
  const drawn = [size(points, { mode: 'markers', marker: { size: 5, color: colour } }), phase(points, { mode: 'markers', marker: { size: 5, color: colour, symbol: 'diamond-open' } })];
  if (!fit) return drawn;
  const fine = fit.frequency.map((frequency, i) => ({ frequency, real: fit.real[i], imaginary: fit.imaginary[i] }));
  const dashed = { mode: 'lines', line: { width: 1.2, dash: 'dash', color: colour }, showlegend: false, hoverinfo: 'skip', hovertemplate: null };
  return [...drawn, size(fine, dashed), phase(fine, dashed)];
}

/** The frequency beside the point nearest to each decade; those that would lie on another stay unwritten. */
function decades(points) {
  const texts = points.map(() => '');
  const span = Math.max(...points.map((point) => Math.hypot(point.real - points[0].real, point.imaginary - points[0].imaginary)), 1e-12);
  const written = [];
  for (let decade = 6; decade >= -4; decade -= 1) {
    const wanted = 10 ** decade;
    const best = points.reduce((found, point, i) => (Math.abs(Math.log10(point.frequency / wanted)) < Math.abs(Math.log10(points[found].frequency / wanted)) ? i : found), 0);
    const { real, imaginary, frequency } = points[best];
    if (Math.abs(Math.log10(frequency / wanted)) > 0.06) continue;
    if (written.some((other) => Math.hypot(other.real - real, other.imaginary - imaginary) < span * 0.06)) continue;
    written.push(points[best]);
    texts[best] = wanted >= 1e6 ? `${wanted / 1e6} MHz` : wanted >= 1000 ? `${wanted / 1000} kHz` : wanted >= 1 ? `${wanted} Hz` : `${+(wanted * 1000).toPrecision(3)} mHz`;
  }
  return texts;
}
