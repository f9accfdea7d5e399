// What may stand at the caret, and what the word there means: out of the checker's own vocabulary.

import { get } from './api.js';
import { h, mark, say } from './dom.js';

const LINE = 19; // pixels of a line of the editor
const ABOVE = 8; // pixels above the first
const MOST = 12;
let words = null;

/** The vocabulary, asked for once. */
async function vocabulary(kind) {
  words ??= get('/vocabulary');
  try {
    return (await words)[kind] ?? []; // of a study's words there is no list
  } catch {
    words = null;
    return [];
  }
}

/**
 * Offer completions in an editor and explain its words.
 * @param {{text: HTMLTextAreaElement, page: HTMLElement, kind: 'protocol'|'cell', id: string}} of
 */
export function completion({ text, page, kind, id }) {
  const list = h('ul', { class: 'offers', id: `${id}-offers`, role: 'listbox', 'aria-label': 'Completions', hidden: true });
  const help = h('p', { class: 'help', id: `${id}-help`, 'aria-live': 'off' });
  let offers = [];
  let active = 0;
  page.append(list);
  text.setAttribute('aria-autocomplete', 'list');
  text.setAttribute('aria-controls', list.id);

  async function offer(asked) {
    const known = await vocabulary(kind);
    const at = place(text.value, text.selectionStart);
    offers = text.selectionStart !== text.selectionEnd || (!asked && !at.begun) ? [] : possible(known, at, text.value).filter((each) => each.name.startsWith(at.begun) && each.name !== at.begun).slice(0, MOST);
    active = 0;
    show(at);
  }

  function show(at) {
    list.hidden = offers.length === 0;
    if (list.hidden) { mark(text, 'aria-activedescendant', null); return; }
    list.replaceChildren(...offers.map((each, i) => h('li', { id: `${id}-offer-${i}`, role: 'option', 'aria-selected': String(i === active), onmousedown: (event) => { event.preventDefault(); take(each); } }, h('b', {}, each.name), h('span', { class: 'quiet' }, each.meaning ?? ''))));
    list.style.top = `${ABOVE + (at.line + 1) * LINE - text.scrollTop}px`;
    list.style.left = `calc(10px + ${at.column - at.begun.length}ch - ${text.scrollLeft}px)`;
    mark(text, 'aria-activedescendant', `${id}-offer-${active}`);
  }

  function point(way) {
    active = (active + way + offers.length) % offers.length;
    [...list.children].forEach((item, i) => item.setAttribute('aria-selected', String(i === active)));
    list.children[active].scrollIntoView({ block: 'nearest' });
    mark(text, 'aria-activedescendant', `${id}-offer-${active}`);
  }

  function take(each) {
    const at = place(text.value, text.selectionStart);
    close();
    text.focus();
    document.execCommand('insertText', false, each.name.slice(at.begun.length) + (each.after ?? ''));
  }

  function close() {
    offers = [];
    list.hidden = true;
    mark(text, 'aria-activedescendant', null);
  }

  /** Say what the word means at a place of the text. */
  async function explain(offset) {
    const found = meaning(await vocabulary(kind), text.value, offset);
    say(help, found ? `${found.name}: ${found.meaning}${found.example ? `  e.g. ${found.example.split('\n')[0]}` : ''}${found.units?.length ? `  in ${found.units.join(', ')}` : ''}` : '');
  }

  text.addEventListener('keydown', (event) => {
    if (event.key === ' ' && event.ctrlKey) { event.preventDefault(); offer(true); return; }
    if (list.hidden) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); event.stopImmediatePropagation(); point(event.key === 'ArrowDown' ? 1 : -1); }
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) { event.preventDefault(); event.stopImmediatePropagation(); take(offers[active]); }
    else if (event.key === 'Escape') { event.preventDefault(); event.stopImmediatePropagation(); close(); }
  });
  text.addEventListener('input', (event) => { if (event.isTrusted && /^(insertText|deleteContentBackward)$/.test(event.inputType ?? '')) offer(false); else close(); });
  text.addEventListener('blur', close);
  text.addEventListener('scroll', close);
  text.addEventListener('click', close);
  for (const kindOf of ['keyup', 'click', 'focus']) text.addEventListener(kindOf, () => explain(text.selectionStart));
  text.addEventListener('mousemove', (event) => explain(offsetAt(text, event)));
  text.addEventListener('mouseleave', () => explain(text.selectionStart));
  return help;
}

/** Where the caret is: its line, what stands before it there, and the word that has begun. */
function place(value, offset) {
  const before = value.slice(0, offset).split('\n');
  const line = before.length - 1;
  const head = before[line];
  const key = head.match(/^\s*(?:- )?([\w|]+):\s/)?.[1] ?? null;
  const begun = head.match(key === null ? /[a-z_]*$/ : /\$?[A-Za-z_%µ][\w/%]*$|\$$/)?.[0] ?? '';
  return { line, column: head.length, head, key, begun, lines: value.split('\n') };
}

/** What may come at a place. */
function possible(known, at, value) {
  const of = (where, after = ': ') => known.filter((word) => word.place === where).map((word) => ({ ...word, after }));
  if (/^\s*#|\s#/.test(at.head)) return [];
  if (at.begun.startsWith('$')) return [...value.matchAll(/^ {2,}([a-z]\w*): *\{/gm)].map((match) => ({ name: `$${match[1]}`, meaning: 'a variable of this protocol' }));
  if (at.key === null) return keys(known, at, of);
  if (at.key === 'until' && /(?:until:|or|and)\s+[a-z_]*$/.test(at.head)) return of('quantity', ' ');
  if (at.key === 'figures') return of('figure', '');
  if (at.key === 'chemistry') return of('chemistry', '');
  if (/[\d.]\s+[A-Za-z%µ/]*$/.test(at.head)) {
    const quantity = at.key === 'until' ? at.head.match(/([a-z_]+)\s*[<>]=?\s*[\d.e+-]+\s+\S*$/)?.[1] : at.key;
    const word = known.find((each) => each.name === quantity && each.units.length);
    return (word?.units ?? []).map((name) => ({ name, meaning: '' }));
  }
  return [];
}

function keys(known, at, of) {
  const head = at.head.replace(/[a-z_]*$/, '');
  if (head === '') return of('file');
  if (/^\s*- $/.test(head)) return of('verb');
  const depth = head.length;
  if (!/^\s+$/.test(head)) return /[{,]\s*$/.test(head) ? of(/limits|window/.test(head) ? 'limit' : 'variable') : [];
  for (let i = at.line - 1; i >= 0; i -= 1) {
    const step = at.lines[i].match(/^(\s*)- (\w+):/);
    if (step && step[1].length + 2 === depth) return of('step').filter((word) => !word.of.length || word.of.includes(step[2]));
    const top = at.lines[i].match(/^(\w+):/);
    if (top) return of({ limits: 'limit', window: 'limit' }[top[1]] ?? (top[1] === 'variables' && depth > 2 ? 'variable' : ''));
  }
  return [];
}

/** The word at an offset, by where it stands. */
function meaning(known, value, offset) {
  if (offset === null) return null;
  const start = value.lastIndexOf('\n', offset - 1) + 1;
  const end = (value.indexOf('\n', offset) + value.length + 1) % (value.length + 1);
  const line = value.slice(start, end);
  const column = offset - start;
  for (const match of line.matchAll(/[a-z_]+/gi)) {
    if (match.index > column || match.index + match[0].length < column) continue;
    const before = line.slice(0, match.index);
    const places = /^- |^\s+- $/.test(before) ? ['verb'] : before === '' ? ['file'] : /^\s+$/.test(before) ? ['step', 'limit', 'variable'] : /figures:/.test(before) ? ['figure'] : ['quantity', 'limit', 'variable'];
    return known.find((word) => word.name === match[0] && places.includes(word.place)) ?? null;
  }
  return null;
}

/** The offset in the text under the pointer: its font is of one width. */
function offsetAt(text, event) {
  const box = text.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top - ABOVE + text.scrollTop) / LINE);
  const lines = text.value.split('\n');
  if (row < 0 || row >= lines.length) return null;
  const column = Math.floor((event.clientX - box.left - 10 + text.scrollLeft) / width(text));
  return column > lines[row].length ? null : lines.slice(0, row).reduce((sum, line) => sum + line.length + 1, 0) + column;
}

let measured = 0;
function width(text) {
  if (!measured) {
    const context = document.createElement('canvas').getContext('2d');
    context.font = getComputedStyle(text).font;
    measured = context.measureText('0'.repeat(100)).width / 100;
  }
  return measured;
}
