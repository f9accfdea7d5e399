// Questions before something that matters: what is about to happen, to which cell.

import { h, toast } from './dom.js';

/** Show a dialog; the focus goes back where it was when it is closed. */
export function open(dialog) {
  const before = document.activeElement;
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask; `act` is called with the form's values and may throw what the dialog then says.
 * @param {{title: string, body: Node[], word: string, grave?: boolean, act: (form: FormData) => Promise<void>, ready?: (form: FormData) => boolean}} question
 */
export function ask({ title, body, word, grave = false, act, ready = () => true }) {
  const wrong = h('p', { class: 'alarm', role: 'alert', hidden: true });
  const go = h('button', { type: 'submit', class: grave ? 'grave' : 'first' }, word);
  const form = h('form', { method: 'dialog' }, ...body, wrong,
    h('div', { class: 'row' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Not now'), go));
  const dialog = titled(title, form);
  const check = () => { go.disabled = !ready(new FormData(form)); };
  form.addEventListener('input', check);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      await act(new FormData(form));
      dialog.close();
    } catch (error) {
      wrong.textContent = error.message;
      wrong.hidden = false;
      check();
    }
  });
  check();
  return open(dialog);
}

/** Say how something went, in a dialog that is closed by hand; `say` on it says something else. */
export function tell(title, ...body) {
  const heading = h('h2', {}, title);
  const content = h('div', { class: 'stack' }, ...body);
  const dialog = titled(heading, content, h('div', { class: 'row' }, h('button', { type: 'button', class: 'first', autofocus: true, onclick: () => dialog.close() }, 'Close')));
  dialog.say = (words, ...nodes) => {
    heading.textContent = words;
    content.replaceChildren(...nodes.filter(Boolean));
  };
  return open(dialog);
}

function titled(title, ...body) {
  const heading = title instanceof HTMLElement ? title : h('h2', {}, title);
  heading.id = `d${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  return h('dialog', { 'aria-labelledby': heading.id }, heading, ...body);
}

/** Do something and say what became of it; a refusal is said in full. */
export async function doing(work, done) {
  try {
    await work();
    toast(done);
    return true;
  } catch (error) {
    toast(error.message, true);
    return false;
  }
}
