/**
 * Searching for the range in which a grid makes the least error.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import type { Range } from "../ranges.ts";

/** The error with which a grid covers a range. Only has to be exact where it is below the limit. */
export type RangeCost = (range: Range, limit: number) => number;

/** Shrink ratios 1, 0.99 … 0.01. */
const STEPS = 100;

/**
 * The range with the least error among those that are the whole one shrunk towards zero.
 *
 * Both ends shrink by one ratio; where the grid is asymmetric and both ends are away from zero, each also by its
 * own, which moves the zero point. All ratios of hundredths are tried (for two different ones those of tenths),
 * then the best is refined to thousandths.
 *
 * @param whole From the least to the greatest value.
 */
export function searchRange(whole: Range, grid: Grid, cost: RangeCost): Range {
  const low = Math.min(whole.min, 0);
  const high = Math.max(whole.max, 0);
  if (low === 0 && high === 0) return whole;
  const best = { low: STEPS, high: STEPS, cost: Infinity };
  const attempt = (lowStep: number, highStep: number): boolean => {
    const range = { min: low * lowStep / STEPS, max: high * highStep / STEPS };
    const value = cost(range, best.cost);
    if (!(value < best.cost)) return false;
    best.low = lowStep;
    best.high = highStep;
    best.cost = value;
    return true;
  };
  for (let step = STEPS; step >= 1; step--) attempt(step, step);
  const apart = !grid.symmetric && low < 0 && high > 0;
  if (apart) {
    for (let lowStep = STEPS; lowStep >= 10; lowStep -= 10) {
      for (let highStep = STEPS; highStep >= 10; highStep -= 10) attempt(lowStep, highStep);
    }
  }
  const directions = apart ? DIRECTIONS : DIRECTIONS.filter(([a, b]) => a === b);
  for (const size of apart ? [4, 2, 1, 0.5, 0.25, 0.1] : [0.5, 0.25, 0.1]) {
    for (let moved = true; moved;) {
      moved = false;
      for (const [lowSign, highSign] of directions) {
        const lowStep = best.low + lowSign * size;
        const highStep = best.high + highSign * size;
        if (lowStep <= 0 || highStep <= 0 || lowStep > STEPS || highStep > STEPS) continue;
        if (attempt(lowStep, highStep)) moved = true;
      }
    }
  }
  return { min: low * best.low / STEPS, max: high * best.high / STEPS };
}

const DIRECTIONS: readonly (readonly [number, number])[] = [
  [-1, -1],
  [1, 1],
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
  [-1, 1],
  [1, -1],
];
