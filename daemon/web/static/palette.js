// Find anything: channels, runs, ready protocols and pages, by a few letters.

import { may } from './actions.js';
import { get, path } from './api.js';
import { open } from './dialogs.js';
import { badge, h, say } from './dom.js';
import { live, stateOf } from './live.js';
import { ROUTES } from './routes.js';

const MOST = 8; // of a kind
const REST = 150; // milliseconds of rest before the database is asked

/** Show the dialog. */
export function palette(visitor) {
  const input = h('input', { type: 'search', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'found', 'aria-autocomplete': 'list', 'aria-label': 'Find channels, runs, cells, protocols, pages', placeholder: 'Channel, run, cell, protocol, page …', autocomplete: 'off', spellcheck: 'false', maxlength: 100 });
  const list = h('ul', { id: 'found', role: 'listbox', 'aria-label': 'Found' });
  const note = h('p', { class: 'quiet', role: 'status' });
  const dialog = open(h('dialog', { class: 'palette', 'aria-label': 'Find anything' }, input, list, note));
  let entries = [];
  let at = 0;
  let asked = 0;
  let timer;
  let protocols = [];
  let lost = ''; // why something is not among what is found
  if (may(visitor, 'submit')) get('/library/protocols').then((found) => { protocols = found; typed(); }).catch((error) => { lost = `Protocols are not among these: ${error.message}`; typed(); });

  function typed() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const like = (text) => words.every((word) => text.toLowerCase().includes(word));
    const here = [
      ...live.channels.filter((each) => like([each.channel, each.cell, each.run, each.protocol, each.instrument, each.driver].join(' '))).slice(0, MOST)
        .map((each) => entry(`#${path('channel', each.core, each.channel)}`, each.channel, each.cell ?? each.instrument, badge(stateOf(each)))),
      ...ROUTES.filter((route) => !route.at.includes(':') && like(route.name)).map((route) => entry(route.at, route.name, 'page')),
      ...(words.length ? protocols.filter((each) => like(`${each.name} ${each.title}`)).slice(0, MOST).map((each) => entry('#/submit', each.title || each.name, 'ready protocol: choose it at Submit')) : []),
    ];
    show(here);
    clearTimeout(timer);
    const mine = ++asked;
    if (words.length) timer = setTimeout(() => search(mine, here), REST);
  }

  async function search(mine, here) {
    try {
      const { runs } = await get(`/runs?limit=${MOST}&words=${encodeURIComponent(input.value.trim())}`);
      if (mine === asked) show([...here, ...runs.map((run) => entry(`#${path('run', run.run)}`, run.run, [run.cell, run.protocol].filter(Boolean).join(' · '), badge(run.state)))]);
    } catch (error) {
      if (mine === asked) say(note, error.message);
    }
  }

  function show(found) {
    entries = found;
    at = Math.min(at, Math.max(0, entries.length - 1));
    list.replaceChildren(...entries.map(({ element }) => element));
    say(note, [entries.length ? '' : 'Nothing is called that.', lost].filter(Boolean).join(' '));
    point(at);
  }

  function entry(href, name, about, state = '') {
    const element = h('li', { role: 'option', id: `found-${Math.random().toString(36).slice(2)}`, onclick: () => go({ href }) }, h('strong', {}, name), h('span', { class: 'quiet' }, about), state);
    return { href, element };
  }

  function point(to) {
    at = to;
    entries.forEach(({ element }, i) => element.setAttribute('aria-selected', String(i === at)));
    input.setAttribute('aria-activedescendant', entries[at]?.element.id ?? '');
    entries[at]?.element.scrollIntoView({ block: 'nearest' });
  }

  function go(chosen) {
    dialog.close();
    location.hash = chosen.href;
  }

  input.addEventListener('input', () => { at = 0; typed(); });
  input.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length) {
      event.preventDefault();
      point((at + step + entries.length) % entries.length);
    } else if (event.key === 'Enter' && entries[at]) {
      event.preventDefault();
      go(entries[at]);
    } else if (event.key === 'Escape') {
      event.preventDefault(); // a field for searches would only be emptied by it
      dialog.close();
    }
  });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener('close', () => { asked += 1; clearTimeout(timer); });
  typed();
  input.focus();
}
