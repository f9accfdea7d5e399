// The live state of every channel: a snapshot, then what changes; kept here, shown by whoever listens.

const FIELDS = ['read_at', 'time', 'voltage', 'current', 'capacity', 'energy', 'temperature', 'step', 'cycle'];
const LOST = 5; // seconds without a message: the values are no longer live
const STREAM_TRIES = 2; // WebSockets that may fail before server-sent events are used instead

/** Tells `change` (detail: Set of keys, or null for all) and `link`. */
class Live extends EventTarget {
  constructor() {
    super();
    /** @type {{core: string, channel: string}[]} */
    this.channels = [];
    this.byKey = new Map();
    this.cores = [];
    this.link = 'connecting';
    this.heard = 0;
    this.ahead = 0; // seconds the server's clock is ahead of ours
    this.failures = 0;
    this.source = null;
  }

  start() {
    if (this.source) return;
    this.open();
    this.timer ??= setInterval(() => this.check(), 1000);
  }

  stop() {
    this.source?.close();
    this.source = null;
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.timer = this.retry = undefined;
  }

  open() {
    const secure = location.protocol === 'https:' ? 'wss' : 'ws';
    const source = this.failures < STREAM_TRIES ? new WebSocket(`${secure}://${location.host}/api/v1/live`) : new EventSource('/api/v1/live/events');
    this.source = source;
    source.onmessage = (event) => this.take(JSON.parse(event.data));
    source.onerror = source.onclose = () => this.again(source);
  }

  again(source) {
    if (this.source !== source) return;
    source.onclose = source.onerror = null;
    source.close();
    this.failures += 1;
    this.source = null;
    this.retry = setTimeout(() => this.open(), Math.min(8000, 500 * 2 ** Math.min(this.failures, 5)));
    this.check();
  }

  check() {
    const silent = performance.now() / 1000 - this.heard;
    const link = this.heard && silent < LOST ? 'live' : this.heard || this.failures > 1 ? 'lost' : 'connecting';
    if (link !== this.link) {
      this.link = link;
      this.dispatchEvent(new Event('link'));
    }
  }

  take(message) {
    this.heard = performance.now() / 1000;
    this.ahead = message.at - Date.now() / 1000;
    this.cores = message.cores;
    this.failures = 0;
    const changed = message.kind === 'snapshot' ? this.anew(message) : this.update(message);
    this.check();
    this.dispatchEvent(new CustomEvent('change', { detail: changed }));
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
    return read === null || read === undefined ? null : Date.now() / 1000 + this.ahead - read;
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

/** One word for a channel: a latch is said before anything else. */
export function stateOf(channel) {
  return channel.latch ? 'latched' : channel.state;
}
