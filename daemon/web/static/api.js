// The API, asked; what it refuses is an error that carries the problem document.

/** A problem document (RFC 9457). */
export class Problem extends Error {
  constructor(document) {
    super(document.detail);
    this.status = document.status;
    this.title = document.title;
    this.type = document.type;
    this.errors = document.errors ?? [];
  }
}

const OURS = new Set(['/session', '/vocabulary']); // asked for the whole visit, not for one page of it
const URGENT = /^\/(safe|runs\/[^/]+\/(pause|resume|stop)|channels\/.+\/clear)$/;
const LONG = 2000; // milliseconds after which what looks makes room for what is urgent
const looking = new Set(); // what was asked only to be looked at, and is not answered yet

/** What to do when nobody is logged in any more. */
export const nobody = new EventTarget();

/** Ask, and return what is answered. @param {string} path below /api/v1 @param {RequestInit} [options] */
const ask = async (path, options) => (await answered(path, options)).document;

/** Ask, and return what is answered with the ETag of what stands there. */
async function answered(path, options = {}) {
  if (URGENT.test(path)) makeRoom();
  const under = { asking: new AbortController(), since: performance.now(), left: false };
  const looks = !options.method || path.endsWith('/check');
  if (looks && !OURS.has(path)) looking.add(under);
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { credentials: 'same-origin', signal: under.asking.signal, ...options });
  } catch {
    if (under.left) return new Promise(() => {}); // nobody is there who could be told
    throw new Problem({ status: 0, title: 'No answer', detail: looks ? 'The page’s server does not answer.' : 'The page’s server did not answer; whether it was done is not known. Look before you do it again.' });
  } finally {
    looking.delete(under);
  }
  if (answer.ok) return { document: answer.status === 204 ? null : await answer.json(), etag: answer.headers.get('etag') };
  const found = await answer.json().catch(() => ({ status: answer.status, title: answer.statusText, detail: answer.statusText }));
  if (answer.status === 401 && path !== '/session') nobody.dispatchEvent(new Event('gone'));
  throw new Problem(found);
}

/** Nobody looks at the page any more that asked: a browser has few connections, and they are wanted for the next. */
export function leave() {
  for (const under of looking) {
    under.left = true;
    under.asking.abort();
  }
}

/** Give up what has waited for long, for a core that does not answer: no stop may wait behind it for a connection. */
function makeRoom() {
  for (const under of looking) if (performance.now() - under.since > LONG) under.asking.abort();
}

export const get = (path) => ask(path);
export const getTagged = (path) => answered(path);

const sent = (method, body, headers) => ({
  method,
  headers: body === null ? headers : { 'content-type': 'application/json', ...headers },
  body: body === null ? null : JSON.stringify(body),
});

const sending = (method) => (path, body = null, headers = {}) => ask(path, sent(method, body, headers));

/** Send a body; `headers` such as If-Match and Idempotency-Key go with it. */
export const post = sending('POST');
export const put = sending('PUT');
export const putTagged = (path, body, headers = {}) => answered(path, sent('PUT', body, headers));

export const remove = (path, headers = {}) => ask(path, { method: 'DELETE', headers });

/** A path of segments, each of which may hold anything. */
export const path = (...segments) => '/' + segments.map(encodeURIComponent).join('/');
