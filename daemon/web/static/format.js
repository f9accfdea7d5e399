// Numbers as a lab writes them; SI comes in, a person's units go out.

const PREFIXES = [[1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n'], [1e-12, 'p']];
const NONE = '–';

/** A quantity with the prefix that leaves one to three digits before the point. */
export function engineering(value, unit, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  const size = Math.abs(value);
  if (size < 1e-12) return `0 ${unit}`;
  const [factor, prefix] = PREFIXES.find(([each]) => size >= each * 0.9995) ?? PREFIXES[PREFIXES.length - 1];
  return `${(value / factor).toPrecision(digits).replace(/e\+?/, 'e')} ${prefix}${unit}`.replace('-', '−');
}

export const volts = (value) => (value === null || value === undefined ? NONE : `${value.toFixed(4)} V`.replace('-', '−'));

/** Amperes with their sign: + charges. What is smaller than a nanoampere is no current. */
export function amperes(value) {
  if (value === null || value === undefined) return NONE;
  if (Math.abs(value) < 1e-9) return '0 A';
  return (value > 0 ? '+' : '') + engineering(value, 'A');
}

/** Coulombs as ampere hours. */
export const ampereHours = (coulombs) => (coulombs === null || coulombs === undefined ? NONE : engineering(coulombs / 3600, 'Ah', 4));

export const celsius = (value) => (value === null || value === undefined ? NONE : `${value.toFixed(1)} °C`);

/** Seconds as a person says them. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const whole = Math.round(seconds);
  if (whole < 60) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** How long ago, short: for a corner of a cell. */
export function age(seconds) {
  if (seconds === null) return '';
  if (seconds < 60) return `${Math.max(0, seconds).toFixed(0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

/** A moment (ISO 8601 or UTC seconds) in this browser's time. */
export function moment(when) {
  if (when === null || when === undefined) return NONE;
  const date = new Date(typeof when === 'number' ? when * 1000 : when);
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

export const percent = (fraction, digits = 2) => (fraction === null || fraction === undefined ? NONE : `${(fraction * 100).toFixed(digits)} %`);

/** A number with its uncertainty, to the digit that is uncertain. */
export function uncertain(value, uncertainty) {
  if (value === null || value === undefined) return NONE;
  if (!uncertainty) return value.toPrecision(5).replace('-', '−');
  const place = Math.floor(Math.log10(uncertainty)) - 1;
  if (place < 0 && place > -7) return `${value.toFixed(-place)} ± ${uncertainty.toFixed(-place)}`.replace('-', '−');
  return `${value.toPrecision(4)} ± ${uncertainty.toPrecision(2)}`.replace('-', '−');
}
