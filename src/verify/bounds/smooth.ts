/**
 * Relaxations of Sigmoid and Tanh: s-shaped functions, steepest at 0, convex below and concave above it.
 *
 * @module
 */

import { down, emptyBounds, up, type ValueBounds } from "./batch.ts";
import { type Lines, newLines, type PlanePair, relaxByLines } from "./line_pairs.ts";
import type { Relaxation } from "./relu.ts";

/** A function of this shape. */
export interface SmoothFunction {
  value(x: number): number;
  /** The derivative, from the value. */
  slope(value: number): number;
  /** The derivative at 0. */
  readonly steepest: number;
  /** The point above 0 where the derivative is k, for 0 < k < `steepest`. */
  inverseSlope(k: number): number;
}

/** The functions by the kind of their step. */
export const SMOOTH: Readonly<Record<"sigmoid" | "tanh", SmoothFunction>> = {
  sigmoid: {
    value: (x) => 1 / (1 + Math.exp(-x)),
    slope: (value) => value * (1 - value),
    steepest: 0.25,
    inverseSlope: (k) => {
      const value = (1 + Math.sqrt(Math.max(1 - 4 * k, 0))) / 2;
      return Math.log(value / (1 - value));
    },
  },
  tanh: {
    value: Math.tanh,
    slope: (value) => 1 - value * value,
    steepest: 1,
    inverseSlope: (k) => Math.atanh(Math.sqrt(Math.max(1 - k, 0))),
  },
};

/** More than values and slopes as computed can be off: they are below 1, and a few units in the last place are 2⁻⁵⁰. */
const COMPUTED = 2 ** -44;

/**
 * Lines around a function between two bounds. Slopes are chosen, and then the constants that make them valid: the
 * distance to a line of slope k is largest at an end or where the derivative is k.
 *
 * @param slack How far the networks' own values may be from the function.
 */
export function smoothLines(
  f: SmoothFunction,
  lower: number,
  upper: number,
  slack: number,
  out: Lines,
): void {
  const low = f.value(lower), high = f.value(upper);
  const room = COMPUTED + slack;
  out.least = low - room;
  out.greatest = high + room;
  const width = upper - lower;
  const chord = width > 0 ? clampSlope(f, (high - low) / width) : clampSlope(f, f.slope(low));
  const middle = clampSlope(f, f.slope(f.value((lower + upper) / 2)));
  // The function is below its chord where it is convex, and below its tangents where it is concave.
  out.upperSlope = upper <= 0 ? chord : lower >= 0 ? middle : tangent(f, lower, upper, chord, 1);
  out.lowerSlope = lower >= 0 ? chord : upper <= 0 ? middle : tangent(f, -upper, -lower, chord, -1);
  out.upperConstant = up(most(f, out.upperSlope, lower, upper, 1) + room);
  out.lowerConstant = down(-most(f, out.lowerSlope, lower, upper, -1) - room);
}

/** Far out, where a slope is as good as 0, a constant is as good as any line. */
function clampSlope(f: SmoothFunction, slope: number): number {
  return slope > 1e-9 ? Math.min(slope, f.steepest) : 0;
}

/**
 * The slope of the line from the lower end that touches the function above 0; the chord's if it touches beyond the upper
 * end. Any slope is valid: it is looked for no longer than it takes to be near.
 *
 * @param side −1 for the function turned around 0, which has the same shape.
 */
function tangent(
  f: SmoothFunction,
  lower: number,
  upper: number,
  chord: number,
  side: 1 | -1,
): number {
  const value = (x: number) => side * f.value(side * x);
  const start = value(lower);
  const gap = (x: number) => f.slope(f.value(x)) * (x - lower) - (value(x) - start);
  if (gap(upper) >= 0) return chord;
  let from = 0, to = upper;
  for (let step = 0; step < 24; step++) {
    const middle = (from + to) / 2;
    if (gap(middle) > 0) from = middle;
    else to = middle;
  }
  return clampSlope(f, f.slope(f.value(to)));
}

/** The largest side·(f(x) − k·x) between two bounds, up to the room for what is computed. */
function most(f: SmoothFunction, k: number, lower: number, upper: number, side: 1 | -1): number {
  if (k === 0) return Math.max(side * f.value(lower), side * f.value(upper));
  const distance = (x: number) => side * (f.value(x) - k * x);
  let largest = Math.max(distance(lower), distance(upper)) +
    k * Math.max(Math.abs(lower), Math.abs(upper)) * 2 ** -50;
  if (k < f.steepest) {
    // An error in the place counts squared.
    const place = side * f.inverseSlope(k);
    if (place > lower && place < upper) {
      largest = Math.max(largest, distance(place) + k * Math.abs(place) * 2 ** -50);
    }
  }
  return largest;
}

/**
 * Planes around g = f(z) − f(z − e) from the mean value theorem: g = f′(ξ)·e for a ξ between z and y, and chords of that
 * in e.
 */
export function slopePlanes(
  f: SmoothFunction,
  [from, to]: readonly [number, number],
  eLower: number,
  eUpper: number,
  slack: number,
): PlanePair {
  const slopeAt = (x: number) => f.slope(f.value(x));
  const greatest = (from <= 0 && to >= 0 ? f.steepest : Math.max(slopeAt(from), slopeAt(to))) +
    COMPUTED;
  const least = Math.max(Math.min(slopeAt(from), slopeAt(to)) - COMPUTED, 0);
  const room = 2 * slack;
  if (eLower >= 0) {
    return { upper: { p: 0, q: greatest, c: room }, lower: { p: 0, q: least, c: -room } };
  }
  if (eUpper <= 0) {
    return { upper: { p: 0, q: least, c: room }, lower: { p: 0, q: greatest, c: -room } };
  }
  const width = eUpper - eLower;
  const upper = (greatest * eUpper - least * eLower) / width;
  const lower = (least * eUpper - greatest * eLower) / width;
  return {
    upper: { p: 0, q: upper, c: (greatest - upper) * eUpper + room },
    lower: { p: 0, q: lower, c: (least - lower) * eUpper - room },
  };
}

/**
 * Relaxes such a function on every box.
 *
 * @param slack How far the networks' own values may be from the function; 0 for exact arithmetic.
 * @returns Intervals of a, b and g.
 */
export function relaxSmooth(
  kind: keyof typeof SMOOTH,
  bounds: ValueBounds,
  unit: number,
  slack: number,
  out: Relaxation,
): ValueBounds {
  const f = SMOOTH[kind];
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  const made = emptyBounds(zLower.length);
  const a = newLines(), b = newLines();
  for (let at = 0; at < zLower.length; at++) {
    smoothLines(f, zLower[at]!, zUpper[at]!, slack, a);
    smoothLines(f, yLower[at]!, yUpper[at]!, slack, b);
    const hull = [
      Math.min(zLower[at]!, yLower[at]!),
      Math.max(zUpper[at]!, yUpper[at]!),
    ] as const;
    const planes = slopePlanes(f, hull, eLower[at]!, eUpper[at]!, slack);
    relaxByLines(bounds, at, a, b, planes, unit, out, made);
  }
  return made;
}
