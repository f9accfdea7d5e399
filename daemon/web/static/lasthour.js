// The last hour of each channel's voltage: what the server saw, then what comes live.

import { get } from './api.js';
import { live } from './live.js';

const MOST = 240; // points of a curve a centimetre high

/** Keep it for as long as somebody looks, from the first curve on; `changed` is called when there is something to draw. */
export function lastHour(changed) {
  const kept = new Map();
  let timer = null;

  function begin() {
    timer = setInterval(add, 15000);
    get('/channels/hour').then(({ voltages }) => {
      for (const [core, channels] of Object.entries(voltages)) for (const [name, values] of Object.entries(channels)) kept.set(`${core}/${name}`, values);
      add();
    }).catch(() => {});
  }

  function of(key) {
    if (timer === null) begin();
    return kept.get(key) ?? [];
  }

  function add() {
    for (const channel of live.channels) {
      const values = kept.get(channel.key) ?? [];
      values.push(channel.state === 'running' && !live.stale(channel) ? channel.latest.voltage ?? null : null);
      if (values.length > MOST) values.shift();
      kept.set(channel.key, values);
    }
    changed();
  }

  return { of, end: () => clearInterval(timer) };
}
