// Plots: plotly.js, loaded when the first one is drawn, dressed in the page's colours.

import { h } from './dom.js';

let loading = null;
const drawing = new WeakMap(); // what is being drawn, by the element it is drawn in

/** The one script that is ever added to the page; the browser refuses every other (trusted types). */
const scripts = window.trustedTypes?.createPolicy('galvanod', {
  createScriptURL: (source) => {
    if (!/^\/vendor\/plotly-[0-9a-f]{16}\.min\.js$/.test(source)) throw new TypeError(`${source} is no plotly.js of ours`);
    return source;
  },
}) ?? { createScriptURL: (source) => source };

/** Load plotly.js from this server. */
function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const source = document.querySelector('meta[name=plotly]')?.getAttribute('content') ?? '';
    const script = h('script', { onload: () => resolve(window.Plotly), onerror: () => { loading = null; reject(new Error('The plot cannot be drawn: plotly.js could not be loaded from this server.')); } }); // asked for again with the next plot
    script.src = scripts.createScriptURL(source);
    document.head.append(script);
  });
  return loading;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The colours of traces, in order; told apart also in grey. */
export function palette(index, count) {
  if (count <= 1) return colour('trace-1');
  const part = index / (count - 1);
  return `hsl(${Math.round(206 - 180 * part)} 62% ${document.documentElement.dataset.theme === 'dark' ? 64 : 40}%)`;
}

export const trace = (number) => colour(`trace-${number}`);
export const markColour = () => colour('mark');

/** The unit of a time axis that is so many seconds long, and how many seconds it is. */
export const timeUnit = (seconds) => (seconds > 172800 ? [86400, 'd'] : seconds > 7200 ? [3600, 'h'] : seconds > 240 ? [60, 'min'] : [1, 's']);

/** An axis with its title and unit. */
export function axis(title, more = {}) {
  return {
    title: { text: title, font: { size: 12.5 }, standoff: 6 }, gridcolor: colour('line'), linecolor: colour('line'), zerolinecolor: colour('line'),
    tickcolor: colour('line'), automargin: true, exponentformat: 'SI', tickmode: 'auto', ...more,
  };
}

/** The axis of these cycle numbers: a few have a tick each, since there is none between two cycles. */
export function cycleAxis(numbers) {
  const few = Math.max(...numbers) - Math.min(...numbers) < 12;
  return axis('cycle', few ? { tickmode: 'linear', tick0: 0, dtick: 1 } : { tickformat: 'd' });
}

/** A plot is as wide as its panel, whatever else comes and goes beside it. */
const fitting = new ResizeObserver((entries) => {
  for (const { target } of entries) if (target.data && target.clientWidth && Math.abs(target._fullLayout?.width - target.clientWidth) > 1) window.Plotly?.Plots.resize(target);
});

/**
 * Draw, or draw anew, into an element; who has left meanwhile need not hear that it was in vain.
 * @param {HTMLElement} element @param {object[]} traces @param {object} layout
 */
export function draw(element, traces, layout) {
  const before = Promise.allSettled([drawing.get(element)]); // one brush at a time
  const under = before.then(() => brought(element, traces, layout)).catch((error) => { if (element.isConnected) throw error; });
  drawing.set(element, under);
  return under;
}

async function brought(element, traces, layout) {
  const Plotly = await plotly();
  if (!element.isConnected) return;
  fitting.observe(element);
  await Plotly.react(element, traces, {
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour('quiet') },
    margin: { l: 58, r: 58, t: 10, b: 42 }, showlegend: traces.length > 1, legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0 },
    hoverlabel: { bgcolor: colour('raised'), bordercolor: colour('line'), font: { color: colour('text') } }, hovermode: 'closest', ...layout,
  }, { displaylogo: false, responsive: true, modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'], toImageButtonOptions: { scale: 3 } });
}

/** Hear what part of the time axis somebody zoomed to; null is all of it. */
export function zoomed(element, hear) {
  element.on?.('plotly_relayout', (event) => {
    if (event['xaxis.autorange']) hear(null);
    else if ('xaxis.range[0]' in event) hear([Number(event['xaxis.range[0]']), Number(event['xaxis.range[1]'])]);
  });
}

/** What is drawn as a picture on the page's ground, a Blob: 'svg', or 'png' at three times the size. */
export async function picture(element, format) {
  const Plotly = await plotly();
  const ground = { paper_bgcolor: colour('surface'), plot_bgcolor: colour('surface') };
  const { clientWidth: width, clientHeight: height } = element;
  const url = await Plotly.toImage({ data: element.data, layout: { ...element.layout, ...ground } }, { format, width, height, scale: format === 'png' ? 3 : 1 });
  const [head, body] = [url.slice(0, url.indexOf(',')), url.slice(url.indexOf(',') + 1)];
  if (!head.includes('base64')) return new Blob([decodeURIComponent(body)], { type: 'image/svg+xml' });
  return new Blob([Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0))], { type: `image/${format}` });
}

/** plotly reads some markup in texts, and patterns; what we show of others is text. */
export function escaped(text) {
  return String(text).replace(/[&<>]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[letter]).replaceAll('%{', '%\u200b{');
}

/** The text that was escaped, as it was written. */
export function plain(text) {
  return String(text).replaceAll('%\u200b{', '%{').replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>' })[name]);
}

/** Let go of a plot that is shown no longer, once nothing is being drawn in it: what is purged under the brush fails. */
export function forget(element) {
  fitting.unobserve(element);
  Promise.allSettled([drawing.get(element)]).then(() => window.Plotly?.purge(element));
}
