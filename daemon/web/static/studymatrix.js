// The cells of a study as a table: a variant in each row, a replicate in each column, one table per protocol.

import { path } from './api.js';
import { badge, h, icon } from './dom.js';

/** The shape that goes with each state of a cell or a study; its word stands beside it. */
const SHAPE = {
  waiting: 'idle', asked: 'interrupted', beginning: 'running', refused: 'failed', 'left out': 'stopped', cancelled: 'stopped', replaced: 'stopped',
};
const COLOUR = { asked: 'paused', refused: 'failed', beginning: 'running' };

/** A state of a cell or of a study as word, shape and colour. */
export function studyBadge(state) {
  const made = badge(SHAPE[state] ?? state, state);
  made.dataset.state = COLOUR[state] ?? (SHAPE[state] ? 'idle' : state);
  return made;
}

/** The legend of the states there are. */
function legend(cells) {
  const counts = new Map();
  for (const cell of cells) counts.set(cell.state, (counts.get(cell.state) ?? 0) + 1);
  return h('div', { class: 'row legend' }, ...[...counts].map(([state, count]) => h('span', {}, studyBadge(state), ` ${count}`)));
}

/**
 * Make the tables of a study.
 * @param {object} study as the API tells it @param {(cell: object) => (Node|string)} doing what can be done to a cell
 */
export function matrix(study, doing) {
  const parts = study.rows.map((row) => {
    const cells = study.each.filter((cell) => cell.row === row.row);
    const replicates = Array.from({ length: row.replicates }, (_, i) => i + 1);
    const variables = Object.entries(row.variables).map(([name, value]) => `${name} = ${value}`).join(', ');
    const label = `${row.protocol}, on ${row.on}`;
    return h('section', { class: 'protocol' },
      h('h3', {}, row.protocol, h('span', { class: 'method' }, ` cell ${row.cell}, on ${row.on}${variables ? `, ${variables}` : ''}`)),
      h('div', { class: 'scroll matrix', tabindex: 0, role: 'region', 'aria-label': label },
        h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Variant'), ...replicates.map((number) => h('th', { scope: 'col' }, row.replicates > 1 ? `no. ${number}` : 'cell')))),
          h('tbody', {}, ...row.variants.map((variant) => h('tr', {}, h('th', { scope: 'row' }, variant),
            ...replicates.map((number) => square(cells.find((cell) => cell.variant === variant && cell.replicate === number), doing))))))));
  });
  return [legend(study.each), h('div', { class: 'protocols' }, ...parts)];
}

function square(cell, doing) {
  if (!cell) return h('td', {});
  const made = studyBadge(cell.state);
  const where = [cell.run ? h('a', { href: `#${path('run', cell.run)}`, title: `the run of ${cell.label}` }, cell.run) : '', cell.channel ? h('span', {}, cell.channel) : ''].filter(Boolean);
  return h('td', { class: 'square', 'data-state': made.dataset.state, title: `cell ${cell.number}: ${cell.label}${cell.reason ? `; ${cell.reason}` : ''}` },
    made, h('div', { class: 'where' }, ...where.flatMap((each, i) => (i ? [' · ', each] : [each]))),
    cell.reason && cell.state !== 'finished' ? h('div', { class: 'why' }, cell.reason) : '',
    cell.earlier.length ? h('div', { class: 'method' }, 'before: ', ...cell.earlier.flatMap((run, i) => [i ? ', ' : '', h('a', { href: `#${path('run', run)}` }, run)])) : '',
    doing(cell));
}

/** An icon beside words, for a notice. */
export const asking = () => icon('interrupted');
