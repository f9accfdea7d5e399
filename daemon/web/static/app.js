// The page: a bar that is always there, and one view at a time below it.

import { get, nobody, post, remove } from './api.js';
import { bench } from './bench.js';
import { tell } from './dialogs.js';
import { badge, h, mark, say, toast } from './dom.js';
import { hold } from './hold.js';
import { live } from './live.js';
import { login } from './login.js';

const VIEWS = [
  ['#/', 'Bench', /^#\/$/, async () => bench],
  ['#/runs', 'Runs', /^#\/runs$/, async () => (await import('./runs.js')).runs],
  ['#/studies', 'Studies', /^#\/studies$/, async () => (await import('./studies.js')).studies],
  [null, 'New study', /^#\/study-new$/, async () => (await import('./studynew.js')).studyNew],
  [null, 'Study', /^#\/study\/([^/]+)$/, async () => (await import('./study.js')).study],
  ['#/submit', 'Submit', /^#\/submit(?:\/([^/]+)\/([^/]+))?$/, async () => (await import('./submit.js')).submit],
  [null, 'Channel', /^#\/channel\/([^/]+)\/([^/]+)$/, async () => (await import('./run.js')).channel],
  [null, 'Run', /^#\/run\/([^/]+)$/, async () => (await import('./run.js')).run],
  [null, 'Access', /^#\/access$/, async () => (await import('./access.js')).access],
];

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const bar = /** @type {HTMLElement} */ (document.getElementById('bar'));
let leave = () => {};
let visitor = null;

/** Show what the address names. */
async function show() {
  leave();
  leave = () => {};
  if (!visitor) return;
  const hash = location.hash || '#/';
  const found = VIEWS.find((view) => view[2].test(hash));
  if (!found) {
    main.replaceChildren(h('h1', {}, 'There is no such page'), h('p', {}, h('a', { href: '#/' }, 'To the bench')));
    return;
  }
  const [, name, pattern, load] = found;
  const words = hash.match(pattern).slice(1).filter((word) => word !== undefined).map(decodeURIComponent);
  document.title = words.length ? `${words.join(' ')} · galvanod` : `${name} · galvanod`;
  for (const link of bar.querySelectorAll('nav a')) mark(link, 'aria-current', link.getAttribute('href') === (found[0] ?? '') ? 'page' : null);
  const view = await load();
  if ((location.hash || '#/') === hash) leave = view(main, visitor, ...words) ?? (() => {});
}

function fillBar() {
  const link = h('span', { class: 'link', role: 'status', id: 'link' }, '');
  const told = () => {
    const words = { live: 'Live', connecting: 'Connecting', lost: 'DISCONNECTED' };
    say(link, words[live.link]);
    mark(link, 'data-state', live.link);
  };
  live.addEventListener('link', told);
  told();
  const may = (scope) => ['view', 'submit', 'control', 'admin'].indexOf(visitor.scope) >= ['view', 'submit', 'control', 'admin'].indexOf(scope);
  bar.replaceChildren(
    h('a', { class: 'name', href: '#/', 'aria-label': 'galvanod: the bench' }, h('img', { src: '/static/icon.svg', alt: '' }), h('span', {}, 'galvanod')),
    h('nav', { 'aria-label': 'Pages' }, ...VIEWS.filter((view) => view[0]).map(([href, name]) => h('a', { href }, name))),
    h('span', { class: 'push' }), link,
    h('button', { class: 'bare', onclick: turn, title: 'Dark or light' }, h('span', { 'aria-hidden': 'true' }, '◐'), h('span', { class: 'skip' }, 'Dark or light')),
    h('a', { class: 'button', href: '#/access', title: 'Who is logged in, tokens, audit' }, visitor.name),
    may('control') ? hold('SAFE ALL', 'hold for a second to open every circuit', safeAll) : '');
}

async function safeAll() {
  try {
    const found = await post('/safe', { everything: true });
    const rows = found.channels.filter((each) => !each.off || !found.safe);
    tell(found.safe ? 'Every circuit is open' : 'NOT every circuit is confirmed open',
      h('p', {}, found.safe ? `${found.channels.length} channels confirmed it.` : 'Go to these instruments and open them by hand:'),
      rows.length ? h('table', {}, ...rows.map((each) => h('tr', {}, h('td', {}, each.channel), h('td', {}, badge(each.off ? 'finished' : 'failed', each.off ? 'off' : 'not confirmed')), h('td', {}, each.told)))) : '');
  } catch (error) {
    toast(`NOT SAFE: ${error.message}`, true);
  }
}

function dressed() {
  const wished = localStorage.getItem('theme');
  const dark = wished ? wished === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

function turn() {
  localStorage.setItem('theme', document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  dressed();
  document.dispatchEvent(new Event('theme'));
}

async function enter() {
  const token = location.hash.match(/^#token=(.+)$/)?.[1];
  if (token) {
    history.replaceState(null, '', '/');
    await post('/session', { token }).catch((error) => toast(error.message, true));
  }
  try {
    visitor = await get('/session');
  } catch (error) {
    toast(error.message, true);
  }
  if (!visitor?.name) {
    gone();
    return;
  }
  fillBar();
  live.start();
  await show();
}

function gone() {
  visitor = null;
  live.stop();
  leave();
  leave = () => {};
  bar.replaceChildren(h('span', { class: 'name' }, h('img', { src: '/static/icon.svg', alt: '' }), h('span', {}, 'galvanod')));
  login(main, enter);
}

export async function logOut() {
  await remove('/session').catch(() => {});
  gone();
}

dressed();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { dressed(); document.dispatchEvent(new Event('theme')); });
nobody.addEventListener('gone', gone);
window.addEventListener('hashchange', show);
enter();
