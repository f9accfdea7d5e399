// A new study: written or chosen, with the files it names; checked as it is typed, and shown as what it will do.

import { Problem, get, path, post } from './api.js';
import { may } from './actions.js';
import { ask, doing } from './dialogs.js';
import { h, icon, say, toast } from './dom.js';
import { STUDY, dropped, keep, kept as keptDraft } from './drafts.js';
import { editor } from './editor.js';
import { duration } from './format.js';
import { live, whenBack } from './live.js';
import { heads, panel, scroll } from './table.js';

const PAUSE = 400; // milliseconds of rest before what was typed is checked
const LATE = 700; // milliseconds after which it is said that an answer is awaited
const BUSY = 1000; // milliseconds until it is asked for again where too much is being checked
const KINDS = { protocols: 'protocol', cells: 'cell' };

/** Show the page; returns what ends it. */
export function studyNew(main, visitor) {
  const kept = keptDraft(STUDY);
  const text = editor({ label: 'Study (YAML)', id: 'study', changed: typed });
  const ready = h('select', { 'aria-label': 'Ready studies' }, h('option', { value: '' }, 'Ready studies …'));
  const cores = h('select', { id: 'core', onchange: typed });
  const full = h('input', { type: 'checkbox', id: 'full', checked: kept.full ?? false, onchange: typed });
  const anew = h('input', { type: 'checkbox', id: 'anew' });
  const resume = h('select', { id: 'resume' },
    h('option', { value: 'confirm' }, 'waits for a person'), h('option', { value: 'auto' }, 'goes on if nothing speaks against it'), h('option', { value: 'never' }, 'ends'));
  const verdict = h('div', { class: 'verdict', role: 'status' });
  const plan = h('div', { class: 'stack' });
  const go = h('button', { class: 'first', disabled: true, onclick: send }, 'Submit');
  const upload = h('input', { type: 'file', id: 'upload', multiple: true, accept: '.yaml,.yml,text/plain', class: 'skip', tabindex: -1, 'aria-label': 'Upload files of the study', onchange: () => taken(upload.files) });
  const files = h('div', { class: 'stack' });
  const note = h('p', { class: 'quiet' }, 'Protocols and cells the study names are ready ones, or given here.');
  const own = []; // { kind, name, editor, element }
  const coreField = field('Core', cores);
  let timer;
  let asked = 0;
  let key = crypto.randomUUID();

  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, 'New study'), h('div', { class: 'actions' }, h('a', { class: 'button', href: '#/submit' }, 'A single protocol'), go)),
    h('div', { class: 'submit' },
      h('div', {},
        h('section', { class: 'panel', 'aria-label': 'Study' }, h('header', {}, h('h2', {}, 'Study'), ready), text.element),
        h('section', { class: 'panel', 'aria-label': 'Files of its own' }, h('header', {}, h('h2', {}, 'Files of its own'),
          h('button', { onclick: () => upload.click() }, 'Upload …'), upload, h('button', { onclick: () => askName('protocols') }, 'Write a protocol …'), h('button', { onclick: () => askName('cells') }, 'Write a cell …')), note, files)),
      h('div', {},
        h('section', { class: 'panel', 'aria-label': 'Verdict' }, verdict),
        h('section', { class: 'panel', 'aria-label': 'How' }, h('div', { class: 'chooser' }, coreField, field('After a crash or power cut a run', resume)),
          check_('full', full, 'also the rows marked “only: full”'), check_('anew', anew, 'measure again what an earlier study of this title has measured')),
        plan)));

  async function list() {
    const [first] = ready.options;
    try {
      const found = await get('/library/studies');
      say(first, 'Ready studies …');
      ready.replaceChildren(first, ...found.map((each) => h('option', { value: each.name }, each.title || each.name)));
    } catch (error) {
      say(first, `Ready studies cannot be read: ${error.message}`);
    }
  }

  list();
  ready.addEventListener('change', async () => {
    if (!ready.value) return;
    await doing(async () => text.replace((await get(path('library', 'studies', ready.value))).text), 'The text that stood there is back with Ctrl+Z.');
  });

  function fill() {
    const names = live.cores.map((core) => core.core);
    coreField.hidden = names.length < 2;
    if (names.join() === [...cores.options].map((option) => option.value).join()) return;
    cores.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
    typed();
  }

  /** Add a file, or put another text into one that is there. */
  function add(kind, name, content) {
    const known = own.find((each) => each.kind === kind && each.name === name);
    if (known) { known.editor.replace(content); return; }
    const made = editor({ label: `${KINDS[kind]} ${name} (YAML)`, id: `file-${kind}-${own.length}-${Date.now()}`, changed: typed });
    made.element.classList.add('small');
    made.value = content;
    const each = { kind, name, editor: made };
    each.element = h('details', { open: true }, h('summary', {}, h('span', { class: 'quiet' }, `${KINDS[kind]} `), h('b', {}, name), ' ',
      h('button', { class: 'bare', onclick: (event) => { event.preventDefault(); takeOut(each); } }, 'Take out')), made.element);
    own.push(each);
    files.append(each.element);
  }

  /** Take a file out; what is written in it is lost by that, so that it is asked first. */
  function takeOut(each) {
    const out = async () => { own.splice(own.indexOf(each), 1); each.element.remove(); typed(); };
    if (!each.editor.value.trim()) out();
    else ask({ title: `Take ${each.name} out?`, word: 'Take it out', grave: true, body: [h('p', {}, `What is written in this ${KINDS[each.kind]} is lost.`)], act: out });
  }

  /** Files somebody chose: what they are is said by their first key. */
  async function taken(chosen) {
    for (const file of chosen) {
      const content = await file.text();
      const kind = /^cell\s*:/m.test(content) ? 'cells' : /^protocol\s*:/m.test(content) ? 'protocols' : null;
      if (/^study\s*:/m.test(content)) text.replace(content);
      else if (kind) add(kind, file.name.replace(/\.ya?ml$/i, ''), content);
      else toast(`${file.name} is no study, protocol or cell: it has no line that begins with study:, protocol: or cell:.`, true);
    }
    upload.value = '';
    typed();
  }

  function askName(kind) {
    ask({
      title: `Write a ${KINDS[kind]}`, word: 'Write it',
      body: [h('div', { class: 'field' }, h('label', { for: 'called' }, 'The name the study calls it'), h('input', { id: 'called', name: 'called', maxlength: 64, required: true, autocomplete: 'off', spellcheck: 'false' }))],
      ready: (form) => String(form.get('called')).trim() !== '',
      act: async (form) => { add(kind, String(form.get('called')).trim(), ''); typed(); },
    });
  }

  const texts = (kind) => Object.fromEntries(own.filter((each) => each.kind === kind).map((each) => [each.name, each.editor.value]));
  const body = () => ({ ...(cores.value ? { core: cores.value } : {}), study: text.value, protocols: texts('protocols'), cells: texts('cells'), full: full.checked });

  function typed() {
    clearTimeout(timer);
    asked += 1; // an answer that is under way is about another text
    key = crypto.randomUUID(); // another text is another submission
    go.disabled = true;
    keep(STUDY, body());
    note.hidden = own.length > 0;
    timer = setTimeout(check, PAUSE);
  }

  async function check() {
    const mine = ++asked;
    if (!text.value.trim()) {
      verdict.replaceChildren(h('p', { class: 'quiet' }, 'Choose, upload or write a study; every mistake is shown at its line as you type.'));
      marks([]);
      plan.replaceChildren();
      return;
    }
    const late = setTimeout(() => { if (mine === asked) verdict.replaceChildren(h('p', { class: 'quiet' }, 'Being checked …')); }, LATE);
    try {
      const found = await post('/studies/check', body());
      if (mine !== asked) return;
      if (found.problem) throw new Problem(found.problem);
      marks([]);
      accept(found.plan);
    } catch (error) {
      if (mine !== asked) return;
      refuse(error);
      if (error.status === 429) timer = setTimeout(check, BUSY); // its turn comes
    } finally {
      clearTimeout(late);
    }
  }

  function accept(found) {
    go.disabled = !may(visitor, 'submit');
    const hands = found.rows.some((row) => row.real);
    verdict.replaceChildren(icon('finished'), h('strong', {}, found.title), h('span', { class: 'quiet' }, `${found.cells} cells, ${found.seconds < 1 ? 'as fast as these simulated channels go' : `about ${duration(found.seconds)} on these channels`}${hands ? '; for cells on real channels you are asked to put them there' : ''}`));
    plan.replaceChildren(
      table('What it does', ['Protocol', 'Variants', 'Cells', 'Channels', 'Each takes'], found.rows.map((row) => [row.protocol, row.variants.join(', '), row.variants.length * row.replicates, `${row.channels.join(', ')}${row.real ? ' (real)' : ''}`, duration(row.seconds)])),
      table('Its files', ['Kind', 'Name', 'From'], found.files.map((file) => [file.kind, file.name, file.ready ? 'a ready one' : 'given here'])));
  }

  /** Show each mistake in the file it is in. */
  function marks(errors) {
    const of = (pointer) => errors.filter((mistake) => mistake.line && mistake.pointer === pointer);
    text.show(of('/study'));
    for (const each of own) each.editor.show(of(`/${each.kind}/${each.name.replaceAll('~', '~0').replaceAll('/', '~1')}`));
  }

  function refuse(error) {
    marks(error.errors ?? []);
    const pointers = ['/study', ...own.map((each) => `/${each.kind}/${each.name}`)];
    const elsewhere = (error.errors ?? []).filter((mistake) => !pointers.includes(mistake.pointer));
    const count = (error.errors ?? []).length;
    const wrong = icon('failed');
    wrong.classList.add('wrong');
    verdict.replaceChildren(wrong, h('strong', { class: 'alarm' }, count ? `${count} mistake${count > 1 ? 's' : ''} to mend` : error.title ?? 'Refused'),
      ...(count ? elsewhere.map((mistake) => h('span', {}, `${mistake.file ?? ''}${mistake.line ? `, line ${mistake.line}` : ''}: ${mistake.detail}`)) : [h('span', {}, error.message)]));
    plan.replaceChildren();
  }

  async function send() {
    go.disabled = true;
    try {
      const made = await post('/studies', { ...body(), resume: resume.value, anew: anew.checked }, { 'idempotency-key': key });
      dropped(STUDY);
      toast(`${made.study} is under way: ${made.cells} cells.`);
      location.hash = `#${path('study', made.study)}`;
    } catch (error) {
      refuse(error);
      verdict.scrollIntoView({ block: 'nearest' }); // on a phone it is far from the button
      go.disabled = (error.errors ?? []).length > 0;
    }
  }

  text.value = kept.study ?? '';
  for (const kind of Object.keys(KINDS)) for (const [name, content] of Object.entries(kept[kind] ?? {})) add(kind, name, content);
  live.addEventListener('change', fill);
  const ended = whenBack(() => { list(); typed(); });
  fill();
  typed();
  return () => { asked += 1; clearTimeout(timer); live.removeEventListener('change', fill); ended(); };
}

function field(label, input) {
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), input);
}

function check_(id, input, words) {
  return h('label', { class: 'check', for: id }, input, words);
}

function table(title, names, rows) {
  return panel(title, '', scroll(`${title}, as a table`, h('table', {}, heads(...names), h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((each) => h('td', {}, each))))))));
}
