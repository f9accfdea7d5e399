// The last hour of each channel's voltage: what the server saw, then what comes live.

import { get } from './api.js';
import { live } from './live.js';

const HOUR = 3600; // seconds
const EVERY = 15; // seconds between points that come live; the server's are never denser in a whole hour
const MOST = 360; // points: the server's, and an hour of live ones

/**
 * Keep it for as long as somebody looks, from the first curve on; `changed` is called when there is something to
 * draw. A curve is `[seconds (UTC), volts]` in the order of time, volts null where nobody read.
 */
export function lastHour(changed) {
  const kept = new Map();
  let timer = null;

  function begin() {
    timer = setInterval(add, EVERY * 1000);
    get('/channels/hour').then(({ times, voltages }) => {
      for (const [core, channels] of Object.entries(voltages)) for (const [name, values] of Object.entries(channels)) kept.set(`${core}/${name}`, values.map((volts, i) => [times[i], volts]));
      add();
    }).catch(() => {}); // the curves begin now instead
  }

  function of(key) {
    if (timer === null) begin();
    return kept.get(key) ?? [];
  }

  function add() {
    const now = Date.now() / 1000;
    for (const channel of live.channels) {
      const points = (kept.get(channel.key) ?? []).filter(([time]) => now - time < HOUR).slice(1 - MOST);
      if (points.length && now - points.at(-1)[0] > 4 * EVERY) points.push([now, null]); // the laptop slept: no line crosses it
      points.push([now, channel.state === 'running' && !live.stale(channel) ? channel.latest.voltage ?? null : null]);
      kept.set(channel.key, points);
    }
    changed();
  }

  return { of, end: () => clearInterval(timer) };
}
