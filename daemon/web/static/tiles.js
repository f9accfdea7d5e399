// The live values of a channel, large.

import { h, mark, say } from './dom.js';
import { age, amperes, ampereHours, celsius, duration, volts } from './format.js';
import { live } from './live.js';

const NAMES = ['Voltage', 'Current', 'Capacity of the step', 'Temperature', 'Step', 'Cycle', 'Time of the run', 'Read'];

/** Make them; `update` shows a channel, or nothing where it is null. */
export function tileRow() {
  const values = NAMES.map(() => h('b', {}, '–'));
  const element = h('div', { class: 'tiles' }, ...NAMES.map((name, i) => h('div', { class: 'tile-value' }, values[i], h('span', {}, name))));

  function update(now) {
    element.hidden = now === null;
    if (now === null) return;
    const { latest } = now;
    const seconds = live.age(now);
    const texts = [volts(latest.voltage), amperes(latest.current), ampereHours(latest.capacity), celsius(latest.temperature),
      now.verb ? `${now.verb} ${now.path ?? ''}` : '–', latest.cycle ?? '–', duration(latest.time), seconds === null ? '–' : `${age(seconds)} ago`];
    values.forEach((value, i) => say(value, String(texts[i])));
    mark(element, 'data-stale', live.stale(now) ? '' : null);
  }

  return { element, update };
}
