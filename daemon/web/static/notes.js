// What people wrote beside a run; whoever may submit adds to it. All of it is text.

import { may } from './actions.js';
import { get, path, post, remove } from './api.js';
import { doing } from './dialogs.js';
import { h } from './dom.js';
import { duration, moment } from './format.js';

/** The panel of a run's notes; `changed` is told of a new one. */
export function notes(run, visitor, changed) {
  const writes = may(visitor, 'submit');
  const list = h('ul', { class: 'notes' });
  const text = h('textarea', { 'aria-label': 'A note on this run', rows: 2, maxlength: 2000, placeholder: 'What somebody should know of this run …' });
  const at = h('input', { 'aria-label': 'Moment of the run, in hours; empty for all of it', placeholder: 'at hour …', inputmode: 'decimal', size: 9 });
  const form = h('form', { class: 'note-form', onsubmit: (event) => { event.preventDefault(); add(); } }, text, h('div', { class: 'row' }, at, h('button', { type: 'submit' }, 'Add note')));
  const element = h('section', { class: 'panel noted', 'aria-label': 'Notes', hidden: !writes }, h('header', {}, h('h2', {}, 'Notes'), h('span', { class: 'basis' }, 'kept with the run and your name')), list, writes ? form : '');

  async function add() {
    const hours = at.value.trim().replace(',', '.');
    if (hours !== '' && !(Number(hours) >= 0)) { at.setCustomValidity('wanted hours since the run began, such as 12.5, or nothing'); at.reportValidity(); return; }
    if (!text.value.trim()) return;
    await doing(async () => {
      await post(`${path('runs', run)}/notes`, { text: text.value, time: hours === '' ? null : Number(hours) * 3600 });
      text.value = at.value = '';
      await refresh();
      changed();
    }, 'Noted.');
  }

  at.addEventListener('input', () => at.setCustomValidity(''));
  text.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) add(); });

  async function refresh() {
    let found;
    try {
      found = await get(`${path('runs', run)}/notes`);
    } catch (error) {
      element.hidden = false;
      list.replaceChildren(h('li', {}, `The notes could not be read: ${error.message}`));
      return;
    }
    element.hidden = !writes && !found.length;
    list.replaceChildren(...found.map((note) => h('li', { class: note.withdrawn_by ? 'withdrawn' : '' },
      h('p', {}, note.text),
      h('div', { class: 'method' }, [note.author, moment(note.made), note.time === null ? '' : `at ${duration(note.time)} of the run`, note.withdrawn_by ? `withdrawn by ${note.withdrawn_by}` : ''].filter(Boolean).join(' · '),
        writes && !note.withdrawn_by ? h('button', { class: 'bare', onclick: () => doing(async () => { await remove(`${path('runs', run)}/notes/${note.note}`); await refresh(); changed(); }, 'Withdrawn; it stays readable.') }, 'Withdraw') : ''))));
  }

  return { element, refresh, about: (seconds) => { at.value = String(+(seconds / 3600).toFixed(4)); } };
}
