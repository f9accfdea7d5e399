// The figures of several runs in one table: by run, by group with mean and spread, and what the two differ by.

import { h } from './dom.js';
import { figure as told, figureName } from './format.js';
import { csv, save } from './saving.js';
import { heads, panel, scroll } from './table.js';

/** The table of a comparison. */
export function comparisonTables(comparison) {
  if (!comparison.figures.length) return h('p', { class: 'quiet' }, 'None of these runs has a figure of merit yet.');
  const several = comparison.figures.some((figure) => figure.groups.some((group) => group.count > 1));
  const names = ['Figure', 'Unit', ...(several ? ['Groups: mean ± standard deviation', 'Verdict'] : []), ...comparison.runs.map((run) => run.run)];
  const rows = comparison.figures.map((figure) => h('tr', {},
    h('th', { scope: 'row' }, figureName(figure.name), figure.mark ? h('div', { class: 'method' }, figure.mark) : ''), h('td', {}, told(figure.name, null, null, figure.unit).unit),
    ...(several ? [h('td', { class: 'said' }, ...figure.groups.filter((group) => group.count > 1).map((group) => groupLine(figure, group))), h('td', { class: 'said' }, ...figure.verdicts.map(verdictLine))] : []),
    ...comparison.runs.map((run) => valueOf(figure, run.run))));
  const button = h('button', { class: 'bare', onclick: () => save(csv(lines(comparison)), 'comparison.csv') }, 'CSV');
  const made = panel('Figures of merit', '± one standard uncertainty; groups: ± standard deviation (n − 1), Welch’s t test at 95 %',
    scroll('Figures of merit, as a table', h('table', {}, heads(...names), h('tbody', {}, ...rows))));
  made.querySelector('header').append(button);
  return made;
}

function valueOf(figure, run) {
  const found = figure.runs.find((each) => each.run === run);
  return h('td', { class: 'number', title: found ? found.method : 'this run does not have it' }, found ? told(figure.name, found.value, found.uncertainty, figure.unit).value : '–');
}

function groupLine(figure, group) {
  return h('div', {}, `${group.group}: `, h('span', { class: 'number' }, told(figure.name, group.mean, group.deviation, figure.unit).value), ` (n = ${group.count})`);
}

function verdictLine(verdict) {
  return h('div', { title: verdict.reason }, `${verdict.first} and ${verdict.second}: `, h('strong', {}, verdict.verdict), verdict.p === null ? '' : `, p = ${verdict.p.toPrecision(2)}`, h('div', { class: 'method' }, verdict.reason));
}

/** A row per figure and run. */
function lines(comparison) {
  const groups = new Map(comparison.runs.map((run) => [run.run, run.group]));
  return [['figure', 'mark', 'unit', 'run', comparison.by, 'value', 'uncertainty', 'method'],
    ...comparison.figures.flatMap((figure) => figure.runs.map((each) => [figure.name, figure.mark, figure.unit, each.run, groups.get(each.run), each.value, each.uncertainty, each.method]))];
}
