/**
 * Numbers as people read them.
 *
 * @module
 */

/** What a number counts; `bound` is a number that something else is proven not to exceed. */
export type Unit =
  | "fraction"
  | "bytes"
  | "bits"
  | "seconds"
  | "count"
  | "decibel"
  | "number"
  | "bound";

/** A number with its unit, such as `98.83 %`, `357 kB` or `29.91 dB`. */
export function formatQuantity(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return "undefined";
  switch (unit) {
    case "fraction":
      return `${fixed(value * 100, 2)} %`;
    case "bytes":
      return formatBytes(value);
    case "seconds":
      return formatSeconds(value);
    case "decibel":
      return `${fixed(value, 2)} dB`;
    case "bits":
    case "count":
    case "number":
      return formatNumber(value);
    case "bound":
      return formatBound(value);
  }
}

/** Four significant digits; integers whole. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  if (!Number.isFinite(value)) return fixed(value, 0);
  return String(Number(value.toPrecision(4)));
}

/** Four significant digits, rounded up: an upper bound has to be as true as it is written. */
export function formatBound(value: number): string {
  const text = formatNumber(value);
  if (!Number.isFinite(value) || Number(text) >= value) return text;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 3);
  return formatNumber(Number(text) + step);
}

/** Decimal units, three significant digits: `512 B`, `357 kB`, `4.95 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** `8 ms`, `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** How long ago something was: `just now`, `5 minutes ago`, `3 days ago`, or the date if it is longer. */
export function formatAge(time: string, now: number = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (minutes < 1) return "just now";
  const ago = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  if (minutes < 60) return ago(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return ago(hours, "hour");
  const days = Math.floor(hours / 24);
  return days < 30 ? ago(days, "day") : `on ${time.slice(0, 10)}`;
}

/** For clocks that tick: `6 s`, then as {@linkcode formatSeconds}. */
export function formatWholeSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : formatSeconds(whole);
}

function fixed(value: number, digits: number): string {
  if (Number.isFinite(value)) return value.toFixed(digits);
  return value > 0 ? "∞" : "−∞";
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
