// What waits on a channel, and why it does not go on where it does not.

import { get, path, post, remove } from './api.js';
import { may } from './actions.js';
import { doing } from './dialogs.js';
import { h } from './dom.js';
import { age } from './format.js';

/** Make the panel; hidden while nothing waits. */
export function queuePanel(visitor, core, channel) {
  const at = `${path('channels', core, channel)}/queue`;
  const element = h('section', { class: 'panel', hidden: true, 'aria-label': 'Queue' });
  let shown = -1;

  async function refresh() {
    const { held, waiting } = await get(at);
    element.hidden = waiting.length === 0;
    element.replaceChildren(
      h('header', {}, h('h2', {}, `Queue of ${channel}`), h('span', { class: held ? 'alarm' : 'quiet' }, held ? `held: ${held}` : 'the next begins when this run has finished'),
        held && may(visitor, 'submit') ? h('button', { class: 'first', onclick: () => doing(async () => { await post(`${at}/go-on`); await refresh(); }, 'The queue goes on.') }, 'Go on') : ''),
      h('table', {}, h('tbody', {}, ...waiting.map((each, i) => h('tr', {}, h('td', { class: 'number' }, i + 1), h('td', {}, each.protocol), h('td', {}, each.cell), h('td', { class: 'quiet' }, `${each.who}, ${age(Date.now() / 1000 - each.since)} ago`),
        h('td', {}, may(visitor, 'submit') ? h('button', { onclick: () => doing(async () => { await remove(`${at}/${each.number}`); await refresh(); }, 'Taken out of the queue.') }, 'Take out') : ''))))));
  }

  /** Look again where the number that waits, or what the channel does, has changed. */
  function update(now) {
    const mark = `${now.queued} ${now.run} ${now.state}`;
    if (mark === shown) return;
    shown = mark;
    refresh().catch(() => { shown = -1; });
  }

  return { element, update };
}
