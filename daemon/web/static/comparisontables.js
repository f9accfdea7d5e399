// The figures of several runs in one table: by run, by group with mean and spread, and what the two differ by.

import { h } from './dom.js';
import { figure as told } from './format.js';

/** The table of a comparison. */
export function comparisonTables(comparison) {
  if (!comparison.figures.length) return h('p', { class: 'quiet' }, 'None of these runs has a figure of merit yet.');
  const several = comparison.figures.some((figure) => figure.groups.some((group) => group.count > 1));
  const heads = ['Figure', 'Unit', ...(several ? ['Groups: mean ± standard deviation', 'Verdict'] : []), ...comparison.runs.map((run) => run.run)];
  const rows = comparison.figures.map((figure) => h('tr', {},
    h('th', { scope: 'row' }, figure.name.replaceAll('_', ' '), figure.mark ? h('div', { class: 'method' }, figure.mark) : ''), h('td', {}, told(figure.name, null, null, figure.unit).unit),
    ...(several ? [h('td', { class: 'said' }, ...figure.groups.filter((group) => group.count > 1).map((group) => groupLine(figure, group))), h('td', { class: 'said' }, ...figure.verdicts.map(verdictLine))] : []),
    ...comparison.runs.map((run) => valueOf(figure, run.run))));
  const csv = h('button', { class: 'bare', onclick: () => save(comparison) }, 'CSV');
  return h('section', { class: 'panel', 'aria-label': 'Figures of merit' }, h('header', {}, h('h2', {}, 'Figures of merit'), h('span', { class: 'basis' }, '± one standard uncertainty; groups: ± standard deviation (n − 1), Welch’s t test at 95 %'), csv),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Figures of merit' }, h('table', {}, h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))), h('tbody', {}, ...rows))));
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

function save(comparison) {
  const text = (value) => `"${String(value).replace(/^[=+\-@]/, "'$&").replaceAll('"', '""')}"`;
  const lines = [['figure', 'mark', 'unit', 'run', comparison.by, 'value', 'uncertainty', 'method'].join(',')];
  for (const figure of comparison.figures) {
    for (const each of figure.runs) {
      const group = comparison.runs.find((run) => run.run === each.run).group;
      lines.push([text(figure.name), text(figure.mark ?? ''), text(figure.unit), text(each.run), text(group), each.value, each.uncertainty ?? '', text(each.method)].join(','));
    }
  }
  const link = h('a', { href: URL.createObjectURL(new Blob([lines.join('\r\n') + '\r\n'], { type: 'text/csv' })), download: 'comparison.csv' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
