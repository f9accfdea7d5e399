// Logging in: a token, once; afterwards a cookie no script can read.

import { post } from './api.js';
import { h } from './dom.js';

/** Show the form; `entered` is called once somebody is logged in. */
export function login(main, entered) {
  const wrong = h('p', { class: 'alarm', role: 'alert' });
  const token = h('input', { type: 'password', name: 'token', id: 'token', autocomplete: 'current-password', required: true, maxlength: 200 });
  const form = h('form', { class: 'stack' },
    h('h1', {}, 'Who are you?'),
    h('p', { class: 'quiet' }, 'Log in with your token. ', h('code', {}, 'galvanod token create NAME --scope control'), ' makes one; ', h('code', {}, 'galvanod up'), ' prints a link that has one in it.'),
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), token), wrong,
    h('div', { class: 'row' }, h('button', { class: 'first', type: 'submit' }, 'Log in')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await post('/session', { token: token.value });
      await entered();
    } catch (error) {
      wrong.textContent = error.message;
      token.select();
    }
  });
  main.replaceChildren(h('div', { class: 'panel login' }, form));
  token.focus();
}
