// One channel on the bench: its state, its values, what it does and how far it is.

import { path } from './api.js';
import { drawn, h, mark, say, shape } from './dom.js';
import { age, ahead, amperes, ampereHours, celsius, duration, setting, volts } from './format.js';
import { live, stateOf } from './live.js';
import { troubleOf } from './alarms.js';

const PARTS = ['volts', 'amperes', 'capacity', 'temperature', 'cell', 'doing', 'protocol', 'why', 'end', 'age'];
const WAITS = ['paused', 'interrupted'];
const LEAST_VOLTS = 0.01; // that a curve is high
const MOLD = mold();

/** Cast once and cloned: a bench may have a thousand. */
function mold() {
  const badge = h('span', { class: 'badge' });
  const svg = drawn('svg', { viewBox: '0 0 12 12', class: 'icon', 'aria-hidden': 'true' });
  svg.append(drawn('path', { 'fill-rule': 'evenodd' }));
  badge.append(svg, h('span', {}));
  const spark = drawn('svg', { viewBox: '0 0 100 24', class: 'spark', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  spark.append(drawn('path', { d: '', 'vector-effect': 'non-scaling-stroke' }));
  return h('li', { class: 'tile' }, h('a', { class: 'channel', tabindex: -1 },
    h('strong', {}), badge, ...PARTS.map((name) => h('span', { class: name })), h('span', { class: 'progress' }, h('span', {})), spark));
}

/**
 * Make it; `update` says whether its place among the others may have changed. While nobody can see it
 * (`visible`), values that change are left for when somebody does.
 */
export function tile(channel) {
  const element = /** @type {HTMLElement} */ (MOLD.cloneNode(true));
  const link = element.firstElementChild;
  const [name, badge, ...rest] = link.children;
  const part = Object.fromEntries(PARTS.map((each, i) => [each, rest[i]]));
  const [bar, spark] = rest.slice(PARTS.length);
  const outline = badge.querySelector('path');
  const word = badge.lastElementChild;
  let place = '';
  let width = '';
  let visible = false;
  link.setAttribute('href', `#${path('channel', channel.core, channel.channel)}`);
  link.dataset.key = channel.key;
  say(name, channel.channel);
  mark(name, 'title', channel.channel);

  function update(now) {
    const state = stateOf(now);
    const trouble = troubleOf(now);
    const before = place;
    place = `${state} ${now.acknowledged} ${now.study} ${now.cell} ${now.protocol}`;
    if (place !== before) {
      link.dataset.state = badge.dataset.state = state;
      mark(outline, 'd', shape(state));
      mark(link, 'data-seen', trouble && now.acknowledged ? '' : null);
      mark(link, 'aria-label', [now.channel, state, now.cell].filter(Boolean).join(', '));
      mark(link, 'title', trouble ?? now.protocol);
    }
    say(word, state);
    if (visible || place !== before) {
      shown(now, trouble);
      aged(now);
    }
    return place !== before;
  }

  function shown(now, trouble) {
    const { latest } = now;
    const empty = now.run === null && !now.latch;
    say(part.volts, empty ? '–' : volts(latest.voltage));
    say(part.amperes, empty ? '' : amperes(latest.current));
    say(part.capacity, empty ? '' : ampereHours(latest.capacity));
    say(part.temperature, empty || latest.temperature === null || latest.temperature === undefined ? '' : celsius(latest.temperature));
    say(part.cell, now.cell ?? 'no cell');
    say(part.protocol, [now.protocol, now.queued ? `${now.queued} queued` : ''].filter(Boolean).join(' · '));
    say(part.doing, doing(now));
    say(part.why, trouble ? (now.acknowledged ? `${trouble} (seen by ${now.acknowledged.split(' by ')[0]})` : trouble) : '');
    const done = progress(now);
    bar.toggleAttribute('data-none', done === null);
    const wide = done === null ? '' : `${(done * 100).toFixed(1)}%`;
    if (wide !== width) bar.style.setProperty('--done', width = wide);
    say(part.end, end(now, done));
  }

  function aged(now) {
    const seconds = now.run === null ? null : live.age(now);
    say(part.age, seconds === null ? '' : age(seconds));
    link.toggleAttribute('data-stale', live.stale(now));
    link.toggleAttribute('data-waits', WAITS.includes(now.state));
  }

  /** Say whether it can be seen; what was left until now is then shown. */
  function seen(now, can) {
    visible = can;
    if (can && now) update(now);
  }

  /** Draw the last hour. */
  function draw(points) {
    mark(spark.firstElementChild, 'd', curve(points));
  }

  update(channel);
  return { element, link, update, aged, draw, seen, get visible() { return visible; } };
}

/** How much of its time a run has behind it, 0 to 1; null where nobody can tell. */
export function progress(channel) {
  if (!channel.run || !channel.expected || channel.latest.time === null || channel.latest.time === undefined) return null;
  return Math.min(1, channel.latest.time / channel.expected);
}

function doing(channel) {
  if (!channel.run && channel.wanted) return channel.wanted; // what a person is asked to do there
  if (!channel.run) return channel.instrument === channel.channel ? channel.driver : channel.instrument;
  if (WAITS.includes(channel.state)) return 'waits, circuit open';
  const cycle = channel.latest.cycle ? `cycle ${channel.latest.cycle} · ` : '';
  return channel.verb ? `${cycle}${channel.verb} ${setting(channel.setting)}` : 'begins';
}

/** How far, and when it will be over: what is thought, so never to the minute for long runs. */
function end(channel, done) {
  if (!channel.run) return channel.last_run ?? '';
  if (done === null) return duration(channel.latest.time);
  const left = channel.expected - channel.latest.time;
  const when = channel.state !== 'running' || channel.speed === null ? '' : left > 0 ? ` · ends ${ahead(left / channel.speed)}` : ' · overdue';
  return `${Math.floor(done * 100)} %${when}`;
}

/** A line through what there is against its time, its lowest at the bottom and its highest at the top. */
function curve(points) {
  const there = points.filter(([, volts]) => volts !== null);
  if (there.length < 2) return '';
  const all = there.map(([, volts]) => volts);
  const [lowest, highest] = [Math.min(...all), Math.max(...all)];
  const span = Math.max(highest - lowest, LEAST_VOLTS); // noise is flat
  const low = (highest + lowest - span) / 2;
  const [first, last] = [points[0][0], points.at(-1)[0]];
  let pen = 'M';
  return points.map(([time, volts]) => {
    if (volts === null) { pen = 'M'; return ''; }
    const point = `${pen}${(((time - first) / (last - first)) * 100).toFixed(1)} ${(22 - ((volts - low) / span) * 20).toFixed(1)}`;
    pen = 'L';
    return point;
  }).join('');
}
