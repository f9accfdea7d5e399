// A cell file as a form: a second look at the same YAML, which stays the truth, comments and all.

import { h } from './dom.js';

const FIELDS = [
  ['cell', 'Name', 'LS-042'], ['chemistry', 'Chemistry', 'Li-S, Li||Cu, Li-ion … (for forecasts)'], ['area', 'Area', '1.131 cm2'], ['active_mass', 'Active mass', '1.70 mg'],
  ['theoretical_capacity', 'Theoretical capacity', '1675 mAh/g'], ['nominal_capacity', 'Nominal capacity', '3 mAh'], ['expected_capacity', 'Expected capacity', '950 mAh/g (for forecasts)'],
  ['window', 'Window', '{voltage: 1.4 V .. 3.1 V, current: 10 mA}'], ['separator', 'Separator', '{name: PP, thickness: 25 um}'], ['electrolyte', 'Electrolyte', ''], ['note', 'Note', ''],
];
const PLAIN = /^[^\s"'#&*!|>%@`{[\]},?:-][^#":]*$/;

/** The form beside an editor of a cell; `changed` hears of what a person enters. */
export function cellForm({ editor, changed }) {
  const inputs = new Map(FIELDS.map(([key, , example]) => [key, h('input', { id: `cell-${key}`, placeholder: example, autocomplete: 'off', spellcheck: 'false', oninput: () => enter(key) })]));
  const element = h('div', { class: 'cellform', hidden: true }, ...FIELDS.flatMap(([key, word]) => [h('label', { for: `cell-${key}` }, word), inputs.get(key)]));

  function enter(key) {
    const value = inputs.get(key).value.trim();
    editor.value = withKey(editor.value, key, value);
    changed();
  }

  return {
    element,
    /** Show what the YAML says now; what is written over several lines is changed there. */
    read(mistakes = []) {
      const lines = editor.value.split('\n');
      for (const [key, input] of inputs) {
        const at = lines.findIndex((line) => line.startsWith(`${key}:`));
        const value = at < 0 ? '' : split(lines[at]).value;
        const block = at >= 0 && value === '' && /^\s/.test(lines[at + 1] ?? '');
        input.disabled = block;
        input.title = block ? 'written over several lines: change it in the YAML' : '';
        const wrong = mistakes.find((mistake) => mistake.line === at + 1);
        input.setAttribute('aria-invalid', String(Boolean(wrong)));
        if (wrong) input.title = `${wrong.seen}; wanted ${wrong.wanted}`;
        if (document.activeElement !== input) input.value = block ? '…' : plain(value);
      }
    },
  };
}

/** The value of a line and the comment behind it. */
function split(line) {
  const [, value, comment = ''] = line.match(/^[^:]+:[ \t]*(.*?)([ \t]+#.*)?$/) ?? [];
  return { value: value ?? '', comment };
}

function plain(value) {
  try {
    return value.startsWith('"') ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}

/** The YAML with one key at another value, its comment kept; an empty value takes the line out. */
function withKey(yaml, key, value) {
  const lines = yaml.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  const flow = key === 'window' || key === 'separator';
  const line = `${key}: ${flow || PLAIN.test(value) ? value : JSON.stringify(value)}`;
  if (at >= 0) lines.splice(at, 1, ...(value ? [line + split(lines[at]).comment] : []));
  else if (value) lines.splice(lines[lines.length - 1] === '' ? lines.length - 1 : lines.length, 0, line);
  return lines.join('\n');
}
