// Logging in: a token, once; afterwards a cookie no script can read.

import { post } from './api.js';
import { h } from './dom.js';

/** Show the form; `entered` is called once somebody is logged in. `why` says how it came to this. */
export function login(main, entered, why = '') {
  const wrong = h('p', { class: 'alarm', role: 'alert', id: 'wrong' });
  const token = h('input', { type: 'password', name: 'token', id: 'token', autocomplete: 'current-password', required: true, maxlength: 200, 'aria-describedby': 'wrong' });
  const go = h('button', { class: 'first', type: 'submit' }, 'Log in');
  const form = h('form', { class: 'stack' },
    h('h1', {}, why ? 'Log in again' : 'Log in'),
    why ? h('p', { class: 'notice', role: 'status' }, why) : '',
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), token), wrong,
    h('div', { class: 'row' }, go, shown(token)),
    h('details', { class: 'quiet' }, h('summary', {}, 'Where do I get a token?'),
      h('p', {}, 'Whoever runs galvanod makes one: ', h('code', {}, 'galvanod token create NAME --scope control'), '. It is shown once; scopes are view, submit, control and admin.'),
      h('p', {}, h('code', {}, 'galvanod up'), ' prints a link that has one in it.')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    wrong.textContent = '';
    try {
      await post('/session', { token: token.value.trim() });
      await entered();
    } catch (error) {
      wrong.textContent = error.message;
      token.select();
    }
    go.disabled = false;
  });
  main.replaceChildren(h('div', { class: 'panel login' }, h('img', { src: '/static/icon.svg', alt: '', class: 'mark' }), form));
  token.focus();
}

function shown(input) {
  const box = h('input', { type: 'checkbox', onchange: () => { input.type = box.checked ? 'text' : 'password'; } });
  return h('label', { class: 'check' }, box, 'Show what I type');
}
