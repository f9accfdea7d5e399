// Submitting a protocol: written or chosen, checked as it is typed, and shown as what it will do.

import { Problem, get, path, post } from './api.js';
import { may } from './actions.js';
import { batch } from './batch.js';
import { cellForm } from './cellform.js';
import { h, icon, say, toast } from './dom.js';
import { RUN, dropped, keep, kept as keptDraft } from './drafts.js';
import { editor } from './editor.js';
import { duration } from './format.js';
import { library } from './library.js';
import { live, whenBack } from './live.js';
import { picker } from './picker.js';
import { planView } from './planview.js';
import { rehearsal } from './rehearsal.js';

const PAUSE = 300; // milliseconds of rest before what was typed is checked
const LATE = 700; // milliseconds after which it is said that an answer is awaited
const BUSY = 1000; // milliseconds until it is asked for again where too much is being checked
const AGAIN = 'again';

/** Show the page; a core and a channel may be named already, or `again` and a run that is to be repeated. */
export function submit(main, visitor, core = null, channel = null) {
  const kept = keptDraft(RUN);
  const protocol = editor({ label: 'Protocol (YAML)', id: 'protocol', kind: 'protocol', changed: typed });
  const cell = editor({ label: 'Cell (YAML)', id: 'cell', kind: 'cell', changed: typed });
  cell.element.classList.add('small');
  const protocols = library({ kind: 'protocols', editor: protocol, visitor, taken: () => { given = {}; typed(); } });
  const cells = library({ kind: 'cells', editor: cell, visitor, taken: () => typed() });
  const form = cellForm({ editor: cell, changed: typed });
  const asForm = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => turn(form.element.hidden) }, 'Form');
  const channels = picker({ id: 'channel', chosen: typed });
  const resume = h('select', { id: 'resume' },
    h('option', { value: 'confirm' }, 'waits for a person'), h('option', { value: 'auto' }, 'goes on if nothing speaks against it'), h('option', { value: 'never' }, 'ends'));
  const variables = h('div', { class: 'variables' });
  const variablePanel = h('section', { class: 'panel', hidden: true, 'aria-label': 'Variables' }, h('header', {}, h('h2', {}, 'Variables'), h('span', { class: 'basis' }, 'empty takes the default')), variables);
  const verdict = h('div', { class: 'verdict', role: 'status' });
  const go = h('button', { class: 'first', disabled: true, onclick: send }, 'Submit');
  const preview = planView();
  const rehearsing = rehearsal({ wanted: () => ready && draft(), drawn: preview.overlay, allowed: may(visitor, 'submit') });
  const many = batch({ base: () => ({ protocol: protocol.value, cell: cell.value, variables: given, resume: resume.value }), like: () => live.byKey.get(channels.value), done: () => dropped(RUN) });
  const asBatch = h('button', { type: 'button', 'aria-pressed': 'false', hidden: !may(visitor, 'submit'), onclick: () => { many.show(many.element.hidden); asBatch.setAttribute('aria-pressed', String(!many.element.hidden)); } }, 'Many cells …');
  let ready = false; // what stands there can be planned
  let accepted = null; // the plan of it
  let offered = '';
  let timer;
  let asked = 0;
  let key = crypto.randomUUID();
  let given = kept.variables ?? {};

  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, 'Submit a protocol'), h('div', { class: 'actions' }, asBatch, go)),
    h('div', { class: 'submit' },
      h('div', {},
        h('section', { class: 'panel' }, h('div', { class: 'chooser' },
          field('Channel', channels.input, channels.element), field('After a crash or power cut it', resume))),
        h('section', { class: 'panel', 'aria-label': 'Protocol' }, h('header', {}, h('h2', {}, 'Protocol'), ...protocols.elements), protocol.element),
        h('section', { class: 'panel', 'aria-label': 'Cell' }, h('header', {}, h('h2', {}, 'Cell'), ...cells.elements.slice(0, 2), asForm, cells.elements[2]), form.element, cell.element),
        variablePanel),
      h('div', {}, h('section', { class: 'panel', 'aria-label': 'Verdict' }, verdict), many.element, preview.curve, rehearsing.element, preview.limits, preview.steps)));

  /** Show the cell as a form, or as what is written. */
  function turn(shown) {
    form.element.hidden = !shown;
    cell.element.classList.toggle('away', shown);
    asForm.setAttribute('aria-pressed', String(shown));
    form.read();
  }

  /** Choose the channel that was named once it is known; afterwards only its words change. */
  function fill() {
    if (!channels.value && live.channels.length) {
      channels.set(core && core !== AGAIN ? `${core}/${channel}` : kept.channel ?? null);
      typed();
    }
    channels.update();
    if (ready && accepted) offerTo(live.byKey.get(channels.value), accepted);
  }

  /** Write down again what a run was asked; its cell is the next one, so its name is to be changed. */
  async function repeat(run) {
    try {
      const found = await get(`${path('runs', run)}/submission`);
      protocol.replace(found.protocol);
      cell.replace(found.cell);
      given = found.variables;
      core = found.core;
      channel = found.channel;
      if (live.byKey.has(`${core}/${channel}`)) channels.set(`${core}/${channel}`); // else once it is known
      typed();
      toast(`This is what ${run} was asked. Name the next cell.`);
      cell.text.focus();
      const name = cell.value.match(/^cell:\s*(.*)$/m);
      if (name) cell.text.setSelectionRange(name.index + name[0].length - name[1].length, name.index + name[0].length);
    } catch (error) {
      toast(error.message, true);
    }
  }

  function typed() {
    clearTimeout(timer);
    asked += 1; // an answer that is under way is about another text
    ready = false;
    rehearsing.changed(false);
    key = crypto.randomUUID(); // another text is another submission
    go.disabled = true;
    many.ready(false);
    keep(RUN, { protocol: protocol.value, cell: cell.value, variables: given, channel: channels.value });
    timer = setTimeout(check, PAUSE);
  }

  /** What is asked of the checker, and of a rehearsal. */
  function draft() {
    const at = live.byKey.get(channels.value);
    return { protocol: protocol.value, cell: cell.value, variables: given, ...(at ? { core: at.core, channel: at.channel } : {}) };
  }

  async function check() {
    const mine = ++asked;
    if (!protocol.value.trim() || !cell.value.trim()) {
      verdict.replaceChildren(h('p', { class: 'quiet' }, 'Choose or write a protocol and a cell; every mistake is shown at its line as you type.'));
      protocol.show([]);
      cell.show([]);
      preview.clear();
      return;
    }
    const at = live.byKey.get(channels.value);
    const late = setTimeout(() => { if (mine === asked) verdict.replaceChildren(h('p', { class: 'quiet' }, 'Being checked …')); }, LATE);
    try {
      const { plan, problem } = await post('/check', draft());
      if (mine !== asked) return;
      if (problem) throw new Problem(problem);
      protocol.show([]);
      cell.show([]);
      form.read();
      offer(plan.variables ?? {});
      accept(plan, at);
    } catch (error) {
      if (mine !== asked) return;
      refuse(error);
      if (error.status === 429) timer = setTimeout(check, BUSY); // its turn comes
    } finally {
      clearTimeout(late);
    }
  }

  function accept(plan, at) {
    offerTo(at, plan);
    preview.show(plan);
    ready = true;
    accepted = plan;
    rehearsing.changed(true);
    many.ready(true);
  }

  /** Say what a plan means for the channel as it is now: it may have become busy, or latched. */
  function offerTo(at, plan) {
    const busy = at && at.run !== null;
    const why = !at ? 'choose a channel' : at.latch ? `${at.channel} is latched: ${at.latch}` : '';
    const mark = `${at?.key} ${at?.run} ${at?.latch} ${plan.digest} ${asked}`;
    if (mark === offered) return;
    offered = mark;
    go.disabled = Boolean(why) || !may(visitor, 'submit');
    say(go, busy ? `Queue on ${at.channel}` : at ? `Submit on ${at.channel}` : 'Submit');
    verdict.replaceChildren(icon('finished'), h('strong', {}, plan.protocol), h('span', { class: 'quiet' }, `${lasts(plan.forecast)}, ${Math.round(plan.forecast.rows).toLocaleString()} readings, ${Math.round(plan.forecast.steps).toLocaleString()} step${plan.forecast.steps === 1 ? '' : 's'}`),
      plan.forecast.because ? h('span', { class: 'quiet' }, plan.forecast.because) : '',
      why ? h('span', { class: 'alarm' }, why) : busy ? h('span', { class: 'quiet' }, `${at.channel} is busy with ${at.run}; this one follows when it has finished`) : '',
      plan.warnings.length ? h('ul', { class: 'warnings' }, ...plan.warnings.map((warning) => h('li', {}, warning))) : '');
  }

  function refuse(error) {
    ready = false;
    offered = '';
    const of = (pointer) => error.errors.filter((mistake) => mistake.line && mistake.pointer === pointer);
    protocol.show(of('/protocol'));
    cell.show(of('/cell'));
    form.read(of('/cell'));
    const elsewhere = error.errors.filter((mistake) => !['/protocol', '/cell'].includes(mistake.pointer));
    const count = error.errors.length;
    const wrong = icon('failed');
    wrong.classList.add('wrong');
    verdict.replaceChildren(wrong, h('strong', { class: 'alarm' }, count ? `${count} mistake${count > 1 ? 's' : ''} to mend` : error.title ?? 'Refused'),
      ...(count ? elsewhere.map((mistake) => h('span', {}, mistake.detail)) : [h('span', {}, error.message)]));
    preview.clear();
  }

  function offer(found) {
    const names = Object.keys(found);
    variablePanel.hidden = names.length === 0;
    if (names.join() === variables.dataset.names) return;
    variables.dataset.names = names.join();
    variables.replaceChildren(...names.flatMap((name) => {
      const input = h('input', { id: `variable-${name}`, placeholder: found[name], value: given[name] ?? '', oninput: () => { input.value.trim() ? given[name] = input.value.trim() : delete given[name]; typed(); } });
      return [h('label', { for: input.id }, name), input];
    }));
  }

  async function send() {
    const at = live.byKey.get(channels.value);
    go.disabled = true;
    try {
      const made = await post('/runs', {
        protocol: protocol.value, cell: cell.value, core: at.core, channel: at.channel, variables: given, resume: resume.value, queue: at.run !== null,
      }, { 'idempotency-key': key });
      dropped(RUN);
      for (const warning of made.warnings) toast(warning);
      toast(made.run ? `${made.run} runs on ${made.channel}.` : `It waits on ${made.channel} as number ${made.queued}.`);
      location.hash = `#${path('channel', at.core, at.channel)}`;
    } catch (error) {
      refuse(error);
      verdict.scrollIntoView({ block: 'nearest' }); // on a phone it is far from the button
      go.disabled = error.errors.length > 0;
    }
  }

  protocol.value = kept.protocol ?? '';
  cell.value = kept.cell ?? '';
  live.addEventListener('change', fill);
  const ended = whenBack(typed);
  fill();
  typed();
  if (core === AGAIN) repeat(channel);
  return () => { asked += 1; clearTimeout(timer); live.removeEventListener('change', fill); ended(); protocols.end(); cells.end(); preview.end(); rehearsing.end(); };
}

/** How long it will last, and between what where that is not known exactly. */
function lasts({ seconds, low, high }) {
  return high - low < 0.01 * seconds ? `about ${duration(seconds)}` : `about ${duration(seconds)} (${duration(low)} to ${duration(high)})`;
}

function field(label, input, element = input) {
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), element);
}
