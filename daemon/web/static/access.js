// Who is logged in, whose tokens there are, and who did what.

import { get, path, post, remove } from './api.js';
import { may } from './actions.js';
import { logOut } from './app.js';
import { ask, doing, tell } from './dialogs.js';
import { h } from './dom.js';
import { moment } from './format.js';
import { live } from './live.js';

/** Show it. */
export function access(main, visitor) {
  const tokens = h('div', { class: 'panel' });
  const audit = h('div', { class: 'panel' });
  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, visitor.name), h('span', { class: 'quiet' }, `may ${visitor.scope}`), h('div', { class: 'actions' }, h('button', { onclick: logOut }, 'Log out'))),
    may(visitor, 'admin') ? h('div', { class: 'columns' }, tokens, audit) : h('p', { class: 'quiet' }, 'Tokens and the audit are shown to who may admin.'));
  if (!may(visitor, 'admin')) return () => {};

  async function showTokens() {
    const found = await get('/tokens');
    tokens.replaceChildren(
      h('header', {}, h('h2', {}, 'Tokens'), h('button', { onclick: () => make(showTokens) }, 'Make a token …')),
      h('table', {}, h('thead', {}, h('tr', {}, ...['Name', 'May', 'Made', 'Until', ''].map((name) => h('th', { scope: 'col' }, name)))),
        h('tbody', {}, ...found.map((each) => h('tr', {}, h('td', {}, each.name), h('td', {}, each.scope), h('td', {}, moment(each.created)), h('td', {}, each.expires ? moment(each.expires) : 'revoked by hand'),
          h('td', {}, h('button', { class: 'grave', onclick: () => revoke(each.name, showTokens) }, 'Revoke …')))))));
  }

  async function showAudit(before = null) {
    const core = live.cores[0]?.core;
    if (!core) return;
    const pages = await Promise.all(live.cores.map((each) => get(`/audit?core=${encodeURIComponent(each.core)}&limit=100${before ? `&cursor=${before}` : ''}`).catch(() => ({ entries: [] }))));
    const entries = pages.flatMap((page) => page.entries).sort((one, other) => other.time - one.time);
    audit.replaceChildren(h('header', {}, h('h2', {}, 'Who did what')),
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Who did what' }, h('table', {}, h('thead', {}, h('tr', {}, ...['When', 'Who', 'What', 'To', ''].map((name) => h('th', { scope: 'col' }, name)))),
        h('tbody', {}, ...entries.map((entry) => h('tr', {}, h('td', {}, moment(entry.time)), h('td', {}, entry.who), h('td', {}, entry.what), h('td', {}, entry.subject), h('td', { class: 'quiet' }, entry.detail)))))));
  }

  const late = () => { if (!audit.children.length) showAudit(); };
  live.addEventListener('change', late);
  showTokens();
  showAudit();
  return () => live.removeEventListener('change', late);
}

function make(done) {
  ask({
    title: 'Make a token', word: 'Make it',
    body: [
      h('div', { class: 'field' }, h('label', { for: 'name' }, 'For whom (shown in the audit)'), h('input', { id: 'name', name: 'name', required: true, pattern: '[a-z0-9][a-z0-9._-]{0,31}', maxlength: 32 })),
      h('div', { class: 'field' }, h('label', { for: 'scope' }, 'May'), h('select', { id: 'scope', name: 'scope' }, ...['view', 'submit', 'control', 'admin'].map((scope) => h('option', {}, scope)))),
    ],
    ready: (form) => /^[a-z0-9][a-z0-9._-]{0,31}$/.test(String(form.get('name'))),
    act: async (form) => {
      const made = await post('/tokens', { name: form.get('name'), scope: form.get('scope') });
      tell('It is shown only now', h('p', {}, `${made.name} may ${made.scope} with:`), h('p', {}, h('code', {}, made.token)));
      await done();
    },
  });
}

function revoke(name, done) {
  ask({
    title: `Revoke the token of ${name}?`, word: 'Revoke it', grave: true, body: [h('p', {}, 'Whoever is logged in with it is logged out.')],
    act: async () => { await doing(() => remove(path('tokens', name)), `${name} is revoked.`); await done().catch(() => {}); },
  });
}
