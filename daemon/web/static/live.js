// The live state of every channel: a snapshot, then what changes; kept here, shown by whoever listens.

import { get, nobody } from './api.js';

const FIELDS = ['read_at', 'time', 'voltage', 'current', 'capacity', 'energy', 'temperature', 'step', 'cycle'];
const LOST = 5; // seconds without a message: the values are no longer live
const STREAM_TRIES = 2; // WebSockets that may fail before server-sent events are used instead
const LATE = 2; // seconds a message may be on its way longer than the quickest one
const PATIENCE = 5; // late messages after which the stream is begun anew: what queues on the way is old
const DRIFT = 0.001; // seconds a second by which two clocks may run apart
const DEAD = 10; // seconds without a message, of which one comes every second: what is open leads nowhere
const NOT_KNOWN = 4401; // why a stream ends whose visitor has logged out, or whose token is revoked

const ticking = () => performance.now() / 1000;

/** A moment by two clocks: one of them may stand still while a laptop sleeps, the other may be set. */
const moment = () => ({ ticking: ticking(), clock: Date.now() / 1000 });
const since = (when) => (when ? Math.max(ticking() - when.ticking, Date.now() / 1000 - when.clock) : Infinity);

/** Tells `change` (detail: Set of keys, or null for all) and `link`. */
class Live extends EventTarget {
  constructor() {
    super();
    /** @type {{core: string, channel: string}[]} */
    this.channels = [];
    this.byKey = new Map();
    this.cores = [];
    this.link = 'connecting';
    this.heard = null; // when the last message came
    this.opened = null; // when we asked for the stream
    this.ahead = -Infinity; // seconds the server's clock is ahead of our ticking one, by the quickest message
    this.late = 0;
    this.number = 0;
    this.failures = 0;
    this.source = null;
    document.addEventListener('visibilitychange', () => this.check());
    window.addEventListener('online', () => this.hurry());
  }

  start() {
    this.timer ??= setInterval(() => this.check(), 1000);
    this.hurry();
  }

  stop() {
    this.close();
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.timer = this.retry = undefined;
    this.heard = null;
    this.failures = 0;
    this.check();
  }

  /** Connect now, if a connection is wanted and there is none. */
  hurry() {
    if (this.source || !this.timer) return;
    clearTimeout(this.retry);
    this.open();
  }

  open() {
    const secure = location.protocol === 'https:' ? 'wss' : 'ws';
    const source = this.failures < STREAM_TRIES ? new WebSocket(`${secure}://${location.host}/api/v1/live`) : new EventSource('/api/v1/live/events');
    this.source = source;
    this.opened = moment();
    this.ahead = -Infinity;
    this.late = 0;
    source.onmessage = (event) => { if (this.source === source) this.take(JSON.parse(event.data)); };
    source.onerror = source.onclose = (event) => { if (this.source === source) this.again(event.code); };
  }

  close() {
    if (!this.source) return;
    this.source.onclose = this.source.onerror = this.source.onmessage = null;
    this.source.close();
    this.source = null;
  }

  /** The stream has ended: open another one in a while, unless nobody is logged in any more. */
  again(code) {
    this.close();
    this.failures += 1;
    this.retry = setTimeout(() => this.open(), Math.min(8000, 500 * 2 ** Math.min(this.failures, 5)));
    if (code === NOT_KNOWN || this.failures > 1) this.ask();
    this.check();
  }

  async ask() {
    const visitor = await get('/session').catch(() => null);
    if (visitor && !visitor.name) nobody.dispatchEvent(new Event('gone'));
  }

  check() {
    const silent = since(this.heard);
    if (this.source && Math.min(silent, since(this.opened)) > DEAD) this.again();
    const link = silent < LOST ? 'live' : this.heard || this.failures > 1 ? 'lost' : 'connecting';
    if (link !== this.link) {
      this.link = link;
      this.dispatchEvent(new Event('link'));
    }
  }

  take(message) {
    this.heard = moment();
    this.failures = 0;
    this.cores = message.cores;
    if (message.kind === 'change' && message.number !== this.number + 1) { // something is missing: begin anew
      this.again();
      return;
    }
    this.number = message.number;
    this.time(message.at - ticking());
    const changed = message.kind === 'snapshot' ? this.anew(message) : this.update(message);
    this.check();
    this.dispatchEvent(new CustomEvent('change', { detail: changed }));
  }

  /** Compare clocks. A message is never early, so the quickest one tells best; one that is late makes nothing young. */
  time(ahead) {
    this.ahead = Math.max(ahead, this.ahead - DRIFT);
    this.late = this.ahead - ahead > LATE ? this.late + 1 : 0;
    if (this.late > PATIENCE) this.again();
  }

  anew(message) {
    this.channels = message.channels.map((facts) => ({ ...facts, key: `${facts.core}/${facts.channel}`, latest: {} }));
    this.byKey = new Map(this.channels.map((channel) => [channel.key, channel]));
    for (const row of message.values) this.value(row);
    return null;
  }

  update(message) {
    const changed = new Set();
    for (const facts of message.channels) {
      const channel = this.channels[facts.index];
      Object.assign(channel, facts);
      changed.add(channel.key);
    }
    for (const row of message.values) changed.add(this.value(row));
    return changed;
  }

  value(row) {
    const channel = this.channels[row[0]];
    FIELDS.forEach((field, i) => { channel.latest[field] = row[i + 1]; });
    return channel.key;
  }

  /** Seconds since a channel was last read, by the server's clock; null where it never was. */
  age(channel) {
    const read = channel.latest.read_at;
    return read === null || read === undefined ? null : ticking() + this.ahead - read;
  }

  /** Whether what is shown of a channel can no longer be relied on. */
  stale(channel) {
    const silent = this.cores.some((core) => core.core === channel.core && core.trouble);
    if (this.link === 'lost' || silent) return true;
    return channel.state === 'running' && (this.age(channel) ?? 0) > channel.patience;
  }

  /** The channel that has a run in hand. */
  ofRun(run) {
    return this.channels.find((channel) => channel.run === run) ?? null;
  }
}

export const live = new Live();

const ENDS = ['finished', 'stopped', 'failed'];

/** One word for a channel: a latch before anything else; where nothing runs, how the last run ended. */
export function stateOf(channel) {
  if (channel.latch) return 'latched';
  if (channel.state !== 'idle') return channel.state;
  const end = channel.revision.split('-').at(-1);
  return ENDS.includes(end) ? end : 'idle';
}

/** Call somebody each time the link is there again; returns what ends that. */
export function whenBack(hear) {
  let away = live.link !== 'live';
  const told = () => {
    const back = away && live.link === 'live';
    away = live.link !== 'live';
    if (back) hear();
  };
  live.addEventListener('link', told);
  return () => live.removeEventListener('link', told);
}
