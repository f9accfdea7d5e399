// An editor for YAML: line numbers, quiet colours, and each mistake at its place.

import { completion } from './completion.js';
import { h } from './dom.js';

const WORDS = /(^\s*#.*|\s#.*)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|(^\s*(?:- )?\s*[\w|$ .-]+(?=:(?:\s|$)))|(\$\w+)|([-+]?\b\d[\d.e+-]*(?:\s*(?:[µμ%°]?[A-Za-z]+(?:\/[A-Za-z0-9]+)?|%))?)/gm;
const KINDS = [null, 'comment', 'string', 'key', 'variable', 'value'];

/**
 * Make an editor. `changed` hears of every change by a person. Tab goes on to what comes next; Ctrl+] and
 * Ctrl+[ indent; Ctrl+Space offers what may stand there.
 * @param {{label: string, id: string, kind: 'protocol'|'cell', changed: (text: string) => void}} options
 */
export function editor({ label, id, kind, changed }) {
  const text = h('textarea', { id, class: 'code', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', wrap: 'off', 'aria-label': label, 'aria-describedby': `${id}-mistakes ${id}-help`, 'aria-keyshortcuts': 'Control+Space Control+] Control+[' });
  const paint = h('pre', { class: 'paint', 'aria-hidden': 'true' });
  const gutter = h('pre', { class: 'gutter', 'aria-hidden': 'true' });
  const list = h('ul', { class: 'mistakes', id: `${id}-mistakes`, 'aria-live': 'polite' });
  const page = h('div', { class: 'page' }, paint, text);
  const help = completion({ text, page, kind, id });
  const element = h('div', { class: 'editor' }, h('div', { class: 'sheet' }, gutter, page), help, list);
  let mistakes = [];

  function colour() {
    const lines = text.value.split('\n');
    gutter.replaceChildren(...lines.map((_, i) => {
      const wrong = mistakes.some((mistake) => mistake.line === i + 1);
      return h('span', wrong ? { class: 'wrong' } : {}, `${i + 1}\n`);
    }));
    const parts = [];
    lines.forEach((line, i) => {
      const here = mistakes.filter((mistake) => mistake.line === i + 1);
      parts.push(...(here.length ? flawed(line, here[0]) : coloured(line)), '\n');
    });
    paint.replaceChildren(...parts.map((part) => (typeof part === 'string' ? document.createTextNode(part) : part)));
    follow();
  }

  function follow() {
    paint.style.transform = `translate(${-text.scrollLeft}px, ${-text.scrollTop}px)`;
    gutter.style.transform = `translateY(${-text.scrollTop}px)`;
  }

  function goto(mistake) {
    const lines = text.value.split('\n');
    const start = lines.slice(0, mistake.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + mistake.column - 1;
    text.focus();
    text.setSelectionRange(start, start + word(lines[mistake.line - 1] ?? '', mistake.column).length);
    text.scrollTop = Math.max(0, (mistake.line - 6) * 19);
    follow();
  }

  text.addEventListener('input', () => { mistakes = mistakes.filter((mistake) => mistake.line <= text.value.split('\n').length); colour(); changed(text.value); });
  text.addEventListener('scroll', follow);
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const line = text.value.slice(0, text.selectionStart).split('\n').pop() ?? '';
      const indent = line.match(/^\s*/)?.[0] ?? '';
      document.execCommand('insertText', false, `\n${indent}${/:\s*$/.test(line) ? '  ' : ''}`);
    } else if (event.ctrlKey && (event.key === ']' || event.key === '[')) {
      event.preventDefault();
      shift(event.key === ']' ? 2 : -2);
    }
  });

  /** Move the lines of the selection to the right or to the left, as one change that can be undone. */
  function shift(by) {
    const { value, selectionStart, selectionEnd } = text;
    const start = value.lastIndexOf('\n', selectionStart - 1) + 1;
    const end = value.indexOf('\n', Math.max(selectionStart, selectionEnd - 1));
    const lines = value.slice(start, end < 0 ? value.length : end).split('\n');
    const moved = lines.map((line) => (by > 0 ? `${line && ' '.repeat(by)}${line}` : line.replace(/^ {1,2}/, ''))).join('\n');
    text.setSelectionRange(start, end < 0 ? value.length : end);
    document.execCommand('insertText', false, moved);
    text.setSelectionRange(start, start + moved.length);
  }

  return {
    element, text,
    get value() { return text.value; },
    set value(written) { text.value = written; mistakes = []; show([]); text.scrollTop = 0; },
    /** Put another text there as a change that can be undone. */
    replace(written) {
      const before = document.activeElement;
      text.focus();
      text.select();
      if (document.activeElement !== text || !document.execCommand('insertText', false, written)) text.value = written;
      if (before instanceof HTMLElement) before.focus();
      show([]);
      text.scrollTop = 0;
    },
    show,
  };

  function show(found) {
    mistakes = found;
    list.replaceChildren(...found.slice(0, 20).map((mistake) => h('li', {}, h('button', { type: 'button', class: 'bare', onclick: () => goto(mistake) },
      h('b', {}, `line ${mistake.line}, column ${mistake.column}`), ` ${mistake.seen}; wanted ${mistake.wanted}`))));
    text.setAttribute('aria-invalid', String(found.length > 0));
    colour();
  }
}

function coloured(line) {
  const parts = [];
  let at = 0;
  for (const match of line.matchAll(WORDS)) {
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined) + 1];
    if (match.index > at) parts.push(line.slice(at, match.index));
    parts.push(h('span', { class: kind }, match[0]));
    at = match.index + match[0].length;
  }
  parts.push(line.slice(at));
  return parts;
}

/** A line with a mistake: what is wrong is underlined, the rest coloured as ever. */
function flawed(line, mistake) {
  const start = mistake.column - 1;
  const wrong = word(line, mistake.column) || ' ';
  return [...coloured(line.slice(0, start)), h('span', { class: 'flaw' }, wrong), ...coloured(line.slice(start + wrong.length))];
}

/** What stands at a column: to the end of the word or phrase. */
function word(line, column) {
  return line.slice(column - 1).match(/^[^\s,}\]#]+(?: [^\s,}\]#:]+)*/)?.[0] ?? '';
}
