// What waits on a channel, in which order, and why it does not go on where it does not.

import { get, path, post, put, remove } from './api.js';
import { may } from './actions.js';
import { ask, doing } from './dialogs.js';
import { h } from './dom.js';
import { age } from './format.js';

/** Make the panel; hidden while nothing waits. Rows are dragged, or moved with Alt and the arrows. */
export function queuePanel(visitor, core, channel) {
  const at = `${path('channels', core, channel)}/queue`;
  const body = h('tbody');
  const head = h('header');
  const told = h('p', { class: 'skip', role: 'status' });
  const element = h('section', { class: 'panel', hidden: true, 'aria-label': 'Queue' }, head, h('table', { class: 'queue' }, body), told);
  const allowed = may(visitor, 'submit');
  let shown = -1;
  let waiting = [];
  let dragged = null;

  async function refresh() {
    const found = await get(at);
    waiting = found.waiting;
    element.hidden = waiting.length === 0;
    const { held } = found;
    head.replaceChildren(h('h2', {}, `Queue of ${channel}`), h('span', { class: held ? 'alarm' : 'quiet' }, held ? `held: ${held}` : 'the next begins when this run has finished'), allowed && waiting.length ? (held ? goOn() : hold()) : '');
    body.replaceChildren(...waiting.map(row));
  }

  /** Say that nobody knows what waits; it is asked for again with the next look. */
  function unknown(error, queued) {
    element.hidden = !queued;
    head.replaceChildren(h('h2', {}, `Queue of ${channel}`), h('span', { class: 'alarm' }, `${queued} wait${queued === 1 ? 's' : ''}; ${error.message}`));
  }

  const after = (act, words) => doing(async () => { await act(); await refresh(); }, words);
  const goOn = () => h('button', { class: 'first', onclick: () => after(() => post(`${at}/go-on`), 'The queue goes on.') }, 'Go on');
  const hold = () => h('button', { onclick: () => ask({
    title: `Hold the queue of ${channel}?`, word: 'Hold it',
    body: [h('p', {}, 'What runs goes on; nothing after it begins until somebody lets the queue go on.'), h('label', {}, 'Why', h('input', { name: 'reason', maxlength: 200 }))],
    act: async (form) => { await post(`${at}/hold`, { reason: String(form.get('reason') ?? '') }); await refresh(); },
  }) }, 'Hold …');

  function row(each, i) {
    const found = h('tr', { draggable: String(allowed && waiting.length > 1), 'data-number': each.number },
      h('td', { class: 'number' }, i + 1), h('td', {}, each.protocol), h('td', {}, each.cell), h('td', { class: 'quiet' }, `${each.who}, ${age(Date.now() / 1000 - each.since)} ago`),
      h('td', { class: 'row' }, ...(allowed ? [step(each, i, -1, '↑', 'earlier'), step(each, i, 1, '↓', 'later'), h('button', { onclick: () => after(() => remove(`${at}/${each.number}`), 'Taken out of the queue.') }, 'Take out')] : [])));
    found.addEventListener('dragstart', (event) => { dragged = each.number; event.dataTransfer.effectAllowed = 'move'; });
    found.addEventListener('dragover', (event) => { if (dragged !== null && dragged !== each.number) { event.preventDefault(); found.dataset.over = ''; } });
    found.addEventListener('dragleave', () => { delete found.dataset.over; });
    found.addEventListener('drop', (event) => { event.preventDefault(); place(dragged, i); dragged = null; });
    return found;
  }

  function step(each, i, way, sign, word) {
    return h('button', { class: 'bare', 'aria-label': `${each.protocol} on ${each.cell} ${word}`, title: `${word} (Alt and arrow)`, disabled: i + way < 0 || i + way >= waiting.length, onclick: () => place(each.number, i + way, way),
      onkeydown: (event) => { if (event.altKey && ['ArrowUp', 'ArrowDown'].includes(event.key)) { event.preventDefault(); place(each.number, i + (event.key === 'ArrowUp' ? -1 : 1), way); } } }, sign);
  }

  /** Put one at a place; the button that was used keeps the focus. */
  async function place(number, where, way = null) {
    if (where < 0 || where >= waiting.length) return;
    const order = waiting.map((each) => each.number).filter((each) => each !== number);
    order.splice(where, 0, number);
    await after(() => put(`${at}/order`, { order }));
    told.textContent = `now number ${where + 1} of ${waiting.length}`;
    const buttons = body.querySelectorAll(`tr[data-number="${number}"] button`);
    const wanted = buttons[way === 1 ? 1 : 0];
    if (way !== null) (wanted?.disabled ? buttons[way === 1 ? 0 : 1] : wanted)?.focus();
  }

  /** Look again where the number that waits, or what the channel does, has changed. */
  function update(now) {
    const mark = `${now.queued} ${now.run} ${now.state} ${now.queued ? Math.floor(Date.now() / 15000) : ''}`; // others put it in order, too
    if (mark === shown) return;
    shown = mark;
    refresh().catch((error) => { shown = -1; unknown(error, now.queued); });
  }

  return { element, update };
}
