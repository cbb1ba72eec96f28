/**
 * Where to clip values of a known distribution for a grid as it is: with its ends among its points, and zero too.
 *
 * @module
 */

import { type Grid, parametersFromRange } from "../grid.ts";
import { normalDensity, normalProbability } from "../normal_distribution.ts";
import { type Distribution, optimalClip } from "./clipping.ts";

/** Which values there are: of both signs, or of one. */
export type Sides = "both" | "above" | "below";

const known = new Map<string, number>();

/**
 * The best α of a distribution around zero, in units of its b or σ, where the grid covers −α … α, or one half of that.
 * It minimizes the exact mean square error, cell by cell; above 8 bits, where nothing is left to gain by that, the
 * error that rounding to so many steps makes on average.
 */
export function optimalGridClip(distribution: Distribution, grid: Grid, sides: Sides): number {
  if (grid.bits > 8) return optimalClip(distribution, 2 / rangeOf(1, grid, sides).scale);
  const key = `${distribution} ${grid.qmin} ${grid.qmax} ${grid.symmetric} ${sides}`;
  let clip = known.get(key);
  if (clip === undefined) {
    clip = minimum((alpha) => meanSquareError(distribution, points(alpha, grid, sides), sides));
    known.set(key, clip);
  }
  return clip;
}

function rangeOf(alpha: number, grid: Grid, sides: Sides) {
  return parametersFromRange(sides === "above" ? 0 : -alpha, sides === "below" ? 0 : alpha, grid);
}

function points(alpha: number, grid: Grid, sides: Sides): number[] {
  const { scale, zeroPoint } = rangeOf(alpha, grid, sides);
  return Array.from(
    { length: grid.qmax - grid.qmin + 1 },
    (_, index) => (grid.qmin + index - zeroPoint) * scale,
  );
}

/**
 * The mean (x − x̂)² of a distribution of unit scale around zero, each value rounded to the nearest of some points;
 * where it has one side only, that side's.
 *
 * @param points Ascending.
 */
export function meanSquareError(
  distribution: Distribution,
  points: readonly number[],
  sides: Sides,
): number {
  const moments = distribution === "laplace" ? laplaceMoments : gaussMoments;
  const first = sides === "above" ? 0 : -Infinity;
  const last = sides === "below" ? 0 : Infinity;
  let error = 0;
  let before = moments(first);
  points.forEach((point, index) => {
    const next = points[index + 1];
    const end = next === undefined ? last : Math.min(Math.max((point + next) / 2, first), last);
    const after = moments(end);
    error += after[2] - before[2] - 2 * point * (after[1] - before[1]) +
      point * point * (after[0] - before[0]);
    before = after;
  });
  return sides === "both" ? error : 2 * error;
}

/** ∫ tⁿ p(t) dt up to a limit, for n = 0, 1 and 2. */
type Moments = readonly [number, number, number];

function laplaceMoments(limit: number): Moments {
  if (limit === -Infinity) return [0, 0, 0];
  if (limit === Infinity) return [1, 0, 2];
  const tail = Math.exp(-Math.abs(limit)) / 2;
  const size = Math.abs(limit);
  const zeroth = tail;
  const first = -tail * (size + 1);
  const second = tail * (size * size + 2 * size + 2);
  return limit < 0 ? [zeroth, first, second] : [1 - zeroth, first, 2 - second];
}

function gaussMoments(limit: number): Moments {
  if (limit === -Infinity) return [0, 0, 0];
  if (limit === Infinity) return [1, 0, 1];
  const below = normalProbability(limit);
  const density = normalDensity(limit);
  return [below, -density, below - limit * density];
}

/** Where a function of a positive number is least: the best of a coarse scan, refined by golden section. */
function minimum(cost: (x: number) => number): number {
  const step = 0.125;
  let best = step;
  for (let x = step; x <= 16; x += step) if (cost(x) < cost(best)) best = x;
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [best - step, best + step];
  while (high - low > 1e-7) {
    const left = high - ratio * (high - low);
    const right = low + ratio * (high - low);
    if (cost(Math.max(left, 1e-9)) < cost(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}
