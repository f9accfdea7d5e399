// Numbers as a lab writes them; SI comes in, a person's units go out.

const PREFIXES = [[1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n'], [1e-12, 'p']];
const NONE = '–';
const LEAST_AMPERES = 1e-8; // what an open circuit is read as: noise, not a current
const LEAST_AMPERE_HOURS = 1e-9;

/** A quantity with the prefix that leaves one to three digits before the point. */
export function engineering(value, unit, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  const size = Math.abs(value);
  if (size < 1e-12) return `0 ${unit}`;
  const [factor, prefix] = PREFIXES.find(([each]) => size >= each * 0.9995) ?? PREFIXES[PREFIXES.length - 1];
  return `${(value / factor).toPrecision(digits).replace(/e\+?/, 'e')} ${prefix}${unit}`.replace('-', '−');
}

/** Volts to a tenth of a millivolt; no zero has a sign. */
export function volts(value) {
  if (value === null || value === undefined) return NONE;
  const text = value.toFixed(4);
  return `${text === '-0.0000' ? '0.0000' : text} V`.replace('-', '−');
}

/** Amperes with their sign: + charges. */
export function amperes(value) {
  if (value === null || value === undefined) return NONE;
  if (Math.abs(value) < LEAST_AMPERES) return '0 A';
  return (value > 0 ? '+' : '') + engineering(value, 'A');
}

/** Coulombs as ampere hours; what noise adds up to is nothing. */
export function ampereHours(coulombs) {
  if (coulombs === null || coulombs === undefined) return NONE;
  const value = coulombs / 3600;
  return Math.abs(value) < LEAST_AMPERE_HOURS ? '0 Ah' : engineering(value, 'Ah', 4);
}

export const celsius = (value) => (value === null || value === undefined ? NONE : `${value.toFixed(1)} °C`.replace('-', '−'));

/** What a step was set to, as a lab writes it. */
export const setting = (text) => (text ?? '').replace(/\bu(?=A|V|W|S)/g, 'µ').replace(/(^|\s)-(?=\d)/g, '$1−');

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

/** Which time this browser shows: its own, or UTC. */
export const zone = () => localStorage.getItem('zone') ?? 'local';

const dated = (when) => new Date(typeof when === 'number' ? when * 1000 : when);

function written(when, parts) {
  const options = { hourCycle: 'h23', ...parts, ...(zone() === 'UTC' ? { timeZone: 'UTC' } : {}) };
  return new Intl.DateTimeFormat('sv-SE', options).format(dated(when)); // year, month, day: in every lab the same
}

const DAY = { year: 'numeric', month: '2-digit', day: '2-digit' };
const MINUTE = { hour: '2-digit', minute: '2-digit' };

/** A moment (ISO 8601 or UTC seconds) in this browser's time: 2026-11-25 20:23. */
export function moment(when) {
  if (when === null || when === undefined) return NONE;
  return written(when, { ...DAY, ...MINUTE });
}

/** The same, to the second and with its zone. */
export const exactly = (when) => written(when, { ...DAY, ...MINUTE, second: '2-digit', timeZoneName: 'short' });

/** A moment to come, as short as it can be told: 14:20, Thu 14:20, 2026-12-03. */
export function ahead(seconds) {
  const when = Date.now() / 1000 + seconds;
  if (seconds < 12 * 3600) return written(when, MINUTE);
  if (seconds > 6 * 86400) return written(when, DAY);
  const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', ...(zone() === 'UTC' ? { timeZone: 'UTC' } : {}) }).format(dated(when));
  return `${day} ${written(when, MINUTE)}`;
}

/** How long ago a moment was, in words. */
export function ago(when) {
  const seconds = Date.now() / 1000 - dated(when).getTime() / 1000;
  return seconds < 10 ? 'just now' : `${age(seconds)} ago`;
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

/** Units of figures of merit as a lab writes them, and how much of one is one of SI. */
const LAB_UNITS = {
  C: ['mAh', 1 / 3.6], 'C/kg': ['mAh/g', 1 / 3600], 'C/m2': ['mAh/cm²', 1 / 36000], J: ['mWh', 1 / 3.6], 'J/kg': ['Wh/kg', 1 / 3600], 'S/m': ['mS/cm', 10], '1/cycle': ['%/cycle', 100], ohm: ['Ω', 1], 'ohm m2': ['Ω cm²', 1e4], 'm2/s': ['cm²/s', 1e4], 'A/m2': ['mA/cm²', 0.1], '1': ['', 1],
};
const SHARES = /efficiency|retention/;

const PEOPLE = [[/coulombic/, 'Coulombic'], [/theil sen/, 'Theil–Sen'], [/kramers kronig/, 'Kramers–Kronig'], [/macmullin/, 'MacMullin'], [/evans vincent bruce/, 'Evans–Vincent–Bruce']];

/** A figure of merit by its name; who gave it theirs has a capital. */
export const figureName = (name) => PEOPLE.reduce((words, [who, written]) => words.replace(who, written), name.replaceAll('_', ' '));

/** A figure of merit as `{ value, unit }`, in the units of a lab; `name` tells shares, which are said in per cent. */
export function figure(name, value, uncertainty, unit) {
  const [words, factor] = unit === '1' && SHARES.test(name) ? ['%', 100] : LAB_UNITS[unit] ?? [unit, 1];
  const times = (number) => (number === null || number === undefined ? number : number * factor);
  return { value: uncertain(times(value), times(uncertainty)), unit: words };
}
