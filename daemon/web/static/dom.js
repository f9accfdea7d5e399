// Elements, made of tags, attributes and text: never of markup, so that no name can become code.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Make an element. Attributes beginning with `on` are listeners; false and null ones are left out.
 * @param {string} tag @param {Object<string, unknown>} [attributes] @param {...(Node|string|number|null|false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== false && child !== undefined).map(
    (child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return element;
}

/** Put this text into an element, touching it only where it differs. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute, or take it away where the value is null. */
export function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const SHAPES = {
  running: 'M2 1l9 5-9 5z',
  paused: 'M2 1h3v10H2zM7 1h3v10H7z',
  interrupted: 'M6 0a6 6 0 100 12A6 6 0 006 0zm0 2v8a4 4 0 010-8z',
  latched: 'M6 0l6 11H0zM5.3 4v3.6h1.4V4zm0 4.6V10h1.4V8.6z',
  failed: 'M6 0l6 11H0zM5.3 4v3.6h1.4V4zm0 4.6V10h1.4V8.6z',
  tripped: 'M6 0l6 11H0zM5.3 4v3.6h1.4V4zm0 4.6V10h1.4V8.6z',
  unreachable: 'M1.5 0L6 4.5 10.5 0 12 1.5 7.5 6 12 10.5 10.5 12 6 7.5 1.5 12 0 10.5 4.5 6 0 1.5z',
  finished: 'M4.5 11L0 6.5 1.6 4.9l2.9 2.9L10.4 2 12 3.6z',
  stopped: 'M1 1h10v10H1z',
  stale: 'M6 0a6 6 0 100 12A6 6 0 006 0zm0 1.5a4.5 4.5 0 110 9 4.5 4.5 0 010-9zM5.4 3v3.5l2.6 1.6.6-1-2-1.2V3z',
  idle: 'M6 1a5 5 0 100 10A5 5 0 006 1zm0 1.6a3.4 3.4 0 110 6.8 3.4 3.4 0 010-6.8z',
};

/** The outline of a state's icon. */
export const shape = (state) => SHAPES[state] ?? SHAPES.idle;

/** An element of a drawing. */
export function drawn(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** An icon for a state; its shape differs, not only its colour. */
export function icon(state) {
  const svg = drawn('svg', { viewBox: '0 0 12 12', class: 'icon', 'aria-hidden': 'true' });
  svg.append(drawn('path', { d: shape(state), 'fill-rule': 'evenodd' }));
  return svg;
}

/** A state as word and icon. */
export function badge(state, word = state) {
  return h('span', { class: 'badge', 'data-state': state }, icon(state), h('span', {}, word));
}

/** Say something that goes away by itself; what is grave stays until it is read. */
export function toast(text, grave = false) {
  const box = document.getElementById('toasts');
  const close = h('button', { class: 'bare', 'aria-label': 'Close', onclick: () => element.remove() }, '×');
  const element = h('div', { class: grave ? 'toast grave' : 'toast', role: grave ? 'alert' : null }, h('span', {}, text), grave ? close : '');
  box?.append(element);
  setTimeout(() => element.remove(), grave ? 60000 : 5000);
}
