// The tables of a run.

import { h } from './dom.js';
import { ampereHours, duration, figure as told, figureName, volts } from './format.js';
import { heads, panel, scroll } from './table.js';

/** Names and values. */
export function facts(pairs) {
  return h('dl', { class: 'facts' }, ...pairs.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value ?? '–')]));
}

const tabled = (title, note, table) => panel(title, note, scroll(`${title}, as a table`, table));

/** Figures of merit with their uncertainty; how each came about opens below it, and what could not be had says why. */
export function figureTable(figures, over) {
  if (!figures.length) return null;
  const rows = figures.slice(-200).map((figure) => {
    const { value, unit } = told(figure.name, figure.value, figure.uncertainty, figure.unit);
    return h('tr', {},
      h('td', {}, figureName(figure.name), figure.mark ? h('div', { class: 'method' }, figure.mark) : '', h('div', { class: 'method' }, figure.method, ...figure.warnings.map((warning) => h('div', { class: over ? 'alarm' : '' }, warning))), explained(figure)),
      h('td', { class: 'number' }, figure.cycle ?? ''), h('td', { class: 'number' }, value), h('td', {}, unit));
  });
  return tabled('Figures of merit', '± one standard uncertainty', h('table', {}, heads('Figure', 'Cycle', 'Value', 'Unit'), h('tbody', {}, ...rows)));
}

/** What a figure rests on: its value in SI, and all that was found on the way. */
function explained(figure) {
  const pairs = flat(figure.detail).slice(0, 40);
  const si = figure.value === null ? [] : [['in SI', `${figure.value}${figure.uncertainty ? ` ± ${figure.uncertainty}` : ''} ${figure.unit}`]];
  if (!pairs.length && !si.length) return '';
  return h('details', { class: 'method' }, h('summary', {}, 'How'), facts([...si, ...pairs]));
}

function flat(detail, before = '') {
  return Object.entries(detail ?? {}).flatMap(([name, value]) => {
    const words = `${before}${name.replaceAll('_', ' ')}`;
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return 'value' in value ? [[words, `${+Number(value.value).toPrecision(6)} ± ${+Number(value.uncertainty ?? 0).toPrecision(2)}`]] : flat(value, `${words}: `);
    return [[words, Array.isArray(value) ? value.slice(0, 12).map(short).join(', ') : short(value)]];
  });
}

const short = (value) => (typeof value === 'number' ? String(+value.toPrecision(6)) : String(value));

/** What was noted, the latest first. */
export function eventTable(events) {
  if (!events.length) return null;
  const rows = [...events].reverse().map((event) => h('tr', {}, h('td', { class: 'number' }, duration(event.time)), h('td', { class: 'event-kind' }, event.kind), h('td', {}, event.text)));
  return tabled('Events', '', h('table', {}, heads('At', 'What', ''), h('tbody', {}, ...rows)));
}

/** Steps, the latest first. */
export function stepTable(steps) {
  if (!steps.length) return null;
  const rows = [...steps].reverse().slice(0, 300).map((step) => h('tr', {},
    h('td', { class: 'number' }, step.ordinal), h('td', { class: 'number' }, step.cycle ?? ''), h('td', {}, `${step.verb ?? ''} ${step.setting ?? ''}`),
    h('td', { class: 'number' }, duration(step.duration)), h('td', { class: 'number' }, ampereHours(step.capacity)), h('td', { class: 'number' }, volts(step.end_voltage)), h('td', {}, step.ended === null ? 'goes on' : step.reason ?? '')));
  return tabled('Steps', 'the latest first', h('table', {}, heads('Step', 'Cycle', 'What', 'Took', 'Capacity', 'Ended at', 'Because'), h('tbody', {}, ...rows)));
}
