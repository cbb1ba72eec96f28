/**
 * The range method `aciq-grid`.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import { type Sample, sideOf, spreadOf } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import { analyticalRule, fit } from "./analytical.ts";
import { optimalGridClip } from "./grid_clipping.ts";
import type { RangeRule } from "./rule.ts";

/**
 * Analytical clipping for the grid that is really used: M bits have 2^M points with zero among them, and so 2^M − 1
 * steps from end to end, where the published method has 2^M steps. Where all values have one sign, those that are not
 * zero are taken for one half of a distribution around zero.
 */
export const aciqGrid: RangeRule = analyticalRule(
  "Analytical clipping, for the points that the grid really has",
  clip,
);

function clip(sample: Sample, whole: Range, grid: Grid): Range {
  const sides = whole.min >= 0 ? "above" : whole.max <= 0 ? "below" : "both";
  const spread = sides === "both"
    ? spreadOf(sample, grid.symmetric ? 0 : undefined)
    : spreadOf(sideOf(sample, sides), 0);
  const { distribution, unit } = fit(spread);
  const alpha = optimalGridClip(distribution, grid, sides) * unit;
  return { min: spread.center - alpha, max: spread.center + alpha };
}
