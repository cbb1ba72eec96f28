/**
 * From numbers to places on a chart.
 *
 * @module
 */

import { formatNumber } from "../../base/units.ts";

/** An axis: where numbers lie on it, and which of them are written at it. */
export interface Scale {
  /** The place of a number, in pixels. */
  at(value: number): number;
  readonly ticks: readonly number[];
  readonly kind: "linear" | "log";
}

/**
 * Equal steps. The ends are moved outwards to round numbers.
 *
 * @param from Where the least number lies.
 * @param to Where the greatest one lies.
 */
export function linearScale(values: readonly number[], from: number, to: number, count = 5): Scale {
  const [low, high] = extent(values);
  const step = roundStep((high - low) / count);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from(
    { length: last - first + 1 },
    (_, index) => cleaned((first + index) * step),
  );
  const [start, end] = [first * step, last * step];
  return {
    kind: "linear",
    ticks,
    at: (value) => from + (to - from) * (value - start) / (end - start),
  };
}

/** Equal ratios, between round numbers; all values must be positive. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const ticks = roundNumbers(...extent(values.map(Math.log10)));
  const [start, end] = [Math.log10(ticks[0]!), Math.log10(ticks.at(-1)!)];
  return {
    kind: "log",
    ticks,
    at: (value) => from + (to - from) * (Math.log10(value) - start) / (end - start),
  };
}

/** Round numbers of equal or similar ratios around those with the given decimal logarithms. */
function roundNumbers(low: number, high: number): number[] {
  const first = Math.floor(low + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high - 1e-9));
  if (last - first > 3) {
    const every = Math.ceil((last - first) / 6);
    const count = Math.ceil((last - first) / every);
    return Array.from({ length: count + 1 }, (_, index) => Number(`1e${first + index * every}`));
  }
  const all: number[] = [];
  for (let power = first; power <= last; power++) {
    for (const digit of [1, 2, 5]) all.push(Number(`${digit}e${power}`));
  }
  const below = all.findLastIndex((each) => Math.log10(each) <= low + 1e-9);
  const above = all.findIndex((each) => Math.log10(each) >= high - 1e-9);
  return all.slice(below, above + 1);
}

/**
 * By ratios where values are positive and far apart, else by steps.
 *
 * @param ratio What is far apart.
 */
export function fittingScale(
  values: readonly number[],
  from: number,
  to: number,
  ratio = 50,
): Scale {
  const least = Math.min(...values);
  return least > 0 && Math.max(...values) / least > ratio
    ? logScale(values, from, to)
    : linearScale(values, from, to);
}

/** A number at an axis. */
export function tickText(value: number): string {
  const magnitude = Math.abs(value);
  if (value === 0 || magnitude >= 1e-3 && magnitude < 1e5) return formatNumber(value);
  return value.toExponential().replace("e+", "e");
}

/** The least and greatest of some values, moved apart where nothing lies between them that could be told apart. */
function extent(values: readonly number[]): [low: number, high: number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const magnitude = Math.max(Math.abs(low), Math.abs(high));
  if (magnitude < 1e-290) return [0, 1];
  return high - low > 1e-9 * magnitude ? [low, high] : [low - magnitude / 2, high + magnitude / 2];
}

/** The next of 1, 2, 5, 10, … that is not smaller. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((each) => each * power >= step * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Without the noise of binary fractions. */
function cleaned(value: number): number {
  return Number(value.toPrecision(12));
}
