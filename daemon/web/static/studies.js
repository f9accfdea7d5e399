// The studies of all cores: the latest first, and what they wait for.

import { get, path } from './api.js';
import { may } from './actions.js';
import { h, icon, say } from './dom.js';
import { moment } from './format.js';
import { studyBadge } from './studymatrix.js';
import { heads } from './table.js';

const EVERY = 4000; // milliseconds between looks at those that go on

/** Show the list; returns what ends it. */
export function studies(main, visitor) {
  const list = h('tbody', {});
  const table = h('table', { class: 'studies cards' }, heads('Study', 'State', 'Measured', 'Waits for', 'By', 'Submitted'), list);
  const empty = h('p', { class: 'empty', hidden: true }, 'No study has been submitted. A study is one protocol or more on variants of a cell, so many replicates each; the service measures them as channels come free.');
  const note = h('p', { class: 'quiet', role: 'status' }, 'One moment …');
  const troubles = h('div', { class: 'stack', role: 'alert' });
  const more = h('button', { hidden: true, onclick: () => load(next) }, 'Earlier studies');
  let next = null;
  let pages = 1;
  let timer;
  let gone = false;
  table.hidden = true;
  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, 'Studies'), h('div', { class: 'actions' }, may(visitor, 'submit') ? h('a', { class: 'button first', href: '#/study-new' }, 'New study') : '')),
    troubles, h('section', { class: 'panel', 'aria-label': 'Studies' }, note, table, empty, h('div', { class: 'row' }, more)));

  async function load(cursor) {
    try {
      const found = await get(`/studies?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      if (gone) return;
      note.hidden = true;
      const rows = found.studies.map(row);
      if (cursor) { list.append(...rows); pages += 1; } else list.replaceChildren(...rows);
      next = found.next;
      more.hidden = next === null;
      table.hidden = list.children.length === 0;
      empty.hidden = !table.hidden;
      troubles.replaceChildren(...Object.entries(found.trouble).map(([core, why]) => h('div', { class: 'notice grave' }, icon('unreachable'), h('p', {}, `Core ${core} does not answer; its studies are not shown. ${why}`))));
    } catch (error) {
      note.hidden = false;
      say(note, error.message);
    }
    if (!gone && pages === 1) timer = setTimeout(() => load(null), EVERY);
  }

  load(null);
  return () => { gone = true; clearTimeout(timer); };
}

function row(study) {
  const waits = [study.asks ? `${study.asks} to be put on a channel` : '', study.wrong ? `${study.wrong} that went wrong` : ''].filter(Boolean).join(', ');
  return h('tr', {},
    h('td', {}, h('a', { href: `#${path('study', study.study)}` }, study.title), h('div', { class: 'method' }, study.study)),
    h('td', {}, studyBadge(study.state)),
    h('td', {}, h('progress', { max: study.cells, value: study.over, 'aria-label': `${study.over} of ${study.cells} cells are over` }), ` ${study.over} of ${study.cells}`),
    h('td', { class: waits ? 'asks' : 'quiet' }, waits || '–'), h('td', {}, study.who), h('td', {}, moment(study.submitted)));
}
