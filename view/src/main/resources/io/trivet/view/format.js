// Numbers, sizes and times as text.
import {either} from './language.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, '')} ${UNITS[unit]}`;
}

export function count(value) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

// Where a text says "at least", round is Math.floor.
export function seconds(value, round = Math.round) {
  if (value < 1e-6) return `0 ${either('s', '秒')}`;
  if (value < 0.001) return `${round(value * 1e6)} ${either('µs', '微秒')}`;
  if (value < 0.9995) return `${round(value * 1e3)} ${either('ms', '毫秒')}`;
  if (value < 9.95) return `${round(value * 10) / 10} ${either('s', '秒')}`;
  if (value < 120) return `${round(value)} ${either('s', '秒')}`;
  if (value < 7200) return `${round(value / 60)} ${either('min', '分钟')}`;
  return value < 172800 ? `${round(value / 3600)} ${either('h', '小时')}` : `${round(value / 86400)} ${either('d', '天')}`;
}

// A time of a simulated run, to the microsecond.
export function simulated(nanos) {
  return nanos < 1e9 ? `${(nanos / 1e6).toFixed(3)} ms` : `${(nanos / 1e9).toFixed(6)} s`;
}

export function clock(millis) {
  return new Date(millis).toLocaleTimeString('sv'); // 14:03:59, whatever the locale
}

export function percent(part) {
  return `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}
