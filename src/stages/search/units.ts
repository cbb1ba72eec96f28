/**
 * Amounts as budgets say them.
 *
 * @module
 */

const BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
const MICROSECONDS: Readonly<Record<string, number>> = { us: 1, "µs": 1, ms: 1e3, s: 1e6 };

/** Bytes of a size such as `120kB` or `120000`. */
export function bytesOf(size: string | number): number {
  return typeof size === "number" ? size : Math.floor(amountOf(size, BYTES));
}

/** Microseconds of a time such as `250us`. */
export function microsecondsOf(time: string): number {
  return amountOf(time, MICROSECONDS);
}

function amountOf(text: string, units: Readonly<Record<string, number>>): number {
  const [, amount, unit] = /^([0-9.]+) ?(.+)$/.exec(text) ?? [];
  const factor = units[unit ?? ""];
  if (factor === undefined) throw new RangeError(`Amount "${text}" has no known unit`);
  // Decimal units, without the error of a binary product.
  return Number((Number(amount) * factor).toPrecision(15));
}
