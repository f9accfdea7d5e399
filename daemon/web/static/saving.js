// Files made in the browser of what it shows, and sent nowhere.

import { h } from './dom.js';

const KEPT = 60000; // milliseconds a browser may take to begin

/** Give somebody a file. @param {Blob} content @param {string} name */
export function save(content, name) {
  const link = h('a', { href: URL.createObjectURL(content), download: name.replace(/[^\w.-]+/g, '_') });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

/** Rows as comma-separated values, a Blob; numbers as they are, nothing for null. */
export function csv(rows) {
  return new Blob([rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'], { type: 'text/csv' });
}

/** Text that no spreadsheet takes for a formula. */
function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
