// One study: what it waits for, its cells, what has come of it so far.

import { get, path, post } from './api.js';
import { may } from './actions.js';
import { ask, doing, tell } from './dialogs.js';
import { h, say, toast } from './dom.js';
import { STUDY, keep } from './drafts.js';
import { duration, moment } from './format.js';
import { asking, matrix, studyBadge } from './studymatrix.js';
import { outcomeTables } from './studyoutcome.js';
import { coursePlots, figurePlots } from './studyplot.js';

const EVERY = 1500; // milliseconds between looks at a study that goes on
const LATE = 2000; // milliseconds before figures that are not there yet are asked for again; twice that each time
const TRIES = 5; // for some runs have none
const WRONG = ['stopped', 'tripped', 'failed', 'refused'];

/** Show a study; returns what ends it. */
export function study(main, visitor, name) {
  const at = path('studies', name);
  const submit = may(visitor, 'submit');
  const title = h('h1', {}, name);
  const state = h('span', {});
  const buttons = h('div', { class: 'actions' });
  const about = h('p', { class: 'quiet about' });
  const asks = h('div', { class: 'stack asks', role: 'status', 'aria-label': 'What it waits for' });
  const cells = h('section', { class: 'panel', 'aria-label': 'Cells' });
  const outcome = h('div', { class: 'stack' });
  const figures = figurePlots();
  const courses = coursePlots();
  let now = null;
  let shown = '';
  let measured = '';
  let late = '';
  let tries = 0;
  let timer;
  let gone = false;
  outcome.replaceChildren(h('p', { class: 'quiet' }, 'Reading what was measured …'));
  main.replaceChildren(h('div', { class: 'title' }, title, state, buttons), about, asks, cells, courses.element, figures.element, outcome);

  async function look() {
    clearTimeout(timer);
    try {
      show(await get(at));
    } catch (error) {
      if (gone) return;
      if (!now) main.replaceChildren(h('h1', {}, name), h('p', { class: 'alarm' }, error.message), h('p', {}, h('a', { href: '#/studies' }, 'To the studies')));
      else toast(error.message, true);
      if (error.status === 404) return;
    }
    if (!gone && !now?.ended) timer = setTimeout(look, EVERY);
  }

  function show(found) {
    if (gone) return;
    now = found;
    const mark = JSON.stringify({ ...found, ends: null, each: found.each.map((cell) => ({ ...cell, readings: 0 })) });
    tellProgress(found);
    if (mark !== shown) {
      shown = mark;
      say(title, found.title);
      state.replaceChildren(studyBadge(found.state));
      buttons.replaceChildren(...actions(found));
      keepingFocus(asks, () => asks.replaceChildren(...notices(found)));
      keepingFocus(cells, () => cells.replaceChildren(h('header', {}, h('h2', {}, 'Cells')), ...matrix(found, deeds)));
    }
    const over = found.each.filter((cell) => cell.state === 'finished').map((cell) => cell.run).join();
    const cycling = found.each.some((cell) => cell.state === 'running') ? Math.floor(Date.now() / 10000) : '';
    if (`${over} ${cycling}` !== measured) {
      measured = `${over} ${cycling}`;
      results().catch((error) => { if (!gone) toast(error.message, true); });
    }
  }

  function tellProgress(found) {
    const readings = found.each.reduce((sum, cell) => sum + cell.readings, 0);
    const left = found.ends ? found.ends - Date.now() / 1000 : 0;
    const waits = found.each.some((cell) => ['asked', 'paused', 'interrupted', ...WRONG].includes(cell.state)) || found.state === 'paused';
    const ends = left > 60 ? `, expected to end ${waits ? 'not before' : 'about'} ${moment(found.ends)} (in ${duration(left)})` : found.ended ? `, ended ${moment(found.ended)}` : '';
    say(about, `${found.study} on core ${found.core}: ${found.over} of ${found.cells} cells are over, ${readings.toLocaleString()} readings${ends}; submitted by ${found.who}${found.reason ? `; ${found.reason}` : ''}`);
  }

  /** The figures may be a moment later than the end of the run: they are asked for again, also once the study is over. */
  async function results() {
    const [came, went] = await Promise.all([get(`${at}/outcome`), get(`${at}/courses`)]);
    if (gone) return;
    outcome.replaceChildren(...(came.lines.length ? outcomeTables(came) : [h('p', { class: 'quiet' }, 'Nothing has been measured to its end yet.')]));
    figures.update(came.lines);
    courses.update(went);
    const told = new Set(came.lines.flatMap((line) => line.runs));
    const missing = now.each.filter((cell) => cell.state === 'finished' && !told.has(cell.run)).map((cell) => cell.run).join();
    tries = missing === late ? tries + 1 : 0;
    late = missing;
    if (missing && tries < TRIES) setTimeout(() => { if (!gone) { measured = ''; look(); } }, LATE * 2 ** tries);
  }

  const act = (what, body, done) => doing(async () => { show(await post(`${at}/${what}`, body, { 'if-match': `"${now.revision}"` })); look(); }, done);

  function actions(found) {
    const exports = [
      h('a', { class: 'button', href: `/api/v1${at}/outcome.csv`, download: `${name}-outcome.csv` }, 'Outcome (CSV)'),
      h('button', { onclick: files }, 'Files'),
    ];
    if (!submit || found.ended || found.state === 'cancelled') return exports;
    return [
      found.state === 'running' ? h('button', { onclick: () => act('pause', null, 'It begins nothing more; what runs goes on.') }, 'Pause') : h('button', { class: 'first', onclick: () => act('go-on', null, 'It goes on.') }, 'Go on'),
      h('button', { class: 'grave', onclick: () => askToCancel(found) }, 'Cancel …'), ...exports];
  }

  function notices(found) {
    const made = found.each.filter((cell) => cell.state === 'asked').map((cell) => mounting(cell));
    const halted = found.each.filter((cell) => ['paused', 'interrupted'].includes(cell.state));
    if (halted.length) made.push(h('div', { class: 'notice' }, asking(), h('p', {}, h('strong', {}, `${halted.length} run${halted.length > 1 ? 's wait' : ' waits'}, circuit open: `), ...halted.flatMap((cell, i) => [i ? ', ' : '', h('a', { href: `#${path('run', cell.run)}` }, cell.run), ` (${cell.label}, ${cell.state})`]), '. Look at the cell, then resume or stop it there.')));
    const wrong = found.each.filter((cell) => WRONG.includes(cell.state) && !found.ended);
    if (wrong.length) made.push(h('div', { class: 'notice grave' }, asking(), h('p', {}, h('strong', {}, `${wrong.length} cell${wrong.length > 1 ? 's' : ''} went wrong. `), 'Try them again, or leave them out: the study ends when every cell is measured or left out.'),
      submit && wrong.length > 1 ? h('button', { onclick: () => doing(async () => { for (const cell of wrong) await post(`${at}/cells/${cell.number}/retry`); await look(); }, 'They are tried again.') }, 'Try all again') : ''));
    if (found.trouble) made.push(h('div', { class: 'notice grave' }, asking(), h('p', {}, `It does not get on: ${found.trouble}`)));
    return made;
  }

  /** A cell somebody is asked to put on a channel: pressed once when it is there. */
  function mounting(cell) {
    const other = h('select', { 'aria-label': `Channel of ${cell.label}`, id: `channel-${cell.number}` }, ...cell.channels.map((each) => h('option', { value: each, selected: each === cell.channel }, each)));
    return h('div', { class: 'notice' }, asking(),
      h('p', {}, 'Put ', h('strong', {}, cell.label), ` (cell ${cell.cell}) on ${cell.channels.length > 1 ? 'channel' : ''} `, cell.channels.length > 1 && submit ? other : h('strong', {}, cell.channel)),
      submit ? h('button', { class: 'first', id: `there-${cell.number}`, onclick: () => act(`cells/${cell.number}/mount`, { channel: cell.channels.length > 1 ? other.value : cell.channel }, `${cell.label} begins.`) }, 'It is there') : '',
      submit ? h('button', { id: `out-${cell.number}`, onclick: () => askToLeaveOut(cell) }, 'Leave out …') : '');
  }

  /** What can be done to a cell in its square. */
  function deeds(cell) {
    if (!submit) return '';
    const again = WRONG.includes(cell.state) || cell.state === 'left out';
    if (!again || now.state === 'replaced') return '';
    return h('div', { class: 'deeds' }, h('button', { id: `again-${cell.number}`, onclick: () => act(`cells/${cell.number}/retry`, null, `${cell.label} is tried again.`) }, 'Try again'),
      cell.state === 'left out' || now.ended ? '' : h('button', { id: `leave-${cell.number}`, onclick: () => askToLeaveOut(cell) }, 'Leave out …'));
  }

  function askToLeaveOut(cell) {
    ask({
      title: `Leave out ${cell.label}?`, word: 'Leave it out',
      body: [h('p', {}, 'It is not measured; the study goes on without it. It can be tried again later.'), because('Why (kept with your name)')],
      ready: (form) => String(form.get('reason')).trim() !== '',
      act: async (form) => { show(await post(`${at}/cells/${cell.number}/leave-out`, { reason: String(form.get('reason')).trim() })); toast(`${cell.label} is left out.`); },
    });
  }

  function askToCancel(found) {
    const runs = found.each.filter((cell) => cell.run && ['running', 'paused', 'interrupted'].includes(cell.state));
    ask({
      title: `Cancel ${found.title}?`, word: 'Cancel the study', grave: true,
      body: [
        h('p', {}, 'Cells that wait are left out. What was measured is kept.'),
        runs.length ? h('p', {}, `${runs.length} run${runs.length > 1 ? 's go' : ' goes'} on to ${runs.length > 1 ? 'their' : 'its'} end; stop ${runs.length > 1 ? 'them' : 'it'} where ${runs.length > 1 ? 'they are' : 'it is'} shown: `, ...runs.flatMap((cell, i) => [i ? ', ' : '', h('a', { href: `#${path('run', cell.run)}` }, cell.run)])) : '',
        because('Why (kept with your name)')].filter(Boolean),
      ready: (form) => String(form.get('reason')).trim() !== '',
      act: async (form) => { show(await post(`${at}/cancel`, { reason: String(form.get('reason')).trim() })); toast('The study is cancelled.'); },
    });
  }

  async function files() {
    await doing(async () => {
      const found = await get(`${at}/files`);
      const list = [['study', found.file, found.text], ...['protocols', 'cells'].flatMap((kind) => Object.entries(found[kind]).map(([called, file]) => [kind, file.ready ? `${called}, a ready one` : called, file.text]))];
      tell(`Files of ${name}`, ...list.map(([kind, called, text]) => h('details', {}, h('summary', {}, `${kind}: ${called}`), h('pre', { class: 'source', tabindex: 0 }, text))),
        submit ? h('p', {}, h('button', { onclick: (event) => { again(found); event.target.closest('dialog').close(); } }, 'Begin another from these')) : '');
    }, 'As they were submitted.');
  }

  /** Hand the files on to the editor, to be changed and submitted as a later version. */
  function again(found) {
    const own = (kind) => Object.fromEntries(Object.entries(found[kind]).filter(([, file]) => !file.ready).map(([called, file]) => [called, file.text]));
    keep(STUDY, { study: found.text, protocols: own('protocols'), cells: own('cells'), full: found.full });
    location.hash = '#/study-new';
  }

  look();
  return () => { gone = true; clearTimeout(timer); figures.end(); courses.end(); };
}

const because = (words) => h('div', { class: 'field' }, h('label', { for: 'because' }, words), h('input', { id: 'because', name: 'reason', maxlength: 500, required: true, autocomplete: 'off' }));

/** Redraw a part; whoever is in one of its controls stays there, and keeps what was chosen. */
function keepingFocus(part, redraw) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const chosen = new Map([...part.querySelectorAll('select')].map((each) => [each.id, each.value]));
  redraw();
  for (const [id, value] of chosen) { const each = document.getElementById(id); if (each && [...each.options].some((option) => option.value === value)) each.value = value; }
  if (focused?.id) document.getElementById(focused.id)?.focus();
}
