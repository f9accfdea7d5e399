// What somebody should see to, on every page: said once aloud, then quietly until it is over.

import { path, post } from './api.js';
import { may } from './actions.js';
import { ask, doing } from './dialogs.js';
import { badge, h } from './dom.js';
import { moment } from './format.js';
import { live, stateOf } from './live.js';
import { alert } from './notify.js';

const MOST = 2; // told one by one; of more, how many
const ALARMS = ['latched', 'unreachable', 'interrupted'];

/** What is wrong with a channel, in words; null where nothing is. */
export function troubleOf(channel) {
  const state = stateOf(channel);
  if (!ALARMS.includes(state)) return null;
  return channel.latch ?? (state === 'interrupted' ? channel.why : channel.trouble) ?? state;
}

/** Whether somebody has still to look. */
export const unseen = (channel) => troubleOf(channel) !== null && !channel.acknowledged;

/** The strip below the bar, and the title and icon of the page. */
export function alarmStrip(element) {
  let visitor = null;
  let shown = '';
  let name = 'Bench';
  let known = null;

  function refresh() {
    const silent = live.cores.filter((core) => core.trouble);
    const open = live.channels.filter(unseen);
    title(open.length + silent.length);
    const key = JSON.stringify([silent, open.map((channel) => [channel.key, troubleOf(channel), channel.since])]);
    if (key === shown) return;
    shown = key;
    announce(open, silent);
    element.hidden = !open.length && !silent.length;
    element.replaceChildren(...silent.map(ofCore), ...open.slice(0, MOST).map(ofChannel), open.length > MOST ? rest(open) : '');
  }

  function ofCore(core) {
    return h('div', { class: 'alarm-line' }, badge('unreachable', `core ${core.core}`), h('span', { class: 'what' }, 'does not answer; its channels are shown as last seen. Programmed instruments go on by themselves.'));
  }

  function rest(open) {
    return h('div', { class: 'alarm-line' }, h('span', { class: 'what' }, `and ${open.length - MOST} more, `, h('a', { href: '#/' }, 'first on the bench')),
      visitor && may(visitor, 'control') ? h('button', { class: 'small', onclick: () => acknowledgeAll(live.channels.filter(unseen)) }, 'Acknowledge all …') : '');
  }

  function ofChannel(channel) {
    const since = channel.since ? ` · since ${moment(channel.since)}` : '';
    return h('div', { class: 'alarm-line' },
      badge(stateOf(channel)), h('a', { href: `#${path('channel', channel.core, channel.channel)}` }, channel.channel),
      h('span', { class: 'what' }, `${troubleOf(channel)}${since}`),
      visitor && may(visitor, 'control') ? h('button', { class: 'small', 'aria-label': `Acknowledge ${channel.channel}`, onclick: () => acknowledge(channel) }, 'Acknowledge') : '');
  }

  /** Call for somebody when there is trouble that was not there before. */
  function announce(open, silent) {
    const now = new Map([...open.map((channel) => [channel.key, `${channel.channel}: ${troubleOf(channel)}`]), ...silent.map((core) => [core.core, `core ${core.core} does not answer`])]);
    if (known) for (const [key, words] of now) if (!known.has(key)) alert(words);
    if (live.channels.length) known = new Set(now.keys());
  }

  function title(count) {
    const words = `${count ? `(${count}) ` : ''}${live.link === 'lost' ? 'DISCONNECTED · ' : ''}${name} · galvanod`;
    if (document.title !== words) document.title = words;
    const icon = document.querySelector('link[rel=icon]');
    const file = count || live.link === 'lost' ? '/static/icon-alarm.svg' : '/static/icon.svg';
    if (icon && icon.getAttribute('href') !== file) icon.setAttribute('href', file);
  }

  return {
    start(who) {
      visitor = who;
      live.addEventListener('change', refresh);
      live.addEventListener('link', refresh);
    },
    stop() {
      live.removeEventListener('change', refresh);
      live.removeEventListener('link', refresh);
      element.hidden = true;
      shown = '';
      name = 'Log in';
      title(0);
    },
    named(page) {
      name = page;
      refresh();
    },
  };
}

function acknowledgeAll(channels) {
  ask({
    title: `Have you seen all ${channels.length}?`, word: 'Acknowledge all',
    body: [
      h('p', {}, 'Acknowledging clears nothing: circuits that are open stay open. Everybody sees that you have seen it.'),
      h('div', { class: 'scroll short', tabindex: 0, role: 'region', 'aria-label': 'Channels' }, h('table', {}, h('tbody', {}, ...channels.map((channel) => h('tr', {}, h('td', {}, channel.channel), h('td', {}, badge(stateOf(channel))), h('td', {}, troubleOf(channel))))))),
    ],
    act: async () => { for (const channel of channels) await post(`${path('channels', channel.core, channel.channel)}/acknowledge`).catch(unlessOver); },
  });
}

/** What is over meanwhile needs no acknowledging. */
function unlessOver(error) {
  if (![404, 409].includes(error.status)) throw error;
}

/** Say that one has seen what is wrong with a channel. */
const acknowledge = (channel) => doing(
  () => post(`${path('channels', channel.core, channel.channel)}/acknowledge`), `Acknowledged: ${channel.channel}. It is not cleared by that.`);
