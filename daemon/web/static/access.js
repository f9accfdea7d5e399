// Who is logged in, how this browser shows things, whose tokens there are, and who did what.

import { get, path, post, remove } from './api.js';
import { may } from './actions.js';
import { logOut } from './app.js';
import { auditPanel } from './auditing.js';
import { ask, tell } from './dialogs.js';
import { h, say, toast } from './dom.js';
import { ago, moment, zone } from './format.js';
import { live, whenBack } from './live.js';
import { wishDesktop, wishSound, wishes } from './notify.js';
import { wish, wished } from './theme.js';

const SCOPES = { view: 'look', submit: 'look and submit', control: 'look, submit, pause, resume, stop and clear', admin: 'do everything, and make tokens' };

/** Show it. */
export function access(main, visitor) {
  const tokens = h('section', { class: 'panel', 'aria-label': 'Tokens' });
  const audit = auditPanel();
  const admin = may(visitor, 'admin');
  main.replaceChildren(
    h('div', { class: 'title' }, h('h1', {}, visitor.name), h('span', { class: 'quiet' }, `may ${SCOPES[visitor.scope] ?? visitor.scope}`), h('div', { class: 'actions' }, h('button', { onclick: logOut }, 'Log out'))),
    h('div', { class: 'columns' }, browserPanel(), ...(admin ? [tokens, audit.element] : [h('p', { class: 'quiet' }, 'Tokens, and who did what, are shown to who may admin.')])));
  if (!admin) return () => {};
  let loaded = false;

  async function showTokens() {
    const found = await get('/tokens');
    tokens.replaceChildren(
      h('header', {}, h('h2', {}, 'Tokens'), h('button', { onclick: () => make(showTokens) }, 'Make a token …')),
      h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, ...['Name', 'May', 'Made', 'Until', 'Last used'].map((name) => h('th', { scope: 'col' }, name)), h('td', {}))),
        h('tbody', {}, ...found.map((each) => h('tr', {}, h('td', {}, each.name), h('td', {}, each.scope), h('td', {}, moment(each.created)), h('td', {}, each.expires ? moment(each.expires) : 'revoked by hand'), h('td', {}, each.last_used ? ago(each.last_used) : 'never'),
          h('td', { class: 'right' }, h('button', { class: 'grave small', 'aria-label': `Revoke the token of ${each.name}`, onclick: () => revoke(each.name, showTokens) }, 'Revoke …')))))));
  }

  function showAudit() {
    if (loaded || !live.cores.length) return;
    loaded = true;
    audit.load();
  }

  live.addEventListener('change', showAudit);
  const shown = () => showTokens().catch((error) => tokens.replaceChildren(h('p', { class: 'alarm' }, error.message)));
  shown();
  showAudit();
  const ended = whenBack(shown);
  return () => { live.removeEventListener('change', showAudit); ended(); };
}

/** What only this browser is told. */
function browserPanel() {
  const why = h('p', { class: 'alarm', role: 'status' });
  const select = (id, label, options, chosen, done) => h('div', { class: 'field' }, h('label', { for: id }, label), h('select', { id, onchange: (event) => done(event.target.value) }, ...options.map(([value, word]) => h('option', { value, selected: value === chosen }, word))));
  const check = (label, checked, done) => h('label', { class: 'check' }, h('input', { type: 'checkbox', checked, onchange: (event) => done(event.target) }), label);
  return h('section', { class: 'panel', 'aria-label': 'This browser' }, h('header', {}, h('h2', {}, 'This browser')),
    h('div', { class: 'stack' },
      select('theme', 'Colours', [['system', 'as the system has them'], ['light', 'light'], ['dark', 'dark']], wished(), wish),
      select('zone', 'Times', [['local', `of this browser (${Intl.DateTimeFormat().resolvedOptions().timeZone})`], ['UTC', 'UTC']], zone(), (value) => localStorage.setItem('zone', value)),
      check('Sound when there is new trouble', wishes.sound, (box) => wishSound(box.checked)),
      check('Notice of the desktop when there is new trouble', wishes.desktop, async (box) => {
        const refused = await wishDesktop(box.checked);
        say(why, refused);
        if (refused) box.checked = false;
      }), why,
      h('p', { class: 'quiet' }, 'A browser that is closed tells nobody: e-mail, chat and MQTT are set up in the file of notices.')));
}

function make(done) {
  ask({
    title: 'Make a token', word: 'Make it',
    body: [
      h('div', { class: 'field' }, h('label', { for: 'name' }, 'For whom (shown in the audit)'), h('input', { id: 'name', name: 'name', required: true, pattern: '[a-z0-9][a-z0-9._-]{0,31}', maxlength: 32 })),
      h('div', { class: 'field' }, h('label', { for: 'scope' }, 'May'), h('select', { id: 'scope', name: 'scope' }, ...['view', 'submit', 'control', 'admin'].map((scope) => h('option', {}, scope)))),
      h('div', { class: 'field' }, h('label', { for: 'days' }, 'Days until it ends (empty: until it is revoked)'), h('input', { id: 'days', name: 'days', type: 'number', min: 1, max: 3650 })),
    ],
    ready: (form) => /^[a-z0-9][a-z0-9._-]{0,31}$/.test(String(form.get('name'))),
    act: async (form) => {
      const made = await post('/tokens', { name: form.get('name'), scope: form.get('scope'), days: Number(form.get('days')) || null });
      tell('It is shown only now', h('p', {}, `${made.name} may ${made.scope} with:`), h('p', {}, h('code', {}, made.token)));
      await done();
    },
  });
}

function revoke(name, done) {
  ask({
    title: `Revoke the token of ${name}?`, word: 'Revoke it', grave: true, body: [h('p', {}, 'Whoever is logged in with it is logged out.')],
    act: async () => { await remove(path('tokens', name)); toast(`${name} is revoked.`); await done(); },
  });
}
