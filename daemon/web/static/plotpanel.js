// A panel with a plot: its title, what can be chosen, what it says of itself, and what it shows as a file.

import { h, say, toast } from './dom.js';
import { draw, forget, picture, plain } from './plots.js';
import { csv, save } from './saving.js';

/**
 * Make a panel. `file` is what its files are called, `controls` stand in its head.
 * @param {string} title @param {string} file @param {...Node} controls
 */
export function plotPanel(title, file, ...controls) {
  const plot = h('div', { class: 'plot' });
  const note = h('span', { class: 'basis' });
  const element = h('section', { class: 'panel', 'aria-label': title, hidden: true }, h('header', {}, h('h2', {}, title), ...controls, saving(plot, file), note), plot);
  return {
    element,
    show: (traces, layout) => draw(plot, traces, layout),
    /** Say something of what is drawn, and what of it could not be had. */
    tell: (words, lacking = []) => { say(note, [words, ...lacking].filter(Boolean).join('; ')); note.classList.toggle('alarm', lacking.length > 0); },
    end: () => forget(plot),
  };
}

/** The menu that takes away what is shown: numbers or a picture, made here and sent nowhere. */
export function saving(plot, file) {
  const kinds = [['CSV', 'the numbers shown', () => csv(numbers(plot))], ['SVG', 'a picture for print', () => picture(plot, 'svg')], ['PNG', 'a picture', () => picture(plot, 'png')]];
  const list = h('div', { hidden: true }, ...kinds.map(([kind, words, make]) => h('button', { class: 'bare', onclick: () => { open(false); saved(make, `${file}.${kind.toLowerCase()}`); } }, `${kind}: ${words}`)));
  const button = h('button', { class: 'bare', 'aria-expanded': 'false', title: 'Save what is shown', onclick: () => open(list.hidden) }, 'Save');
  const open = (now) => { list.hidden = !now; button.setAttribute('aria-expanded', String(now)); };
  const element = h('span', { class: 'menu' }, button, list);
  element.addEventListener('focusout', (event) => { if (!element.contains(event.relatedTarget)) open(false); });
  element.addEventListener('keydown', (event) => { if (event.key === 'Escape') { open(false); button.focus(); } });
  return element;
}

async function saved(make, name) {
  try {
    save(await make(), name);
  } catch (error) {
    toast(`It could not be saved: ${error.message}`, true);
  }
}

/** What is drawn, as rows: one per point, with its curve and its axes named. */
function numbers(plot) {
  const traces = plot.data ?? [];
  const named = (axis) => plain(plot.layout?.[axis]?.title?.text ?? axis);
  const second = (trace) => (trace.yaxis === 'y2' ? 'yaxis2' : 'yaxis');
  const lines = [['curve', named('xaxis'), 'value', 'of']];
  for (const trace of traces) {
    trace.x.forEach((x, i) => { if (x !== null && trace.y[i] !== null) lines.push([plain(trace.name ?? ''), x, trace.y[i], named(second(trace))]); });
  }
  return lines;
}

/** A list to choose from; `pairs` are values and their words. */
export function choice(label, pairs, hear) {
  const element = h('select', { 'aria-label': label, onchange: () => hear() }, ...pairs.map(([value, words]) => h('option', { value }, words)));
  return element;
}
