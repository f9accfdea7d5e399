// What people say of a run: its labels, each a way to others of its kind; whoever may submit changes them.

import { may } from './actions.js';
import { getTagged, path, putTagged } from './api.js';
import { ask } from './dialogs.js';
import { h, toast } from './dom.js';

const FIXED = ['study', 'study id']; // by which a study finds its runs
const MOST = 32;

/** The row of a run's labels; `changed` is told when they are others. */
export function labelling(run, visitor, changed) {
  const element = h('p', { class: 'labels' });
  const edit = h('button', { type: 'button', class: 'bare label-edit', onclick: () => change() }, '');
  let shown = '';

  function show(labels) {
    const told = JSON.stringify(labels ?? null);
    if (told === shown) return; // who is about to press it finds it there
    shown = told;
    const links = Object.entries(labels ?? {}).map(([name, value]) => h('a', { class: 'label', href: `#/runs?label=${encodeURIComponent(`${name}=${value}`)}` }, `${name}: ${value}`));
    edit.textContent = links.length ? 'Change labels …' : 'Add labels …';
    const had = document.activeElement === edit;
    element.replaceChildren(...links, ...(labels && may(visitor, 'submit') ? [edit] : []));
    if (had) edit.focus();
  }

  async function change() {
    let seen;
    try {
      seen = await getTagged(`${path('runs', run)}/labels`);
    } catch (error) {
      toast(error.message, true);
      return;
    }
    const rows = h('div', { class: 'label-rows' });
    const add = h('button', { type: 'button', onclick: () => row('', '').name.focus() }, 'One more');
    const row = (name, value) => {
      const stays = FIXED.includes(name);
      const inputs = {
        name: h('input', { name: 'name', 'aria-label': 'Name of a label', placeholder: 'operator', value: name, maxlength: 100, readonly: stays }),
        value: h('input', { name: 'value', 'aria-label': 'What the label says', placeholder: 'Ada', value, maxlength: 500, readonly: stays }),
      };
      const line = h('div', { class: 'label-row' }, inputs.name, inputs.value,
        stays ? h('span', { class: 'quiet' }, 'of its study') : h('button', { type: 'button', class: 'bare', 'aria-label': `Take away the label ${name}`.trim(), onclick: () => { line.remove(); add.focus(); } }, '×'));
      rows.append(line);
      return inputs;
    };
    for (const [name, value] of Object.entries(seen.document.labels)) row(name, value);
    if (!rows.children.length) row('', '');
    ask({
      title: `Labels of ${run}`,
      body: [h('p', { class: 'quiet' }, 'Your name and what they were before are kept among the run’s events.'), rows, h('div', { class: 'row' }, add)],
      word: 'Save labels',
      act: async (form) => {
        await putTagged(`${path('runs', run)}/labels`, { labels: wanted(form) }, { 'if-match': seen.etag });
        toast('The labels are changed.');
        changed();
      },
    });
  }

  return { element, show };
}

/** What a form's rows say; rows left empty say nothing, and a name that comes twice is a mistake. */
function wanted(form) {
  const values = form.getAll('value').map((value) => value.trim());
  const labels = Object.create(null); // a label may be called anything, even what every object has
  form.getAll('name').forEach((written, i) => {
    const name = written.trim();
    if (!name && !values[i]) return;
    if (!name) throw new Error(`“${values[i]}” has no name; wanted one, such as operator.`);
    if (Object.hasOwn(labels, name)) throw new Error(`Two labels are called “${name}”; wanted each name once.`);
    labels[name] = values[i];
  });
  if (Object.keys(labels).length > MOST) throw new Error(`${Object.keys(labels).length} labels; wanted at most ${MOST}.`);
  return labels;
}
