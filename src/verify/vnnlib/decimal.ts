/**
 * Decimal numbers as texts, rounded to float64 in a given direction.
 *
 * @module
 */

import { nextDown, nextUp } from "../neighbors.ts";

const DECIMAL = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?$/;

/** Whether a text is a decimal number, with or without an exponent. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** The largest float64 that is not above a decimal number; infinite beyond the range of float64. */
export function roundDown(text: string): number {
  const nearest = Number(text);
  return compare(text, nearest) < 0 ? nextDown(nearest) : nearest;
}

/** The least float64 that is not below a decimal number. */
export function roundUp(text: string): number {
  const nearest = Number(text);
  return compare(text, nearest) > 0 ? nextUp(nearest) : nearest;
}

/** The sign of decimal − value, exactly, for the float64 that is nearest to the decimal number. */
function compare(text: string, value: number): number {
  const [, sign, mantissa, exponentText] = DECIMAL.exec(text)!;
  const [whole, fraction = ""] = mantissa!.split(".");
  const digits = BigInt(whole! + fraction);
  if (digits === 0n) return 0;
  const sense = sign === "-" ? -1 : 1;
  if (value === 0) return sense;
  if (!Number.isFinite(value)) return -sense;
  const exponent = Number(exponentText ?? 0) - fraction.length;
  // digits · 10^exponent against m · 2^k, both sides made integers.
  const [m, k] = binary(Math.abs(value));
  let left = digits;
  let right = m;
  if (exponent >= 0) left *= powerOfTen(exponent);
  else right *= powerOfTen(-exponent);
  if (k >= 0) right <<= BigInt(k);
  else left <<= BigInt(-k);
  return left === right ? 0 : left > right ? sense : -sense;
}

const POWERS: bigint[] = [];

function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ??= 10n ** BigInt(exponent);
}

/** A positive float64 as an integer times a power of two. */
function binary(value: number): [bigint, number] {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
  const exponent = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  return exponent === 0 ? [fraction, -1074] : [fraction | 0x10000000000000n, exponent - 1075];
}
