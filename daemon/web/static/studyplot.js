// What a study measures, drawn: each replicate, their mean and interval beside what the source says; courses over cycles.

import { h } from './dom.js';
import { axis, draw, escaped, forget, markColour, palette, trace } from './plots.js';

const MOST_FIGURES = 12;

/** Dots of the replicates of one number, variant by variant. */
export function figurePlots() {
  const element = h('div', { class: 'columns study-plots', hidden: true });
  let panels = [];
  let shown = '';

  function update(lines) {
    const groups = grouped(lines).slice(0, MOST_FIGURES);
    const mark = JSON.stringify(groups);
    if (mark === shown) return;
    shown = mark;
    panels.forEach(forget);
    panels = groups.map(() => h('div', { class: 'plot small' }));
    element.hidden = groups.length === 0;
    element.replaceChildren(...groups.map((group, i) => h('section', { class: 'panel', 'aria-label': group.title }, h('header', {}, h('h2', {}, group.title), h('span', { class: 'basis' }, '● cells, ◆ mean with its 95 % interval, ◇ the source')), panels[i])));
    groups.forEach((group, i) => drawFigure(panels[i], group));
  }

  const redraw = () => { const groups = panels.length ? JSON.parse(shown) : []; groups.forEach((group, i) => drawFigure(panels[i], group)); };
  document.addEventListener('theme', redraw);
  return { element, update, end: () => { document.removeEventListener('theme', redraw); panels.forEach(forget); } };
}

/** Lines of one protocol and number together. */
function grouped(lines) {
  const groups = new Map();
  for (const line of lines) {
    const key = `${line.protocol}\n${line.what}`;
    const what = line.figure && !line.what.startsWith(line.figure.replaceAll('_', ' ')) ? `${line.figure.replaceAll('_', ' ')}, ${line.what}` : line.what;
    if (!groups.has(key)) groups.set(key, { title: `${line.protocol.replaceAll('_', ' ')}: ${what}`, unit: line.unit, lines: [] });
    groups.get(key).lines.push(line);
  }
  return [...groups.values()];
}

function drawFigure(plot, { unit, lines }) {
  const at = (_, i) => i;
  const many = lines.filter((line) => line.measured.low !== null);
  const claimed = lines.map((line, i) => [i, line]).filter(([, line]) => line.claimed !== null);
  const index = (line) => lines.indexOf(line);
  const traces = [
    { x: lines.flatMap((line, i) => line.values.map((__, j) => i + spread(j, line.values.length))), y: lines.flatMap((line) => line.values), text: lines.flatMap((line) => line.runs), mode: 'markers', name: 'cells', marker: { color: trace(1), size: 7, opacity: 0.75 }, hovertemplate: `%{y:.5~g} ${unit}<extra>%{text}</extra>` },
    { x: many.map(index), y: many.map((line) => line.measured.mean), error_y: { type: 'data', symmetric: false, array: many.map((line) => line.measured.high - line.measured.mean), arrayminus: many.map((line) => line.measured.mean - line.measured.low), color: trace(2), thickness: 1.6, width: 6 }, mode: 'markers', name: 'mean', marker: { color: trace(2), size: 10, symbol: 'diamond' }, hovertemplate: `mean %{y:.5~g} ${unit}<extra></extra>` },
    { x: claimed.map(([i]) => i + 0.24), y: claimed.map(([, line]) => line.claimed), text: claimed.map(([, line]) => escaped(line.source)), mode: 'markers', name: 'source', marker: { color: markColour(), size: 11, symbol: 'diamond-open', line: { width: 2 } }, hovertemplate: '%{text}<extra>the source</extra>' },
  ].filter((each) => each.x.length);
  return draw(plot, traces, {
    xaxis: axis('', { tickvals: lines.map(at), ticktext: lines.map((line) => escaped(line.variant)), range: [-0.6, lines.length - 0.4], tickmode: 'array', showgrid: false }),
    yaxis: axis(unit), showlegend: false, margin: { l: 62, r: 16, t: 8, b: 34 },
  });
}

const spread = (j, count) => (count > 1 ? -0.22 + (0.26 * j) / (count - 1) : -0.1);

/** Capacity and efficiency over the cycles: the mean of each variant, shaded by the deviation of its replicates. */
export function coursePlots() {
  const element = h('div', { class: 'columns study-plots', hidden: true });
  let panels = [];
  let shown = '';
  let kept = [];

  function update(courses) {
    const mark = JSON.stringify(courses);
    if (mark === shown) return;
    shown = mark;
    panels.forEach(({ plots }) => plots.forEach(forget));
    const rows = [...new Set(courses.map((course) => course.row))];
    kept = rows.map((row) => courses.filter((course) => course.row === row));
    panels = kept.map((group) => ({ group, plots: [h('div', { class: 'plot' }), h('div', { class: 'plot' })] }));
    element.hidden = panels.length === 0;
    element.replaceChildren(...panels.flatMap(({ group, plots }) => [
      panel(`${group[0].protocol.replaceAll('_', ' ')}: capacity`, plots[0]), panel(`${group[0].protocol.replaceAll('_', ' ')}: Coulombic efficiency`, plots[1])]));
    panels.forEach(drawCourses);
  }

  const redraw = () => panels.forEach(drawCourses);
  document.addEventListener('theme', redraw);
  return { element, update, end: () => { document.removeEventListener('theme', redraw); panels.forEach(({ plots }) => plots.forEach(forget)); } };
}

const panel = (title, plot) => h('section', { class: 'panel', 'aria-label': title }, h('header', {}, h('h2', {}, title), h('span', { class: 'basis' }, 'mean of the cells, ± one standard deviation')), plot);

function drawCourses({ group, plots }) {
  const unit = group[0].unit;
  draw(plots[0], group.flatMap((course, i) => band(course, 'capacity', 1, palette(i, group.length), `%{y:.5~g} ${unit}`)), { xaxis: axis('cycle'), yaxis: axis(`discharge capacity in ${unit}`, { rangemode: 'tozero' }), showlegend: true });
  draw(plots[1], group.flatMap((course, i) => band(course, 'efficiency', 100, palette(i, group.length), '%{y:.2f} %')), { xaxis: axis('cycle'), yaxis: axis('Coulombic efficiency in %'), showlegend: true });
}

/** A line, and the deviation around it where there are replicates. */
function band(course, name, factor, colour, told) {
  const label = `${escaped(course.variant)} (n = ${course.cells})`;
  const deviation = course[`${name}_deviation`];
  const edge = (sign) => course[name].map((value, i) => (value === null ? null : factor * (value + sign * (deviation[i] ?? 0))));
  const shaded = deviation.some((each) => each !== null);
  const hidden = { x: course.cycles, mode: 'lines', line: { width: 0, color: colour }, hoverinfo: 'skip', showlegend: false, legendgroup: label };
  return [
    ...(shaded ? [{ ...hidden, y: edge(-1) }, { ...hidden, y: edge(1), fill: 'tonexty', fillcolor: colour.replace(')', ' / 18%)') }] : []),
    { x: course.cycles, y: course[name].map((value) => (value === null ? null : factor * value)), customdata: course.replicates, name: label, legendgroup: label, mode: course.cycles.length > 60 ? 'lines' : 'lines+markers', marker: { size: 4, color: colour }, line: { color: colour, width: 1.6 }, hovertemplate: `${told} in cycle %{x}, %{customdata} cells<extra>${escaped(course.variant)}</extra>` },
  ];
}
