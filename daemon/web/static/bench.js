// The bench: every channel as a cell of a grid, trouble first.

import { badge, h, icon, mark, say } from './dom.js';
import { age, amperes, ampereHours, volts } from './format.js';
import { live, stateOf } from './live.js';

const ORDER = ['latched', 'failed', 'unreachable', 'interrupted', 'paused', 'running', 'idle'];
const ALARMS = new Set(['latched', 'failed', 'unreachable', 'interrupted']);
const DENSE = 200; // channels beyond which a cell is smaller

const filter = { states: new Set(), words: '' };

/** Show the bench in `main`; returns what ends it. */
export function bench(main) {
  const cells = new Map();
  const grid = h('ul', { class: 'bench', 'aria-label': 'Channels' });
  const empty = h('p', { class: 'empty', hidden: true }, 'No channel is like that.');
  const chips = h('div', { class: 'row', role: 'group', 'aria-label': 'Show only' });
  const troubles = h('div', { class: 'stack', role: 'alert' });
  const search = h('input', {
    type: 'search', placeholder: 'Channel, cell, protocol …', 'aria-label': 'Search the bench', value: filter.words,
    oninput: () => { filter.words = search.value.toLowerCase(); arrange(); },
  });
  main.replaceChildren(
    h('h1', { class: 'filters' }, 'Bench'), troubles,
    h('div', { class: 'filters' }, search, chips,
      h('span', { class: 'keys' }, h('kbd', {}, '/'), ' search  ', h('kbd', {}, '←↑↓→'), ' move  ', h('kbd', {}, 'Enter'), ' open')),
    grid, empty);

  function arrange() {
    const shown = live.channels.filter(wanted).sort(before);
    grid.toggleAttribute('data-dense', live.channels.length > DENSE);
    const elements = shown.map((channel) => cellOf(channel).element);
    if (elements.length !== grid.children.length || elements.some((element, i) => element !== grid.children[i])) {
      const focused = grid.contains(document.activeElement) ? document.activeElement : null;
      grid.replaceChildren(...elements);
      focused?.focus();
    }
    roving(grid);
    empty.hidden = shown.length > 0 || live.channels.length === 0;
    chips.replaceChildren(...ORDER.map(chip).filter(Boolean));
    const silent = live.cores.filter((core) => core.trouble);
    troubles.replaceChildren(...silent.map((core) => h('div', { class: 'notice grave' },
      icon('unreachable'), h('p', {}, `Core ${core.core} does not answer; its channels are shown as last seen.`))));
  }

  function cellOf(channel) {
    if (!cells.has(channel.key)) cells.set(channel.key, cell(channel));
    return cells.get(channel.key);
  }

  function chip(state) {
    const count = live.channels.filter((channel) => stateOf(channel) === state).length;
    if (!count && !filter.states.has(state)) return null;
    return h('button', {
      class: 'chip', 'aria-pressed': filter.states.has(state),
      onclick: () => { filter.states.has(state) ? filter.states.delete(state) : filter.states.add(state); arrange(); },
    }, badge(state), String(count));
  }

  function refresh(event) {
    const changed = event?.detail ?? null;
    let moved = changed === null;
    for (const channel of live.channels) {
      if (changed && !changed.has(channel.key)) continue;
      moved = cellOf(channel).update(channel) || moved;
    }
    if (moved) arrange();
  }

  function tick() {
    for (const channel of live.channels) cells.get(channel.key)?.aged(channel);
  }

  function keys(event) {
    if (event.key === '/' && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName ?? '')) {
      event.preventDefault();
      search.focus();
    } else if (event.key === 'Escape' && document.activeElement === search) {
      search.value = filter.words = '';
      arrange();
    } else if (event.key.startsWith('Arrow') && grid.contains(document.activeElement)) {
      event.preventDefault();
      move(grid, event.key);
    }
  }

  live.addEventListener('change', refresh);
  live.addEventListener('link', tick);
  document.addEventListener('keydown', keys);
  const timer = setInterval(tick, 1000);
  refresh();
  return () => {
    live.removeEventListener('change', refresh);
    live.removeEventListener('link', tick);
    document.removeEventListener('keydown', keys);
    clearInterval(timer);
  };
}

function wanted(channel) {
  if (filter.states.size && !filter.states.has(stateOf(channel))) return false;
  const text = [channel.channel, channel.cell, channel.protocol, channel.run, channel.driver, channel.core].join(' ').toLowerCase();
  return filter.words.split(/\s+/).every((word) => text.includes(word));
}

/** Trouble first, in the order of its gravity; the rest stays where the bench file has it. */
function before(one, other) {
  const rank = (channel) => (ALARMS.has(stateOf(channel)) ? ORDER.indexOf(stateOf(channel)) : ORDER.length);
  return rank(one) - rank(other) || live.channels.indexOf(one) - live.channels.indexOf(other);
}

/** One channel; `update` says whether its place among the others may have changed. */
function cell(channel) {
  const part = (name) => h('span', { class: name });
  const parts = Object.fromEntries(['volts', 'amperes', 'cell', 'doing', 'why', 'capacity', 'age'].map((name) => [name, part(name)]));
  const word = h('span', {});
  const shape = h('span', { class: 'badge' }, icon('idle'), word);
  const link = h('a', { class: 'channel', href: `#/channel/${encodeURIComponent(channel.core)}/${encodeURIComponent(channel.channel)}`, tabindex: -1 },
    h('span', { class: 'head' }, h('strong', { title: channel.channel }, channel.channel), shape),
    h('span', { class: 'values' }, parts.volts, parts.amperes),
    parts.cell, parts.doing, parts.why,
    h('span', { class: 'foot' }, parts.capacity, parts.age));
  let state = '';

  function update(now) {
    const moved = stateOf(now) !== state;
    if (moved) {
      state = stateOf(now);
      link.dataset.state = state;
      shape.replaceChildren(icon(state), word);
      shape.dataset.state = state;
    }
    const idle = now.run === null && !now.latch;
    say(word, state);
    say(parts.volts, idle ? '–' : volts(now.latest.voltage));
    say(parts.amperes, idle ? '' : amperes(now.latest.current));
    say(parts.cell, now.cell ?? 'no cell');
    say(parts.doing, doing(now));
    say(parts.why, now.latch ?? now.trouble ?? '');
    parts.why.hidden = !(now.latch ?? now.trouble);
    parts.doing.hidden = !parts.why.hidden;
    say(parts.capacity, idle ? now.driver : ampereHours(now.latest.capacity));
    mark(link, 'title', now.latch ?? now.trouble ?? now.protocol);
    aged(now);
    return moved;
  }

  function aged(now) {
    const seconds = now.run === null ? null : live.age(now);
    say(parts.age, seconds === null ? (now.queued ? `${now.queued} queued` : '') : age(seconds));
    link.toggleAttribute('data-stale', live.stale(now));
    link.toggleAttribute('data-waits', now.state === 'paused' || now.state === 'interrupted');
  }

  update(channel);
  return { element: h('li', {}, link), update, aged };
}

function doing(channel) {
  if (!channel.run) return channel.wanted ?? 'ready';
  if (channel.state === 'interrupted' || channel.state === 'paused') return 'waits, circuit open';
  const cycle = channel.latest.cycle ? `cycle ${channel.latest.cycle} · ` : '';
  return channel.verb ? `${cycle}${channel.verb} ${channel.setting ?? ''}` : 'begins';
}

/** One channel can be reached by Tab, the others by the arrows. */
function roving(grid) {
  const links = [...grid.querySelectorAll('a')];
  if (links.length && !links.some((link) => link.tabIndex === 0)) links[0].tabIndex = 0;
}

function move(grid, key) {
  const links = [...grid.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  const across = links.filter((link) => link.getBoundingClientRect().top === links[0].getBoundingClientRect().top).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[key];
  const next = links[Math.min(links.length - 1, Math.max(0, at + step))];
  links[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
