/**
 * The range method `aciq`.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import { type Sample, sideOf, spreadOf } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import { analyticalRule, fit } from "./analytical.ts";
import { optimalClip } from "./clipping.ts";
import type { RangeRule } from "./rule.ts";

/**
 * Analytical clipping as published: the mean ± the best α for a grid of M bits, taken to have 2^M steps, under the
 * likelier of a Laplace and a normal distribution. Where all values have one sign, mean and spread are those of the
 * values that are not zero, and the range from zero to mean + α of M + 1 bits.
 */
export const aciq: RangeRule = analyticalRule(
  "Analytical clipping for a Laplace or normal distribution, as published",
  clip,
);

function clip(sample: Sample, whole: Range, grid: Grid): Range {
  const sided = whole.min >= 0 ? "above" : whole.max <= 0 ? "below" : undefined;
  const spread = spreadOf(sided === undefined ? sample : sideOf(sample, sided));
  const { distribution, unit } = fit(spread);
  // A symmetric grid has a bit less on one side.
  const bits = sided === undefined || grid.symmetric ? grid.bits : grid.bits + 1;
  const alpha = optimalClip(distribution, 2 ** bits) * unit;
  return { min: spread.center - alpha, max: spread.center + alpha };
}
