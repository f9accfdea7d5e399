// What a protocol will do: its curve as far as it can be known, its steps, and the limits with their origin.

import { h, say } from './dom.js';
import { duration, engineering } from './format.js';
import { axis, draw, forget, timeUnit, trace } from './plots.js';
import { heads, scroll } from './table.js';

const MOST_ROWS = 200;

/** Make the panels; hidden until there is a plan. */
export function planView() {
  const plot = h('div', { class: 'plot' });
  const basis = h('span', { class: 'basis' });
  const curve = h('section', { class: 'panel', hidden: true, 'aria-label': 'Expected curve' }, h('header', {}, h('h2', {}, 'Expected curve'), basis), plot);
  const limits = h('section', { class: 'panel', hidden: true, 'aria-label': 'Limits' });
  const steps = h('section', { class: 'panel', hidden: true, 'aria-label': 'Steps' });
  let last = null;
  let rehearsed = null;

  function show(plan) {
    last = plan;
    limits.hidden = steps.hidden = false;
    limits.replaceChildren(h('header', {}, h('h2', {}, 'Effective limits'), h('span', { class: 'basis' }, 'the tightest of protocol, cell and channel')), limitTable(plan.limits));
    steps.replaceChildren(h('header', {}, h('h2', {}, 'Steps')), stepTable(plan));
    return drawCurve(plan);
  }

  /** The sketch in thin lines; what was rehearsed over it, as far as it went. */
  async function drawCurve(plan) {
    const { time, current, voltage } = plan.preview;
    curve.hidden = time.length < 2;
    if (curve.hidden) return;
    say(basis, rehearsed ? `rehearsed on a simulated cell (${rehearsed.basis}); dotted: the sketch` : plan.preview.basis);
    const whole = rehearsed ? rehearsed.time[rehearsed.time.length - 1] : time[time.length - 1];
    const [factor, unit] = timeUnit(whole);
    const of = (source, y, name, colour, more) => ({ x: source.time.map((each) => each / factor), y, name, mode: 'lines', line: { color: colour, width: 1.5 }, ...more });
    const amperes = (values) => values.map((each) => (each === null ? null : each * 1000));
    const sketched = rehearsed ? { line: { color: trace(1), width: 1, dash: 'dot' }, opacity: 0.6 } : {};
    const traces = [];
    if (voltage.some((each) => each !== null)) traces.push(of({ time }, voltage, rehearsed ? 'voltage, sketched' : 'voltage', trace(1), sketched));
    if (rehearsed) traces.push(of(rehearsed, rehearsed.voltage, 'voltage', trace(1)), of(rehearsed, amperes(rehearsed.current), 'current', trace(2), { yaxis: 'y2' }));
    else if (current.some((each) => each)) traces.push(of({ time }, amperes(current), 'current', trace(2), { yaxis: 'y2' }));
    const range = rehearsed ? { range: [0, whole / factor] } : {};
    await draw(plot, traces, { xaxis: axis(`time in ${unit}`, range), yaxis: axis('voltage in V'), yaxis2: axis('current in mA', { overlaying: 'y', side: 'right', showgrid: false }), showlegend: true });
  }

  /** Draw what was rehearsed over the sketch; null takes it away. */
  function overlay(found) {
    rehearsed = found && found.time.length > 1 ? found : null;
    redraw();
  }

  const redraw = () => { if (last && !curve.hidden) drawCurve(last); };
  document.addEventListener('theme', redraw);
  return {
    curve, limits, steps, show, overlay,
    clear: () => { last = rehearsed = null; curve.hidden = limits.hidden = steps.hidden = true; },
    end: () => { document.removeEventListener('theme', redraw); forget(plot); },
  };
}

function limitTable(limits) {
  const edge = (each, unit) => (each ? [engineering(each.value, unit), h('div', { class: 'method' }, each.origin)] : ['none']);
  return h('table', {}, heads('', 'Lowest', 'Highest'),
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
  return scroll('Steps of the plan', h('table', { class: 'plan' },
    heads('Step', 'Does', 'Until', 'Takes'),
    h('tbody', {}, ...rows.slice(0, MOST_ROWS).map(([depth, path, does, until, takes]) => h('tr', {}, h('td', { class: 'number' }, path), h('td', { class: depth ? 'deep' : '' }, does), h('td', {}, until), h('td', {}, takes))))));
}
