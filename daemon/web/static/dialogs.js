// Questions before something that matters: what is about to happen, to which cell.

import { h, toast } from './dom.js';

/**
 * Ask; `act` is called with the form's values and may throw what the dialog then says.
 * @param {{title: string, body: Node[], word: string, grave?: boolean, act: (form: FormData) => Promise<void>, ready?: (form: FormData) => boolean}} question
 */
export function ask({ title, body, word, grave = false, act, ready = () => true }) {
  const wrong = h('p', { class: 'alarm', role: 'alert', hidden: true });
  const go = h('button', { type: 'submit', class: grave ? 'grave' : 'first' }, word);
  const form = h('form', { method: 'dialog' }, ...body, wrong,
    h('div', { class: 'row' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Not now'), go));
  const heading = `d${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const dialog = h('dialog', { 'aria-labelledby': heading }, h('h2', { id: heading }, title), form);
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
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  check();
  dialog.showModal();
}

/** Say how something went, in a dialog that is closed by hand. */
export function tell(title, ...body) {
  const close = h('button', { type: 'button', class: 'first', onclick: () => dialog.close() }, 'Close');
  const dialog = h('dialog', { 'aria-label': title }, h('h2', {}, title), ...body, h('div', { class: 'row' }, close));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Do something and say what became of it; a refusal is said in full. */
export async function doing(work, done) {
  try {
    await work();
    toast(done);
  } catch (error) {
    toast(error.message, true);
  }
}
