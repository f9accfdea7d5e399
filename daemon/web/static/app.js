// The page: a bar that is always there, alarms below it, and one view at a time below them.

import { alarmStrip } from './alarms.js';
import { get, leave as leaveUnanswered, nobody, post, remove } from './api.js';
import { may } from './actions.js';
import { open } from './dialogs.js';
import { h, mark, say, toast } from './dom.js';
import { helpDialog } from './help.js';
import { live } from './live.js';
import { login } from './login.js';
import { palette } from './palette.js';
import { ROUTES, above, found } from './routes.js';
import { safeAll } from './safe.js';
import { dress, turn } from './theme.js';

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const bar = /** @type {HTMLElement} */ (document.getElementById('bar'));
const crumbs = /** @type {HTMLElement} */ (document.getElementById('crumbs'));
let leave = () => {};
let visitor = null;
let strip = null;
let missing = false; // the page that was asked for could not be loaded

/** Show what the address names. */
async function show(event) {
  leave();
  leave = () => {};
  leaveUnanswered();
  missing = false;
  mark(main, 'aria-busy', null);
  if (!visitor) return;
  const address = location.hash || '#/';
  const page = found(address);
  if (!page) {
    crumbs.hidden = true;
    main.replaceChildren(h('h1', {}, 'There is no such page'), h('p', {}, h('code', {}, address)), h('p', {}, h('a', { href: '#/' }, 'To the bench')));
    return;
  }
  const { route, words } = page;
  strip.named(words.length ? words.at(-1) : route.name);
  place(route, words);
  mark(main, 'aria-busy', 'true'); // what stands there is of the page before
  try {
    const view = await route.load();
    if (!visitor || (location.hash || '#/') !== address) return;
    mark(main, 'aria-busy', null);
    leave = view(main, visitor, ...words) ?? (() => {});
    window.scrollTo(0, 0);
    if (event) main.focus({ preventScroll: true }); // who follows a link with the keyboard goes on in what it led to
  } catch (error) {
    mark(main, 'aria-busy', null);
    if ((location.hash || '#/') !== address) return;
    missing = true;
    const away = live.link !== 'live';
    main.replaceChildren(h('h1', {}, `${route.name} cannot be shown`), h('p', { class: 'alarm' }, away ? 'The page’s server does not answer.' : error.message),
      h('p', {}, away ? 'It is shown as soon as the server answers; what runs goes on.' : 'Load the page anew; what runs goes on.'), h('button', { onclick: () => show(null) }, 'Try again'));
  }
}

/** Say where one is: in the bar, and above the page where it belongs below another. */
function place(route, words) {
  const top = route.under ?? route.at;
  for (const link of bar.querySelectorAll('nav a')) mark(link, 'aria-current', link.getAttribute('href') === top ? (route.under ? 'true' : 'page') : null);
  const parent = above(route);
  crumbs.hidden = parent === null;
  if (parent) crumbs.replaceChildren(h('a', { href: parent.at }, parent.name), h('span', { 'aria-hidden': 'true' }, '›'), h('span', { 'aria-current': 'page' }, words.at(-1) ?? route.name));
}

function fillBar() {
  const link = h('span', { class: 'link', role: 'status', id: 'link' }, '');
  const told = () => {
    const words = { live: 'Live', connecting: 'Connecting', lost: 'DISCONNECTED' };
    say(link, words[live.link]);
    mark(link, 'data-state', live.link);
    mark(document.documentElement, 'data-link', live.link);
    if (missing && live.link === 'live') show(null);
  };
  live.addEventListener('link', told);
  told();
  bar.replaceChildren(
    h('a', { class: 'name', href: '#/', 'aria-label': 'galvanod: the bench' }, h('img', { src: '/static/icon.svg', alt: '' }), h('span', {}, 'galvanod')),
    h('nav', { 'aria-label': 'Pages' }, ...ROUTES.filter((route) => route.nav && (route.name !== 'Submit' || may(visitor, 'submit'))).map((route) => h('a', { href: route.at }, route.name))),
    h('span', { class: 'push' }), link,
    h('button', { class: 'bare find', onclick: () => palette(visitor), 'aria-label': 'Find anything (Ctrl K)' }, sign('⌕'), h('span', { class: 'wide-only' }, 'Find '), h('kbd', { class: 'wide-only' }, 'Ctrl K')),
    h('button', { class: 'bare', onclick: turn, title: 'Dark or light', 'aria-label': 'Dark or light' }, sign('◐')),
    h('button', { class: 'bare', onclick: () => open(helpDialog()), title: 'Help and keys (?)', 'aria-label': 'Help and keys' }, sign('?')),
    h('a', { class: 'button', href: '#/you', title: 'Who is logged in, this browser, tokens, audit' }, visitor.name),
    may(visitor, 'control') ? safeAll() : '');
}

const sign = (text) => h('span', { 'aria-hidden': 'true', class: 'sign' }, text);

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
  strip ??= alarmStrip(/** @type {HTMLElement} */ (document.getElementById('alarms')));
  strip.start(visitor);
  live.start();
  await show(null);
  (window.requestIdleCallback ?? setTimeout)(() => { for (const route of ROUTES) route.load().catch(() => {}); }); // so that each is there when the server is not
}

/** Nobody is logged in: ask who it is, and go on where one was. */
function gone(event) {
  if (event && visitor === null) return; // it is being asked already
  const ended = event !== undefined;
  visitor = null;
  live.stop();
  strip?.stop();
  leave();
  leave = () => {};
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  crumbs.hidden = true;
  mark(main, 'aria-busy', null);
  bar.replaceChildren(h('span', { class: 'name' }, h('img', { src: '/static/icon.svg', alt: '' }), h('span', {}, 'galvanod')));
  login(main, enter, ended ? 'Your session has ended. Log in to go on where you were; runs go on without you.' : '');
}

export async function logOut() {
  await remove('/session').catch(() => {});
  gone();
}

function keys(event) {
  if (!visitor || event.defaultPrevented || document.querySelector('dialog[open]')) return;
  const typing = /INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName ?? '');
  if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    palette(visitor);
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && (event.key === '/' || event.key === '?')) {
    event.preventDefault();
    if (event.key === '/') palette(visitor);
    else open(helpDialog());
  }
}

dress();
nobody.addEventListener('gone', gone);
window.addEventListener('hashchange', show);
document.getElementById('skip')?.addEventListener('click', (event) => { event.preventDefault(); main.focus(); }); // an address is a page here
window.addEventListener('keydown', keys); // after the page's own, which may have taken the key
enter();
