// A batch of cells: the same protocol on many channels at once, each cell with its own name and mass.

import { post } from './api.js';
import { h, say } from './dom.js';
import { live, stateOf } from './live.js';
import { heads, scroll } from './table.js';

const COLUMNS = [['name', 'Cell'], ['mass', 'Active mass in mg'], ['area', 'Area in cm²'], ['channel', 'Channel']];
const MOST_ROWS = 1024;

/**
 * The table of a batch. `base` returns what all of them share: protocol, cell (YAML), variables, resume.
 * What a row leaves empty is taken from the cell of the editor; idle channels are filled in that are of the
 * same instrument's kind as the chosen one, `like`.
 */
export function batch({ base, like, done }) {
  const body = h('tbody');
  const known = h('datalist', { id: 'batch-channels' });
  const told = h('p', { class: 'quiet', role: 'status' });
  const go = h('button', { type: 'button', class: 'first', onclick: send }, 'Submit all');
  const element = h('section', { class: 'panel', hidden: true, 'aria-label': 'Batch' },
    h('header', {}, h('h2', {}, 'A batch of cells'), h('span', { class: 'basis' }, 'paste rows from a spreadsheet: name, mass, area, channel')),
    scroll('Cells of the batch', h('table', { class: 'batch' }, heads(...COLUMNS.map(([, word]) => word), 'Outcome', ''), body)),
    known, h('div', { class: 'row' }, h('button', { type: 'button', onclick: () => add() }, 'Add a cell'), h('button', { type: 'button', onclick: idle }, 'Fill in idle channels'), go), told);

  function add(values = []) {
    if (body.rows.length >= MOST_ROWS) return null;
    const number = body.rows.length + 1;
    const row = h('tr', { 'data-key': crypto.randomUUID() },
      ...COLUMNS.map(([name, word], i) => h('td', {}, h('input', { name, value: values[i] ?? '', 'aria-label': `${word}, row ${number}`, list: name === 'channel' ? known.id : null, autocomplete: 'off', oninput: () => { row.dataset.key = crypto.randomUUID(); } }))),
      h('td', { class: 'outcome' }), h('td', {}, h('button', { type: 'button', class: 'bare', 'aria-label': `Take row ${number} out`, onclick: () => row.remove() }, '×')));
    body.append(row);
    return row;
  }

  /** Rows of a spreadsheet go down and to the right from where they are pasted. */
  element.addEventListener('paste', (event) => {
    const target = event.target.closest?.('tbody input');
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (!target || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    const from = [...body.rows].indexOf(target.closest('tr'));
    const left = COLUMNS.findIndex(([name]) => name === target.name);
    text.replace(/\r/g, '').split('\n').filter((line) => line.trim()).forEach((line, down) => {
      const row = body.rows[from + down] ?? add();
      line.split('\t').forEach((word, right) => {
        const input = row?.querySelectorAll('input')[left + right];
        if (input) input.value = word.trim();
      });
      if (row) row.dataset.key = crypto.randomUUID();
    });
    say(told, `${body.rows.length} cells`);
  });

  const taken = () => new Set([...body.rows].map((row) => value(row, 'channel')).filter(Boolean));

  function idle() {
    const used = taken();
    const driver = like()?.driver ?? live.channels[0]?.driver;
    const free = live.channels.filter((each) => each.driver === driver && !each.latch && each.run === null && stateOf(each) !== 'unreachable' && !used.has(each.channel) && !used.has(each.key));
    const empty = [...body.rows].filter((row) => !value(row, 'channel'));
    empty.forEach((row, i) => { if (free[i]) row.querySelector('[name="channel"]').value = name(free[i]); });
    say(told, free.length < empty.length ? `only ${free.length} channels (${driver}) are idle; ${empty.length - free.length} cells are without one` : '');
  }

  const name = (each) => (live.cores.length > 1 ? each.key : each.channel);
  const value = (row, field) => row.querySelector(`[name="${field}"]`).value.trim();

  async function send() {
    const { cell, ...shared } = base();
    const rows = [...body.rows].filter((row) => COLUMNS.some(([field]) => value(row, field)) && !row.dataset.run);
    if (!rows.length) { say(told, 'there is no cell in the table that has not begun'); return; }
    let places;
    try {
      places = rows.map((row) => at(value(row, 'channel')));
    } catch (error) {
      say(told, `${error.message}; nothing was begun`);
      return;
    }
    const keys = places.map((place) => `${place.core}/${place.channel}`);
    const double = keys.filter((each, i) => keys.indexOf(each) !== i);
    if (double.length) { say(told, `${[...new Set(double)].join(', ')} stand there twice; each cell wants a channel of its own`); return; }
    go.disabled = true;
    let begun = 0;
    for (const [i, row] of rows.entries()) {
      const outcome = row.querySelector('.outcome');
      say(outcome, '…');
      try {
        const made = await post('/runs', { ...shared, ...places[i], cell: written(cell, { cell: value(row, 'name'), active_mass: value(row, 'mass') && `${number(value(row, 'mass'))} mg`, area: value(row, 'area') && `${number(value(row, 'area'))} cm2` }) }, { 'idempotency-key': row.dataset.key });
        row.dataset.run = made.run ?? 'queued';
        outcome.replaceChildren(made.run ? h('a', { href: `#/run/${encodeURIComponent(made.run)}` }, made.run) : `waits as number ${made.queued}`);
        begun += 1;
      } catch (error) {
        outcome.replaceChildren(h('span', { class: 'alarm' }, error.errors?.length ? error.errors.map((each) => `${each.file ?? ''} line ${each.line ?? '?'}: ${each.detail}`).join('; ') : error.message));
      }
      say(told, `${begun} of ${rows.length} begun or queued`);
    }
    go.disabled = false;
    if (begun === rows.length) done();
  }

  function at(written) {
    const alike = live.channels.filter((each) => each.channel === written);
    const found = live.byKey.get(written) ?? alike[0];
    if (!live.byKey.has(written) && alike.length > 1) throw new Error(`there is a channel ${written} on ${alike.map((each) => each.core).join(' and ')}; write it as CORE/CHANNEL`);
    if (!found) throw new Error(written ? `there is no channel ${written}` : 'no channel is named');
    return { core: found.core, channel: found.channel, queue: found.run !== null };
  }

  return {
    element,
    show(shown) {
      element.hidden = !shown;
      if (!shown) return;
      known.replaceChildren(...live.channels.map((each) => h('option', { value: name(each) }, stateOf(each))));
      while (body.rows.length < 4) add();
    },
    ready: (can) => { go.disabled = !can; },
  };
}

/** A number as spreadsheets of half the world write it: with a comma. */
function number(text) {
  if (!/^\d+(?:[.,]\d+)?(?:e-?\d+)?$/i.test(text)) throw new Error(`${text} is not a number`);
  return text.replace(',', '.');
}

/** The YAML of a cell with other values of some keys; what is empty stays as it was written. */
export function written(yaml, values) {
  let text = yaml;
  for (const [key, value] of Object.entries(values)) {
    if (!value) continue;
    const line = `${key}: ${key === 'cell' ? JSON.stringify(value) : value}`;
    const there = new RegExp(`^${key}:.*$`, 'm');
    text = there.test(text) ? text.replace(there, () => line) : `${text.replace(/\n*$/, '\n')}${line}\n`;
  }
  return text;
}
