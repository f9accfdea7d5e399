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

/** What to do when nobody is logged in any more. */
export const nobody = new EventTarget();

/** Ask, and return what is answered. @param {string} path below /api/v1 @param {RequestInit} [options] */
const ask = async (path, options) => (await answered(path, options)).document;

/** Ask, and return what is answered with the ETag of what stands there. */
async function answered(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { credentials: 'same-origin', ...options });
  } catch {
    throw new Problem({ status: 0, title: 'No answer', detail: 'The page’s server does not answer; nothing was changed.' });
  }
  if (answer.ok) return { document: answer.status === 204 ? null : await answer.json(), etag: answer.headers.get('etag') };
  const found = await answer.json().catch(() => ({ status: answer.status, title: answer.statusText, detail: answer.statusText }));
  if (answer.status === 401 && path !== '/session') nobody.dispatchEvent(new Event('gone'));
  throw new Problem(found);
}

export const get = (path, signal) => ask(path, { signal });
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
