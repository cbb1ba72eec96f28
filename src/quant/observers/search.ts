/**
 * Searching for the range in which a grid makes the least error.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import type { Range } from "../ranges.ts";

/** The error with which a grid covers a range. Only has to be exact where it is below the limit. */
export type RangeCost = (range: Range, limit: number) => number;

/** A ratio of 1, in steps of a hundredth. */
const WHOLE = 100;

/**
 * The range with the least error among those that are the whole one shrunk towards zero: both ends by one ratio, in
 * hundredths, the best of which is refined. Where the grid is asymmetric and both ends are away from zero, the
 * refinement shrinks each end by its own ratio, so that scale and zero point are searched together.
 *
 * @param whole From the least to the greatest value.
 */
export function searchRange(whole: Range, grid: Grid, cost: RangeCost): Range {
  const low = Math.min(whole.min, 0);
  const high = Math.max(whole.max, 0);
  if (low === 0 && high === 0) return whole;
  let bestLow = WHOLE;
  let bestHigh = WHOLE;
  let least = Infinity;
  const attempt = (lowStep: number, highStep: number): boolean => {
    if (Math.min(lowStep, highStep) <= 0 || Math.max(lowStep, highStep) > WHOLE) return false;
    const range = { min: low * lowStep / WHOLE, max: high * highStep / WHOLE };
    const error = cost(range, least);
    if (!(error < least)) return false;
    bestLow = lowStep;
    bestHigh = highStep;
    least = error;
    return true;
  };
  const apart = !grid.symmetric && low < 0 && high > 0;
  for (const step of apart ? COARSE : FINE) attempt(step, step);
  const directions = apart ? APART : TOGETHER;
  for (const size of apart ? [8, 4, 2, 1, 0.5] : [4, 3, 2, 1, 0.5, 0.25]) {
    for (let moved = true; moved;) {
      moved = false;
      for (const [lowSign, highSign] of directions) {
        if (attempt(bestLow + lowSign * size, bestHigh + highSign * size)) moved = true;
      }
    }
  }
  return { min: low * bestLow / WHOLE, max: high * bestHigh / WHOLE };
}

/** Steps of a first pass, closer together where they are small. */
const COARSE = [
  ...[100, 95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25],
  ...[22, 19, 16, 14, 12, 10, 8, 6, 4, 3, 2, 1],
];

/** The same with all hundredths down to 0.75, where errors are least with 4 and more bits and few values. */
const FINE = [
  ...COARSE,
  ...Array.from({ length: 25 }, (_, index) => 99 - index).filter((step) => !COARSE.includes(step)),
];

type Directions = readonly (readonly [low: number, high: number])[];
const TOGETHER: Directions = [[-1, -1], [1, 1]];
const APART: Directions = [
  ...TOGETHER,
  ...[[-1, 0], [1, 0], [0, -1], [0, 1], [-1, 1], [1, -1]] as const,
];
