// What came of a study, in numbers: measured beside what the source says and what was put in, and what differs.

import { path } from './api.js';
import { h, icon } from './dom.js';
import { uncertain } from './format.js';
import { heads, panel, scroll } from './table.js';

const HEADS = ['Variant', 'Figure', 'Source', 'Measured', '', 'n', 'Put in', 'Runs'];

/** The table of each protocol; null where nothing is measured yet. */
export function outcomeTables({ lines, differences }) {
  const protocols = [...new Set(lines.map((line) => line.protocol))];
  return protocols.map((protocol) => {
    const mine = lines.filter((line) => line.protocol === protocol);
    return panel(`Outcome of ${protocol}`, '± standard error of the mean; of a single cell, its own uncertainty',
      scroll(`Figures of ${protocol}`, h('table', {}, heads(...HEADS.map((name) => name || h('span', { class: 'skip' }, 'Agrees'))), h('tbody', {}, ...mine.map((line, i) => row(line, mine[i - 1]))))),
      ...differences.filter((each) => each.protocol === protocol).map(verdict));
  });
}

function row(line, before) {
  const name = line.figure.replaceAll('_', ' ');
  const what = line.what.startsWith(name) || !line.figure ? line.what : `${name}, ${line.what}`;
  return h('tr', {},
    h('th', { scope: 'row' }, before?.variant === line.variant ? h('span', { class: 'skip' }, line.variant) : line.variant), h('td', {}, what),
    h('td', {}, line.source ?? '–'),
    h('td', { class: 'number' }, `${uncertain(line.measured.mean, line.uncertainty)} ${line.unit}`),
    h('td', {}, line.agrees === null ? '' : line.agrees ? h('span', { class: 'badge', 'data-state': 'running' }, icon('finished'), h('span', {}, 'agrees')) : h('span', { class: 'badge', 'data-state': 'failed' }, icon('unreachable'), h('span', {}, 'differs'))),
    h('td', { class: 'number' }, line.measured.count), h('td', { class: 'number' }, line.put_in === null ? '–' : line.put_in.toPrecision(4)),
    h('td', { class: 'method' }, ...line.runs.flatMap((run, i) => [i ? ' ' : '', h('a', { href: `#${path('run', run)}` }, run)])));
}

const verdict = (each) => h('p', { class: 'method' }, `${each.variants.join(' and ')}, ${each.what}: `, h('b', {}, each.verdict), `; ${each.reason}`);
