// What a protocol will do: its curve as far as it can be known, its steps, and the limits with their origin.

import { h } from './dom.js';
import { duration, engineering } from './format.js';
import { axis, draw, forget, trace } from './plots.js';

const MOST_ROWS = 200;

/** Make the panels; hidden until there is a plan. */
export function planView() {
  const plot = h('div', { class: 'plot' });
  const curve = h('section', { class: 'panel', hidden: true, 'aria-label': 'Expected curve' }, h('header', {}, h('h2', {}, 'Expected curve'), h('span', { class: 'basis' }, 'straight lines between what is known; three rounds of each loop')), plot);
  const limits = h('section', { class: 'panel', hidden: true, 'aria-label': 'Limits' });
  const steps = h('section', { class: 'panel', hidden: true, 'aria-label': 'Steps' });
  let last = null;

  function show(plan) {
    last = plan;
    limits.hidden = steps.hidden = false;
    limits.replaceChildren(h('header', {}, h('h2', {}, 'Effective limits'), h('span', { class: 'basis' }, 'the tightest of protocol, cell and channel')), limitTable(plan.limits));
    steps.replaceChildren(h('header', {}, h('h2', {}, 'Steps')), stepTable(plan));
    return drawCurve(plan);
  }

  async function drawCurve(plan) {
    const { time, current, voltage } = plan.preview;
    curve.hidden = time.length < 2;
    if (curve.hidden) return;
    const whole = time[time.length - 1];
    const [factor, unit] = whole > 172800 ? [86400, 'd'] : whole > 7200 ? [3600, 'h'] : whole > 240 ? [60, 'min'] : [1, 's'];
    const x = time.map((each) => each / factor);
    const traces = [];
    if (voltage.some((each) => each !== null)) traces.push({ x, y: voltage, name: 'voltage', mode: 'lines', line: { color: trace(1), width: 1.5 } });
    if (current.some((each) => each)) traces.push({ x, y: current.map((each) => (each === null ? null : each * 1000)), name: 'current', yaxis: 'y2', mode: 'lines', line: { color: trace(2), width: 1.2 } });
    await draw(plot, traces, { xaxis: axis(`time in ${unit}`), yaxis: axis('voltage in V'), yaxis2: axis('current in mA', { overlaying: 'y', side: 'right', showgrid: false }), showlegend: true });
  }

  const redraw = () => { if (last && !curve.hidden) drawCurve(last); };
  document.addEventListener('theme', redraw);
  return {
    elements: [limits, curve, steps], show,
    clear: () => { last = null; curve.hidden = limits.hidden = steps.hidden = true; },
    end: () => { document.removeEventListener('theme', redraw); forget(plot); },
  };
}

function limitTable(limits) {
  const edge = (each, unit) => (each ? [engineering(each.value, unit), h('div', { class: 'method' }, each.origin)] : ['none']);
  return h('table', {}, h('thead', {}, h('tr', {}, ...['', 'Lowest', 'Highest'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...Object.entries(limits).filter(([, { low, high }]) => low || high).map(([name, { unit, low, high }]) => h('tr', {}, h('th', { scope: 'row' }, name.replaceAll('_', ' ')), h('td', {}, ...edge(low, shown(unit))), h('td', {}, ...edge(high, shown(unit)))))));
}

const shown = (unit) => ({ degC: '°C' })[unit] ?? unit ?? '';

function stepTable(plan) {
  const rows = [];
  const walk = (entries, depth) => entries.forEach((entry) => {
    if (entry.steps) {
      rows.push([depth, entry.path, `repeat ${entry.repeat} times`, entry.until ?? '', '']);
      walk(entry.steps, depth + 1);
    } else {
      const times = entry.times > 1 ? `${entry.times} × ` : '';
      rows.push([depth, entry.path, `${entry.verb} ${entry.setting}`, entry.until ?? '', `${times}${duration(entry.seconds)} (${entry.basis})`]);
    }
  });
  walk(plan.steps, 0);
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Steps of the plan' }, h('table', { class: 'plan' },
    h('thead', {}, h('tr', {}, ...['Step', 'Does', 'Until', 'Takes'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...rows.slice(0, MOST_ROWS).map(([depth, path, does, until, takes]) => h('tr', {}, h('td', { class: 'number' }, path), h('td', { class: depth ? 'deep' : '' }, does), h('td', {}, until), h('td', {}, takes))))));
}
