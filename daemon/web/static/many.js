// Several channels at once: what is done to each, and what came of it.

import { path, post } from './api.js';
import { ask, tell } from './dialogs.js';
import { badge, h } from './dom.js';
import { duration } from './format.js';

const AT_ONCE = 8;

const VERBS = {
  pause: { word: 'Pause', may: (channel) => channel.state === 'running', says: 'Each circuit opens before the next reading, and waits.' },
  resume: { word: 'Resume', may: (channel) => ['paused', 'interrupted'].includes(channel.state), says: 'Each goes on with what is left of its step.' },
  stop: { word: 'Stop', may: (channel) => channel.run !== null, says: 'These runs end and cannot be resumed. What was read is kept. To wait instead, pause them.', grave: true },
};

/** Whether a verb can be done to a channel as it is. */
const possible = (verb, channel) => VERBS[verb].may(channel);

/** Ask, then do it to each of these channels that it can be done to. */
export function askMany(verb, channels, over = () => {}) {
  const { word, says, grave = false } = VERBS[verb];
  const those = channels.filter((channel) => possible(verb, channel));
  if (!those.length) {
    tell(`Nothing to ${verb}`, h('p', {}, `None of the ${channels.length} channels has a run that could be ${past(verb)} now.`));
    return;
  }
  const count = String(those.length);
  const runs = those.length > 1 ? `${count} runs` : 'the run';
  ask({
    title: `${word} ${runs}?`, word: `${word} ${runs}`, grave,
    body: [
      h('div', { class: 'scroll short', tabindex: 0, role: 'region', 'aria-label': 'Runs' }, h('table', {}, h('tbody', {}, ...those.map((channel) => h('tr', {},
        h('td', {}, channel.channel), h('td', {}, channel.cell), h('td', {}, channel.run), h('td', { class: 'number' }, duration(channel.latest.time))))))),
      h('p', {}, says),
      ...(grave ? [h('div', { class: 'field' }, h('label', { for: 'count' }, `Type ${count} to stop ${runs}`), h('input', { id: 'count', name: 'count', inputmode: 'numeric', autocomplete: 'off', required: true, autofocus: true })),
        h('div', { class: 'field' }, h('label', { for: 'why' }, 'Why (kept with each run)'), h('input', { id: 'why', name: 'reason', maxlength: 500, value: 'stopped by a person' }))] : []),
    ],
    ready: (form) => !grave || (form.get('count') === count && String(form.get('reason')).trim() !== ''),
    act: async (form) => {
      const outcomes = await each(those, (channel) => one(verb, channel, String(form.get('reason') ?? '')));
      over();
      report(verb, outcomes);
    },
  });
}

const past = (verb) => ({ pause: 'paused', resume: 'resumed', stop: 'stopped' })[verb];

async function one(verb, channel, reason) {
  const body = verb === 'stop' ? { cell: channel.cell, reason } : null;
  try {
    await post(`${path('runs', channel.run)}/${verb}`, body, { 'if-match': `"${channel.revision}"` });
    return { channel, told: '' };
  } catch (error) {
    return { channel, told: error.message };
  }
}

/** Side by side, but never more than a few: a core has other things to do. */
async function each(channels, act) {
  const left = [...channels];
  const outcomes = [];
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, async () => {
    for (let channel = left.shift(); channel; channel = left.shift()) outcomes.push(await act(channel));
  }));
  return outcomes;
}

function report(verb, outcomes) {
  const failed = outcomes.filter((outcome) => outcome.told);
  const title = failed.length ? `${failed.length} of ${outcomes.length} not ${past(verb)}` : `${outcomes.length} ${past(verb)}`;
  tell(title, h('table', {}, h('tbody', {}, ...[...failed, ...outcomes.filter((outcome) => !outcome.told)].map(({ channel, told }) => h('tr', {},
    h('td', {}, channel.channel), h('td', {}, badge(told ? 'failed' : 'finished', told ? 'not done' : past(verb))), h('td', { class: 'quiet' }, told))))));
}
