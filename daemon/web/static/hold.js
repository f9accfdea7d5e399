// A button that does something only when it is held: quick to reach, hard to hit by accident.

import { h } from './dom.js';

const SECONDS = 1.0;

/** Make it; `done` is called once the pointer, Enter or Space has been down for a second. */
export function hold(word, title, done) {
  let since = null;
  let frame = 0;
  const button = h('button', { type: 'button', class: 'hold', title, 'aria-label': `${word}: ${title}` }, h('span', {}, word));

  function step(now) {
    since ??= now;
    const part = Math.min(1, (now - since) / 1000 / SECONDS);
    button.style.setProperty('--held', `${part * 100}%`);
    if (part < 1) {
      frame = requestAnimationFrame(step);
    } else {
      end();
      done();
    }
  }

  function begin(event) {
    if (event.button || event.repeat) return;
    end();
    frame = requestAnimationFrame(step);
  }

  function end() {
    cancelAnimationFrame(frame);
    since = null;
    button.style.setProperty('--held', '0%');
  }

  const key = (event) => event.key === 'Enter' || event.key === ' ';
  button.addEventListener('pointerdown', begin);
  for (const over of ['pointerup', 'pointerleave', 'pointercancel', 'blur']) button.addEventListener(over, end);
  button.addEventListener('keydown', (event) => { if (key(event)) { event.preventDefault(); begin(event); } });
  button.addEventListener('keyup', (event) => { if (key(event)) end(); });
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  return button;
}
