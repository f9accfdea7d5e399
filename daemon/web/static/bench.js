// The bench: every channel as a cell of a grid, trouble first.

import { alarmsFirst, grouped, matches } from './order.js';
import { askToStop, may } from './actions.js';
import { badge, h, mark, say } from './dom.js';
import { lastHour } from './lasthour.js';
import { live, stateOf } from './live.js';
import { askMany } from './many.js';
import { tile } from './tile.js';

const STATES = ['latched', 'unreachable', 'interrupted', 'stale', 'failed', 'paused', 'running', 'finished', 'stopped', 'idle'];
const GROUPS = [['', 'no groups'], ['instrument', 'by instrument'], ['study', 'by study'], ['chamber', 'by chamber'], ['protocol', 'by protocol'], ['cell', 'by cell'], ['core', 'by core']];
const SHAPES = [['cards', 'Cards'], ['compact', 'Compact'], ['list', 'List']];
const LARGE = 200; // channels from which cells are compact unless somebody wants them otherwise
const HEADS = ['Channel', 'State', 'Voltage', 'Current', 'Capacity', 'Temp.', 'Cell', 'Step', 'Protocol', 'Progress', 'Age'];

const filter = { states: new Set(), words: '' };
const kept = (name, otherwise) => localStorage.getItem(`bench-${name}`) ?? otherwise;
const keep = (name, value) => localStorage.setItem(`bench-${name}`, value);

/** Show the bench in `main`; returns what ends it. */
export function bench(main, visitor) {
  const tiles = new Map();
  const chosen = new Set();
  let choosing = false;
  let group = kept('group', '');
  let staleness = '';
  const waiting = new Set(); // keys of channels that changed since the last frame
  let anew = true;
  let frame = null;
  const grid = h('ul', { class: 'bench', 'aria-label': 'Channels' });
  const empty = h('p', { class: 'empty', hidden: true });
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Show only' });
  const count = h('span', { class: 'quiet count', role: 'status' });
  const search = h('input', {
    type: 'search', placeholder: 'Filter: channel, cell, protocol …', 'aria-label': 'Filter the bench', value: filter.words,
    oninput: () => { filter.words = search.value.toLowerCase(); arrange(); },
  });
  const groups = h('select', { 'aria-label': 'Groups', onchange: () => { group = groups.value; keep('group', group); arrange(); } },
    ...GROUPS.map(([value, word]) => h('option', { value, selected: value === group }, word)));
  const shapes = h('div', { class: 'segments', role: 'group', 'aria-label': 'Density' }, ...SHAPES.map(([value, word]) => h('button', { 'data-value': value, onclick: () => { keep('shape', value); arrange(); } }, word)));
  const choose = h('button', { 'aria-pressed': 'false', onclick: () => setChoosing(!choosing) }, 'Select');
  const bulk = bulkBar(() => [...chosen].map((key) => live.byKey.get(key)).filter(Boolean), () => setChoosing(false));
  const hour = lastHour(draw);
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const { key } = target.firstElementChild.dataset;
      tiles.get(key)?.seen(live.byKey.get(key), isIntersecting);
    }
  }, { rootMargin: '200px' });
  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, 'Bench'), count, h('div', { class: 'actions' }, groups, shapes, may(visitor, 'control') ? choose : '')),
    h('div', { class: 'filters' }, search, chips), grid, empty, bulk.element);

  function arrange() {
    const channels = live.channels;
    const shape = kept('shape', channels.length > LARGE ? 'compact' : 'cards');
    mark(grid, 'data-shape', shape);
    for (const button of shapes.children) mark(button, 'aria-pressed', String(button.dataset.value === shape));
    const shown = alarmsFirst(channels.filter((channel) => matches(channel, filter)));
    const elements = grouped(shown, group).flatMap(([name, members]) => [name === null ? null : heading(name, members), ...members.map((channel) => tileOf(channel).element)]).filter(Boolean);
    if (shape === 'list') elements.unshift(heads);
    if (elements.length !== grid.children.length || elements.some((element, i) => element !== grid.children[i])) {
      const focused = grid.contains(document.activeElement) ? document.activeElement : null;
      grid.replaceChildren(...elements);
      focused?.focus();
    }
    roving(grid);
    empty.hidden = shown.length > 0;
    say(empty, channels.length ? 'No channel is like that.' : live.link === 'live' ? 'This bench has no channels yet: name instruments in the bench file.' : 'Waiting for the cores …');
    say(count, shown.length === channels.length ? `${channels.length} channels` : `${shown.length} of ${channels.length} channels`);
    countStates();
    draw();
  }

  function countStates() {
    const counts = new Map();
    for (const channel of live.channels) {
      counts.set(stateOf(channel), (counts.get(stateOf(channel)) ?? 0) + 1);
      if (channel.state === 'running' && live.stale(channel)) counts.set('stale', (counts.get('stale') ?? 0) + 1);
    }
    const key = STATES.map((state) => `${counts.get(state) ?? 0}${filter.states.has(state)}`).join();
    if (chips.dataset.key === key) return;
    chips.dataset.key = key;
    const focused = chips.contains(document.activeElement) ? document.activeElement.dataset.state : null;
    chips.replaceChildren(...STATES.filter((state) => counts.has(state) || filter.states.has(state)).map((state) => h('button', {
      class: 'chip', 'data-state': state, 'aria-pressed': String(filter.states.has(state)),
      onclick: () => { filter.states.has(state) ? filter.states.delete(state) : filter.states.add(state); arrange(); },
    }, badge(state), h('span', { class: 'many' }, counts.get(state) ?? 0))),
    filter.states.size || filter.words ? h('button', { class: 'bare', onclick: reset }, 'Show all') : '');
    if (focused) chips.querySelector(`[data-state="${focused}"]`)?.focus();
  }

  function reset() {
    filter.states.clear();
    search.value = filter.words = '';
    arrange();
    search.focus();
  }

  function tileOf(channel) {
    if (!tiles.has(channel.key)) {
      tiles.set(channel.key, tile(channel));
      watch.observe(tiles.get(channel.key).element);
    }
    return tiles.get(channel.key);
  }

  /** Put what changed into the next frame; a page in the background has none, and does nothing until it is looked at. */
  function refresh(event) {
    const { detail } = event;
    if (detail) for (const key of detail) waiting.add(key);
    else anew = true;
    frame ??= requestAnimationFrame(update);
  }

  function update() {
    frame = null;
    let moved = anew;
    for (const channel of live.channels) {
      if (anew || waiting.has(channel.key)) moved = tileOf(channel).update(channel) || moved;
    }
    anew = false;
    waiting.clear();
    if (moved) arrange();
    bulk.update();
  }

  function tick() {
    if (document.hidden) return;
    for (const channel of live.channels) if (tiles.get(channel.key)?.visible) tiles.get(channel.key).aged(channel);
    const now = live.channels.filter((channel) => live.stale(channel)).map((channel) => channel.key).join();
    if (now !== staleness) filter.states.has('stale') ? arrange() : countStates();
    staleness = now;
  }

  function draw() {
    if (grid.dataset.shape !== 'cards' || live.channels.length > LARGE) return;
    for (const channel of live.channels) tiles.get(channel.key)?.draw(hour.of(channel.key));
  }

  function setChoosing(on) {
    choosing = on;
    mark(choose, 'aria-pressed', String(on));
    mark(grid, 'data-choosing', on ? '' : null);
    if (!on) chosen.clear();
    for (const { link } of tiles.values()) mark(link, 'data-chosen', null);
    bulk.update();
  }

  function toggle(link) {
    const { key } = link.dataset;
    if (!choosing) setChoosing(true);
    chosen.has(key) ? chosen.delete(key) : chosen.add(key);
    mark(link, 'data-chosen', chosen.has(key) ? '' : null);
    bulk.update();
  }

  function clicked(event) {
    const link = event.target.closest?.('a.channel');
    if (!link || !(choosing || event.shiftKey || event.ctrlKey || event.metaKey) || !may(visitor, 'control')) return;
    event.preventDefault();
    toggle(link);
  }

  function keys(event) {
    const typing = /INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName ?? '');
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') {
      if (document.activeElement === search) reset();
      else if (choosing) setChoosing(false);
    } else if (event.key === '/' && !typing) {
      event.preventDefault();
      search.focus();
    } else if (document.activeElement === search && event.key === 'ArrowDown') {
      event.preventDefault();
      grid.querySelector('a.channel')?.focus();
    } else if (grid.contains(document.activeElement) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      onTile(event, document.activeElement);
    }
  }

  function onTile(event, link) {
    const channel = live.byKey.get(link.dataset.key);
    const verb = { p: 'pause', r: 'resume', s: 'stop' }[event.key];
    if (event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      move(grid, event.key);
    } else if (event.key === 'x' && may(visitor, 'control')) {
      toggle(link);
    } else if (verb && may(visitor, 'control') && channel) {
      event.preventDefault();
      const several = chosen.size > 0;
      if (!several && verb === 'stop' && channel.run) askToStop(channel);
      else askMany(verb, several ? bulk.channels() : [channel], () => setChoosing(false));
    }
  }

  live.addEventListener('change', refresh);
  live.addEventListener('link', tick);
  document.addEventListener('keydown', keys);
  grid.addEventListener('click', clicked);
  document.addEventListener('visibilitychange', tick);
  const timer = setInterval(tick, 1000);
  update();
  return () => {
    document.removeEventListener('visibilitychange', tick);
    cancelAnimationFrame(frame);
    live.removeEventListener('change', refresh);
    live.removeEventListener('link', tick);
    document.removeEventListener('keydown', keys);
    clearInterval(timer);
    watch.disconnect();
    hour.end();
  };
}

const heads = h('li', { class: 'heads', 'aria-hidden': 'true' }, ...HEADS.map((name) => h('span', {}, name)));

function heading(name, members) {
  const busy = members.filter((channel) => channel.run !== null).length;
  return h('li', { class: 'group' }, h('h2', {}, name), h('span', { class: 'quiet' }, `${busy} of ${members.length} busy`));
}

/** What can be done to the channels that are selected. */
function bulkBar(channels, over) {
  const words = h('strong', { role: 'status' });
  const buttons = ['pause', 'resume', 'stop'].map((verb) => h('button', { class: verb === 'stop' ? 'grave' : '', onclick: () => askMany(verb, channels(), over) }, `${verb[0].toUpperCase()}${verb.slice(1)} …`));
  const element = h('div', { class: 'bulk', hidden: true }, words, ...buttons, h('button', { class: 'bare', onclick: over }, 'Done'));

  function update() {
    const count = channels().length;
    element.hidden = count === 0;
    say(words, `${count} selected`);
  }

  return { element, update, channels };
}

/** One channel can be reached by Tab, the others by the arrows. */
function roving(grid) {
  const links = [...grid.querySelectorAll('a.channel')];
  if (links.length && !links.some((link) => link.tabIndex === 0)) links[0].tabIndex = 0;
}

function move(grid, key) {
  const links = [...grid.querySelectorAll('a.channel')];
  const at = links.indexOf(document.activeElement);
  const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: links.length - 1 }[key] ?? beside(links, at, key === 'ArrowDown' ? 1 : -1);
  const link = links[Math.min(links.length - 1, Math.max(0, next))];
  links[at].tabIndex = -1;
  link.tabIndex = 0;
  link.focus();
}

/** The channel in the row above or below that is nearest. */
function beside(links, at, way) {
  const boxes = links.map((link) => link.getBoundingClientRect());
  const here = boxes[at];
  const rows = boxes.map((box, i) => [box, i]).filter(([box]) => (box.top - here.top) * way > 2);
  if (!rows.length) return at;
  const top = rows.reduce((best, [box]) => (way > 0 ? Math.min(best, box.top) : Math.max(best, box.top)), way > 0 ? Infinity : -Infinity);
  return rows.filter(([box]) => Math.abs(box.top - top) < 2).reduce((best, [box, i]) => (Math.abs(box.left - here.left) < Math.abs(boxes[best].left - here.left) ? i : best), rows.find(([box]) => Math.abs(box.top - top) < 2)[1]);
}
