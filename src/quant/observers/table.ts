/**
 * The range methods, by name.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import { extent } from "../histogram.ts";
import type { Range, RangeMethod, RangeSettings, TensorStatistics } from "../ranges.ts";
import { aciq } from "./aciq.ts";
import { aciqGrid } from "./aciq_grid.ts";
import { entropy } from "./entropy.ts";
import { minmax } from "./minmax.ts";
import { movingAverage } from "./moving_average.ts";
import { mse } from "./mse.ts";
import { percentile } from "./percentile.ts";
import type { RangeRule } from "./rule.ts";

/** One line a method. */
export const RANGE_RULES: Readonly<Record<RangeMethod, RangeRule>> = {
  "minmax": minmax,
  "moving-average": movingAverage,
  "percentile": percentile,
  "entropy": entropy,
  "mse": mse,
  "aciq": aciq,
  "aciq-grid": aciqGrid,
};

/**
 * The range that a grid should cover to represent a tensor, by a method. It holds zero.
 *
 * @param statistics With what the method needs: those of `Ranges` have it for the method in `Ranges`.
 * @throws {TypeError} If the statistics lack what the method needs.
 */
export function chooseRange(
  statistics: TensorStatistics,
  method: RangeMethod,
  settings: RangeSettings,
  grid: Grid,
): Range {
  if (statistics.min === statistics.max) return withZero(statistics);
  return sensible(RANGE_RULES[method].fromStatistics(statistics, settings, grid), statistics);
}

/**
 * The range that a grid should cover to represent some values, by a method. It holds zero.
 *
 * @param values Finite.
 */
export function chooseRangeOf(
  values: Float32Array,
  method: RangeMethod,
  settings: RangeSettings,
  grid: Grid,
): Range {
  const whole = extent(values);
  if (whole.min === whole.max) return withZero(whole);
  return sensible(RANGE_RULES[method].fromValues(values, settings, grid), whole);
}

/** A range that holds zero, and more than that: clipping everything to zero is never what was meant. */
function sensible(range: Range, whole: Range): Range {
  const { min, max } = withZero(range);
  return min < max ? { min, max } : withZero(whole);
}

function withZero({ min, max }: Range): Range {
  return { min: Math.min(min, 0), max: Math.max(max, 0) };
}
