// The library beside an editor: take a file from it, save one there, its versions, and where it was used.

import { get, getTagged, path, post, putTagged, remove } from './api.js';
import { may } from './actions.js';
import { ask, tell } from './dialogs.js';
import { h, say, toast } from './dom.js';
import { moment } from './format.js';
import { whenBack } from './live.js';

const WORD = { protocols: 'protocol', cells: 'cell' };

/**
 * What stands above an editor. `taken` hears of every file that was put into it.
 * @param {{kind: 'protocols'|'cells', editor: {value: string, replace: (text: string) => void}, visitor: object, taken: () => void}} of
 */
export function library({ kind, editor, visitor, taken }) {
  const select = h('select', { 'aria-label': `Ready ${kind}`, onchange: () => select.value && take(select.value), onfocus: () => lost && list() });
  const name = h('span', { class: 'basis' });
  const menu = h('details', { class: 'menu' }, h('summary', { class: 'button' }, 'File'), h('div', {}));
  const allowed = may(visitor, 'submit');
  let lost = false; // nobody knows what there is
  let open = null; // what was taken last: its name, its text, its ETag where it is the lab's own

  menu.addEventListener('toggle', () => { if (menu.open) offer(); });
  menu.addEventListener('keydown', (event) => { if (event.key === 'Escape') { menu.open = false; menu.querySelector('summary').focus(); } });
  menu.addEventListener('focusout', (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });

  async function list() {
    let found;
    try {
      found = await get(path('library', kind));
      lost = false;
    } catch (error) {
      lost = true; // asked for again when somebody comes to it
      select.replaceChildren(h('option', { value: '' }, `Library cannot be read: ${error.message}`));
      return;
    }
    const options = (own) => found.filter((each) => each.own === own).map((each) => h('option', { value: each.name }, each.title ? (own ? `${each.title} (${each.name})` : each.title) : each.name));
    const own = options(true);
    select.replaceChildren(h('option', { value: '' }, `Library: ${kind} …`), own.length ? h('optgroup', { label: 'The lab’s own' }, ...own) : '', h('optgroup', { label: 'Ready' }, ...options(false)));
    select.value = open?.name ?? '';
    if (select.value === '') select.selectedIndex = 0;
  }

  async function take(wanted) {
    try {
      const { document: file, etag } = await getTagged(path('library', kind, wanted));
      opened(file, etag);
      editor.replace(file.text);
      taken();
    } catch (error) {
      toast(error.message, true);
    }
  }

  function opened(file, etag) {
    open = file && { ...file, etag };
    say(name, open ? `${open.name}${open.own ? '' : ', ready-made'}` : '');
  }

  function offer() {
    const own = Boolean(open?.own);
    const item = (word, act, there = true) => (there ? h('button', { type: 'button', class: 'bare', onclick: () => { menu.open = false; act(); } }, word) : '');
    menu.lastChild.replaceChildren(
      item('Save', save, allowed && own), item('Save as …', saveAs, allowed), item('Versions …', versions, own), item('Where it was used …', uses, Boolean(open)),
      item('Rename …', rename, allowed && own), item('Delete …', erase, allowed && own), item('Back to what was saved', () => take(open.name), Boolean(open)));
  }

  /** Send, and remember what stands there now. */
  async function keep(wanted, headers) {
    const { document: file, etag } = await putTagged(path('library', kind, wanted), { text: editor.value }, headers);
    opened(file, etag);
    await list();
    toast(`${wanted} is saved.`);
  }

  async function save() {
    try {
      await keep(open.name, { 'if-match': open.etag });
    } catch (error) {
      toast(error.message, true);
    }
  }

  const field = (value) => h('label', {}, 'Name of the file', h('input', { name: 'name', value, maxlength: 48, pattern: '[a-z0-9][a-z0-9_\\-]*', required: true, title: 'a-z, 0-9, _ and -', autocomplete: 'off' }));
  const named = (form) => /^[a-z0-9][a-z0-9_-]{0,47}$/.test(String(form.get('name')));

  function saveAs() {
    ask({ title: `Save this ${WORD[kind]}`, word: 'Save', ready: named, body: [h('p', { class: 'quiet' }, 'Small letters, digits, _ and -; everybody here sees it.'), field(slug(editor.value))], act: (form) => keep(String(form.get('name')), { 'if-none-match': '*' }) });
  }

  function rename() {
    ask({ title: `Rename ${open.name}`, word: 'Rename', ready: named, body: [field(open.name)], act: async (form) => {
      await post(`${path('library', kind, open.name)}/rename`, { name: String(form.get('name')) }, { 'if-match': open.etag });
      opened({ ...open, name: String(form.get('name')) }, open.etag);
      await list();
    } });
  }

  function erase() {
    ask({ title: `Delete ${open.name}?`, word: 'Delete', grave: true, body: [h('p', {}, `The ${WORD[kind]} is taken out of the library. Runs that were made from it keep their own copy.`)], act: async () => {
      await remove(path('library', kind, open.name), { 'if-match': open.etag });
      opened(null, null);
      await list();
    } });
  }

  const had = (where) => get(where).catch((error) => { toast(error.message, true); return null; });

  async function versions() {
    const found = await had(`${path('library', kind, open.name)}/versions`);
    if (!found) return;
    const back = (number) => async () => {
      const version = await had(path('library', kind, open.name, 'versions', number));
      if (!version) return;
      document.querySelector('dialog[open]')?.close();
      editor.replace(version.text); // behind an open dialog nothing can be typed into
      taken();
    };
    tell(`Versions of ${open.name}`, found.length ? h('table', {}, h('tbody', {}, ...found.map((each) => h('tr', {}, h('td', { class: 'number' }, each.number), h('td', {}, moment(each.saved)), h('td', {}, each.who), h('td', {}, h('button', { type: 'button', onclick: back(each.number) }, 'Put into the editor')))))) : h('p', {}, 'It was not saved here yet.'));
  }

  async function uses() {
    const found = await had(`${path('library', kind, open.name)}/uses`);
    if (!found) return;
    tell(`Runs of ${open.name}`, found.length ? h('table', {}, h('tbody', {}, ...found.map((each) => h('tr', {}, h('td', {}, h('a', { href: `#${path('run', each.run)}`, onclick: () => document.querySelector('dialog[open]')?.close() }, each.run)), h('td', {}, each.state), h('td', { class: 'quiet' }, moment(each.started)))))) : h('p', {}, 'None among the latest runs.'));
  }

  list();
  return { elements: [select, menu, name], end: whenBack(() => lost && list()) };
}

/** A file name out of what a text calls itself. */
function slug(text) {
  const title = text.match(/^(?:protocol|cell):\s*(.+)$/m)?.[1] ?? '';
  return title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 48);
}
