// Which channels are shown, and in which order: trouble that nobody has seen is above everything.

import { troubleOf, unseen } from './alarms.js';
import { live, stateOf } from './live.js';

const GRAVITY = ['latched', 'interrupted', 'unreachable'];
const NONE = { study: 'in no study', chamber: 'in no chamber', protocol: 'no run', cell: 'no cell' };

/** Whether a channel is in one of the states and has every word. */
export function matches(channel, { states, words }) {
  const stale = states.has('stale') && channel.state === 'running' && live.stale(channel);
  if (states.size && !stale && !states.has(stateOf(channel))) return false;
  if (!words) return true;
  const text = [channel.channel, channel.cell, channel.protocol, channel.run, channel.driver, channel.instrument, channel.core, channel.study, channel.chamber].join(' ').toLowerCase();
  return words.split(/\s+/).every((word) => text.includes(word));
}

/** Trouble first, in the order of its gravity; the rest stays where the bench file has it. */
export function alarmsFirst(channels) {
  return channels.map((channel, i) => [rank(channel), i, channel]).sort((one, other) => one[0] - other[0] || one[1] - other[1]).map(([, , channel]) => channel);
}

function rank(channel) {
  if (!troubleOf(channel)) return 2 * GRAVITY.length;
  return GRAVITY.indexOf(stateOf(channel)) + (unseen(channel) ? 0 : GRAVITY.length);
}

/** Groups by one of the facts, as pairs of name and channels; the group with trouble comes first. */
export function grouped(channels, fact) {
  if (!fact) return [[null, channels]];
  const groups = new Map();
  for (const channel of channels) {
    const name = channel[fact] ?? NONE[fact] ?? '–';
    groups.has(name) ? groups.get(name).push(channel) : groups.set(name, [channel]);
  }
  return [...groups];
}
