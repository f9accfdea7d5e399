// SAFE ALL: a second of holding opens every circuit, and each instrument says whether it has.

import { post } from './api.js';
import { tell } from './dialogs.js';
import { badge, h } from './dom.js';
import { hold } from './hold.js';
import { heads, scroll } from './table.js';

/** Make the button. It is never disabled: what cannot be reached says so. */
export const safeAll = () => hold('SAFE ALL', 'hold for a second to open every circuit', openAll);

async function openAll() {
  const body = h('div', { class: 'stack', role: 'status' }, h('p', {}, 'Every instrument is told to open its circuit and to confirm it; 15 seconds at most.'), h('progress', { 'aria-label': 'Opening' }));
  const dialog = tell('Opening every circuit …', body);
  try {
    const found = await post('/safe', { everything: true });
    dialog.say(found.safe ? 'Every circuit is open' : 'NOT every circuit is confirmed open', ...outcome(found));
  } catch (error) {
    dialog.say('NOTHING IS CONFIRMED', h('p', { class: 'alarm' }, error.message), h('p', {}, 'Run ', h('code', {}, 'galvanod safe'), ' on the computer of the core, or open the circuits by hand.'));
  }
}

function outcome(found) {
  const open = found.channels.filter((each) => each.off);
  const not = found.channels.filter((each) => !each.off);
  const rows = [...not, ...open].map((each) => h('tr', {},
    h('td', {}, each.channel), h('td', {}, badge(each.off ? 'finished' : 'failed', each.off ? 'open' : 'not confirmed')), h('td', { class: 'quiet' }, each.told)));
  return [
    not.length ? h('p', { class: 'alarm' }, h('strong', {}, `${not.length} not confirmed.`), ' Go to these instruments and open them by hand.') : h('p', {}, `${open.length} channels confirmed it. Their runs have ended as stopped; what was read is kept.`),
    not.length && open.length ? h('p', { class: 'quiet' }, `${open.length} channels confirmed it.`) : '',
    scroll('Channels', h('table', {}, heads('Channel', 'Circuit', 'Told'), h('tbody', {}, ...rows))),
  ];
}
