// Submitting a protocol: written or chosen, checked as it is typed, and shown as what it will do.

import { Problem, get, path, post } from './api.js';
import { may } from './actions.js';
import { h, icon, say, toast } from './dom.js';
import { editor } from './editor.js';
import { duration } from './format.js';
import { live, stateOf } from './live.js';
import { planView } from './planview.js';
import { rehearsal } from './rehearsal.js';

const PAUSE = 300; // milliseconds of rest before what was typed is checked
const DRAFT = 'draft';

/** Show the page; a core and a channel may be named already. */
export function submit(main, visitor, core = null, channel = null) {
  const kept = JSON.parse(localStorage.getItem(DRAFT) ?? '{}');
  const protocol = editor({ label: 'Protocol (YAML)', id: 'protocol', changed: typed });
  const cell = editor({ label: 'Cell (YAML)', id: 'cell', changed: typed });
  cell.element.classList.add('small');
  const protocols = choice('Ready protocols', 'protocols', protocol);
  const cells = choice('Ready cells', 'cells', cell);
  const channels = h('select', { id: 'channel', onchange: typed });
  const resume = h('select', { id: 'resume' },
    h('option', { value: 'confirm' }, 'waits for a person'), h('option', { value: 'auto' }, 'goes on if nothing speaks against it'), h('option', { value: 'never' }, 'ends'));
  const variables = h('div', { class: 'variables' });
  const variablePanel = h('section', { class: 'panel', hidden: true, 'aria-label': 'Variables' }, h('header', {}, h('h2', {}, 'Variables'), h('span', { class: 'basis' }, 'empty takes the default')), variables);
  const verdict = h('div', { class: 'verdict', role: 'status' });
  const go = h('button', { class: 'first', disabled: true, onclick: send }, 'Submit');
  const preview = planView();
  const rehearsing = rehearsal({ wanted: () => ready && draft(), drawn: preview.overlay, allowed: may(visitor, 'submit') });
  let ready = false; // what stands there can be planned
  let timer;
  let asked = 0;
  let key = crypto.randomUUID();
  let given = {};

  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, 'Submit a protocol'), h('div', { class: 'actions' }, go)),
    h('div', { class: 'submit' },
      h('div', {},
        h('section', { class: 'panel' }, h('div', { class: 'chooser' },
          field('Channel', channels), field('After a crash or power cut it', resume))),
        h('section', { class: 'panel', 'aria-label': 'Protocol' }, h('header', {}, h('h2', {}, 'Protocol'), protocols), protocol.element),
        h('section', { class: 'panel', 'aria-label': 'Cell' }, h('header', {}, h('h2', {}, 'Cell'), cells), cell.element),
        variablePanel),
      h('div', {}, h('section', { class: 'panel', 'aria-label': 'Verdict' }, verdict), preview.curve, rehearsing.element, preview.limits, preview.steps)));

  function choice(label, kind, target) {
    const select = h('select', { 'aria-label': label }, h('option', { value: '' }, `${label} …`));
    get(`/library/${kind}`).then((found) => select.append(...found.map((each) => h('option', { value: each.name }, each.title || each.name)))).catch(() => {});
    select.addEventListener('change', async () => {
      if (!select.value) return;
      target.value = (await get(`/library/${kind}/${encodeURIComponent(select.value)}`)).text;
      if (kind === 'protocols') given = {};
      typed();
    });
    return select;
  }

  function fill() {
    const chosen = channels.value || (core ? `${core}/${channel}` : '');
    const options = live.channels.map((each) => h('option', { value: each.key, selected: each.key === chosen }, `${each.channel} · ${stateOf(each)}${each.cell ? ` · ${each.cell}` : ''}`));
    if (options.length !== channels.options.length || options.some((option, i) => option.text !== channels.options[i].text)) {
      channels.replaceChildren(...options);
      if (chosen) channels.value = chosen;
      typed();
    }
  }

  function typed() {
    clearTimeout(timer);
    ready = false;
    rehearsing.changed(false);
    key = crypto.randomUUID(); // another text is another submission
    go.disabled = true;
    localStorage.setItem(DRAFT, JSON.stringify({ protocol: protocol.value, cell: cell.value }));
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
    try {
      const { plan, problem } = await post('/check', draft());
      if (mine !== asked) return;
      if (problem) throw new Problem(problem);
      protocol.show([]);
      cell.show([]);
      offer(plan.variables ?? {});
      accept(plan, at);
    } catch (error) {
      if (mine !== asked) return;
      refuse(error);
    }
  }

  function accept(plan, at) {
    const busy = at && at.run !== null;
    const why = !at ? 'choose a channel' : at.latch ? `${at.channel} is latched: ${at.latch}` : '';
    go.disabled = Boolean(why) || !may(visitor, 'submit');
    say(go, busy ? `Queue on ${at.channel}` : at ? `Submit on ${at.channel}` : 'Submit');
    verdict.replaceChildren(icon('finished'), h('strong', {}, plan.protocol), h('span', { class: 'quiet' }, `${lasts(plan.forecast)}, ${Math.round(plan.forecast.rows).toLocaleString()} readings, ${Math.round(plan.forecast.steps).toLocaleString()} steps`),
      plan.forecast.because ? h('span', { class: 'quiet' }, plan.forecast.because) : '',
      why ? h('span', { class: 'alarm' }, why) : busy ? h('span', { class: 'quiet' }, `${at.channel} is busy with ${at.run}; this one follows when it has finished`) : '',
      plan.warnings.length ? h('ul', { class: 'warnings' }, ...plan.warnings.map((warning) => h('li', {}, warning))) : '');
    preview.show(plan);
    ready = true;
    rehearsing.changed(true);
  }

  function refuse(error) {
    const of = (pointer) => error.errors.filter((mistake) => mistake.line && mistake.pointer === pointer);
    protocol.show(of('/protocol'));
    cell.show(of('/cell'));
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
      localStorage.removeItem(DRAFT);
      for (const warning of made.warnings) toast(warning);
      toast(made.run ? `${made.run} runs on ${made.channel}.` : `It waits on ${made.channel} as number ${made.queued}.`);
      location.hash = `#${path('channel', at.core, at.channel)}`;
    } catch (error) {
      refuse(error);
      go.disabled = error.errors.length > 0;
    }
  }

  protocol.value = kept.protocol ?? '';
  cell.value = kept.cell ?? '';
  live.addEventListener('change', fill);
  fill();
  typed();
  return () => { asked += 1; clearTimeout(timer); live.removeEventListener('change', fill); preview.end(); rehearsing.end(); };
}

/** How long it will last, and between what where that is not known exactly. */
function lasts({ seconds, low, high }) {
  return high - low < 0.01 * seconds ? `about ${duration(seconds)}` : `about ${duration(seconds)} (${duration(low)} to ${duration(high)})`;
}

function field(label, input) {
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), input);
}
