// Runs beside each other: their curves over one another, their figures in one table. The address keeps the choice.

import { asked, tell } from './address.js';
import { get, path } from './api.js';
import { steps as halves } from './capacitycurves.js';
import { comparisonTables } from './comparisontables.js';
import { overlays } from './overlays.js';
import { h, say } from './dom.js';
import { whenBack } from './live.js';
import { units } from './perunit.js';
import { choice } from './plotpanel.js';
import { escaped, palette } from './plots.js';

const MOST = 24;

/** Show the comparison that the address names. */
export function compare(main) {
  const query = asked();
  let chosen = [...new Set(query.getAll('run'))].slice(0, MOST);
  const by = h('select', { 'aria-label': 'Group by', onchange: () => load() });
  const per = choice('Capacity in', [['mAh', 'mAh'], ['mass', 'mAh/g'], ['area', 'mAh/cm²']], () => load());
  const cycle = h('input', { 'aria-label': 'Cycle whose curve is shown', type: 'number', min: 0, value: query.get('cycle') ?? '1', onchange: () => load() });
  const spread = h('input', { type: 'checkbox', checked: query.get('spread') !== 'no', onchange: () => load() });
  const found = h('datalist', { id: 'runs-found' });
  const add = h('input', { type: 'search', list: 'runs-found', placeholder: 'add a run …', 'aria-label': 'Add a run', maxlength: 128 });
  const chips = h('p', { class: 'labels' });
  const note = h('p', { class: 'quiet', role: 'status' });
  const lost = h('div', { class: 'alarm', role: 'status', 'aria-label': 'What could not be had' });
  const plots = overlays();
  const tables = h('div', {});
  per.value = query.get('per') ?? 'mAh';
  main.replaceChildren(
    h('h1', { class: 'filters' }, 'Compare'),
    h('form', { class: 'filters', onsubmit: (event) => { event.preventDefault(); take(add.value.trim()); } }, add, found, h('label', { class: 'row' }, 'group by ', by), h('label', { class: 'row' }, spread, ' mean and spread'), h('label', { class: 'row' }, 'cycle ', cycle), per),
    chips, note, lost, plots.element, tables);
  let count = 0;
  let typing;
  let wish = query.get('by') ?? 'variant';

  function take(name) {
    if (!name || chosen.includes(name)) return;
    chosen = [...chosen, name].slice(0, MOST);
    add.value = '';
    load();
  }

  async function load() {
    const mine = ++count;
    if (by.value) wish = by.value;
    const words = new URLSearchParams(chosen.map((run) => ['run', run]));
    for (const [name, value, usual] of [['by', wish, 'variant'], ['cycle', cycle.value, '1'], ['per', per.value, 'mAh'], ['spread', spread.checked ? 'yes' : 'no', 'yes']]) if (value !== usual) words.set(name, value);
    tell('#/compare', words);
    if (!chosen.length) {
      say(note, 'Choose runs: here, or in the list of runs.');
      chips.replaceChildren();
      tables.replaceChildren();
      plots.element.hidden = true;
      return;
    }
    say(note, 'One moment …');
    lost.replaceChildren();
    try {
      const comparison = await get(`/comparisons?${new URLSearchParams([...chosen.map((run) => ['run', run]), ['by', wish]])}`);
      const shown = await Promise.all(comparison.runs.map((run) => everything(run, cycle.value, comparison)));
      if (mine !== count) return;
      const groups = [...new Set(comparison.runs.map((run) => run.group))];
      for (const each of shown) each.colour = palette(groups.indexOf(each.group), groups.length);
      offerLabels(comparison);
      chips.replaceChildren(...shown.map((run) => h('span', { class: 'label' }, h('span', { class: 'swatch', 'data-run': run.run }), h('a', { href: `#/run/${encodeURIComponent(run.run)}` }, run.run), ` ${run.group === run.run ? run.cell ?? '' : run.group} `, h('button', { class: 'bare', 'aria-label': `Leave out ${run.run}`, onclick: () => { chosen = chosen.filter((each) => each !== run.run); load(); } }, '×'))));
      for (const chip of chips.querySelectorAll('.swatch')) chip.style.background = shown.find((run) => run.run === chip.dataset.run).colour;
      const missing = per.value === 'mAh' ? [] : shown.filter((run) => !units(run.facts)[per.value]).map((run) => run.run);
      say(note, missing.length ? `${missing.join(', ')}: the cell file says no ${per.value === 'mass' ? 'active mass' : 'area'}; left out` : '');
      plots.element.hidden = false;
      tables.replaceChildren(comparisonTables(comparison));
      const undrawn = await plots.update(shown.filter((run) => !missing.includes(run.run)), { per: per.value, spread: spread.checked, cycle: cycle.value });
      if (mine === count) lost.replaceChildren(...[...shown.flatMap((run) => run.lacking), ...undrawn].map((words) => h('p', {}, words)));
    } catch (error) {
      if (mine === count) say(note, error.message);
    }
  }

  function offerLabels(comparison) {
    const names = [...new Set(['variant', ...comparison.runs.flatMap((run) => Object.keys(run.labels)), wish])];
    if (by.options.length !== names.length) by.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
    by.value = wish;
  }

  add.addEventListener('input', () => {
    clearTimeout(typing);
    if ([...found.options].some((option) => option.value === add.value)) { take(add.value); return; }
    typing = setTimeout(async () => {
      const page = await get(`/runs?${new URLSearchParams({ words: add.value, limit: '20' })}`).catch(() => ({ runs: [] })); // only what could be meant: a name that is typed whole is taken all the same
      found.replaceChildren(...page.runs.map((run) => h('option', { value: run.run }, [run.cell, run.protocol].filter(Boolean).join(' · '))));
    }, 200);
  });
  document.addEventListener('theme', load);
  const ended = whenBack(load);
  load();
  return () => { count += 1; clearTimeout(typing); document.removeEventListener('theme', load); ended(); plots.end(); };
}

/** All of a run that is drawn over others; what of it could not be had is said in `lacking`. */
async function everything(run, cycle, { by }) {
  const at = path('runs', run.run);
  const lacking = [];
  const had = (what, where, otherwise) => get(`${at}/${where}`).catch((error) => { lacking.push(`${run.run}: its ${what}: ${error.message}`); return otherwise; });
  const [cycles, impedance, steps] = await Promise.all([had('cycles', 'cycles?points=1000', []), had('spectra', 'impedance', []), had('steps', 'steps', [])]);
  const number = Number(cycle) || 0;
  const has = cycles.some((each) => each.cycle === number) || (cycles.length >= 1000 && number <= cycles[cycles.length - 1].cycle);
  const curve = has ? await had(`cycle ${number}`, `cycles/${number}/trace?points=600`, null) : null;
  const facts = { area: run.area, active_mass: run.active_mass };
  const name = escaped(run.group === run.run ? run.run : `${run.group}, ${run.run}`);
  return { ...run, by, lacking, facts, name, label: escaped(run.group), curve: curve ? halves(curve) : [], cycles: cycles.filter((each) => each.cycle > 0), impedance, sweeps: steps.filter((step) => step.verb === 'sweep') };
}
