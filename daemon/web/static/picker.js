// Which channel: found by typing, among however many there are, with its state and what waits on it.

import { h, icon, mark, say } from './dom.js';
import { live, stateOf } from './live.js';

const MOST = 60; // shown at a time; whoever wants another types more of it
const ORDER = ['idle', 'finished', 'stopped', 'running', 'paused', 'interrupted', 'tripped', 'failed', 'unreachable', 'latched'];

/** A combobox of all channels. `chosen` hears of every choice of a person. */
export function picker({ id, chosen }) {
  const input = h('input', { id, role: 'combobox', autocomplete: 'off', spellcheck: 'false', 'aria-expanded': 'false', 'aria-controls': `${id}-list`, 'aria-autocomplete': 'list', placeholder: 'type a name, a state, an instrument' });
  const list = h('ul', { id: `${id}-list`, role: 'listbox', hidden: true, 'aria-label': 'Channels' });
  const state = h('div', { class: 'quiet', id: `${id}-state` });
  const element = h('div', { class: 'picker' }, input, list, state);
  input.setAttribute('aria-describedby', state.id);
  let value = '';
  let found = [];
  let active = 0;

  const label = (each) => (live.cores.length > 1 ? `${each.core}/${each.channel}` : each.channel);
  const words = (each) => `${each.core} ${each.channel} ${stateOf(each)} ${each.driver} ${each.cell ?? ''}`.toLowerCase();
  const rank = (each) => (ORDER.indexOf(stateOf(each)) + ORDER.length) % ORDER.length;

  function search() {
    const wanted = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const all = live.channels.filter((each) => wanted.every((word) => words(each).includes(word)));
    all.sort((a, b) => rank(a) - rank(b));
    found = all.slice(0, MOST);
    active = Math.max(0, found.findIndex((each) => each.key === value));
    list.replaceChildren(...found.map((each, i) => h('li', { id: `${id}-${i}`, role: 'option', 'aria-selected': String(i === active), onmousedown: (event) => { event.preventDefault(); choose(each); } },
      icon(stateOf(each)), h('b', {}, label(each)), h('span', {}, stateOf(each)), h('span', { class: 'quiet' }, [each.driver, each.cell, each.queued ? `${each.queued} waiting` : ''].filter(Boolean).join(' · ')))),
    all.length > found.length ? h('li', { class: 'quiet', role: 'presentation' }, `and ${all.length - found.length} more: type more of the name`) : found.length ? '' : h('li', { class: 'quiet', role: 'presentation' }, 'no channel is like that'));
    point();
  }

  function point() {
    [...list.querySelectorAll('[role="option"]')].forEach((option, i) => option.setAttribute('aria-selected', String(i === active)));
    const option = list.querySelector(`[id="${id}-${active}"]`);
    mark(input, 'aria-activedescendant', option && !list.hidden ? option.id : null);
    option?.scrollIntoView({ block: 'nearest' });
  }

  function open(shown) {
    list.hidden = !shown;
    input.setAttribute('aria-expanded', String(shown));
    if (shown) search();
    else mark(input, 'aria-activedescendant', null);
  }

  function choose(each) {
    value = each.key;
    input.value = label(each);
    open(false);
    tell();
    chosen(value);
  }

  function tell() {
    const at = live.byKey.get(value);
    say(state, !value ? '' : !at ? `there is no channel ${value}` : [stateOf(at), at.driver, at.cell ? `holds ${at.cell}` : '', at.queued ? `${at.queued} waiting` : ''].filter(Boolean).join(' · '));
  }

  input.addEventListener('focus', () => { input.select(); });
  input.addEventListener('click', () => { if (list.hidden) { const kept = input.value; input.value = ''; open(true); input.value = kept; input.select(); } });
  input.addEventListener('input', () => open(true));
  input.addEventListener('blur', () => { open(false); const at = live.byKey.get(value); input.value = at ? label(at) : value; });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) { open(true); return; }
      active = Math.min(found.length - 1, Math.max(0, active + (event.key === 'ArrowDown' ? 1 : -1)));
      point();
    } else if (event.key === 'Enter' && !list.hidden && found[active]) {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.stopPropagation();
      open(false);
    }
  });

  return {
    element, input,
    get value() { return value; },
    /** Choose without a person: by its key, or the first that is idle where it is null. */
    set(key) {
      const at = key ? live.byKey.get(key) : [...live.channels].sort((a, b) => rank(a) - rank(b))[0];
      value = at?.key ?? key ?? '';
      input.value = at ? label(at) : value;
      tell();
    },
    update: tell,
  };
}
