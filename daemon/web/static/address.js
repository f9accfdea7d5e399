// What a view shows beyond its name stands in the address, so that it can be sent to somebody.

/** The words after the question mark of the address. */
export const asked = () => new URLSearchParams(location.hash.split('?')[1] ?? '');

/** Say it in the address, without a step back for each letter; who is on the way to another page goes there. */
export function tell(view, query) {
  if (location.hash.split('?')[0] !== view) return;
  const words = query.toString();
  history.replaceState(null, '', `${location.pathname}${view}${words ? `?${words}` : ''}`);
}
