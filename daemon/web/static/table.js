// What stands around a table: its head, what scrolls sideways, and the panel.

import { h } from './dom.js';

/** The head of a table, of words or of elements. */
export const heads = (...names) => h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name))));

/** What is wider than its place, and is scrolled there, with the keyboard too. */
export const scroll = (label, ...body) => h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, ...body);

/** A panel: its title, what is said quietly beside it, and what is in it. */
export function panel(title, note, ...body) {
  return h('section', { class: 'panel', 'aria-label': title }, h('header', {}, h('h2', {}, title), note ? h('span', { class: 'basis' }, note) : ''), ...body);
}

/** A panel for what could not be had, and why. */
export const lacking = (title, error) => panel(title, '', h('p', { class: 'alarm', role: 'status' }, error.message));
