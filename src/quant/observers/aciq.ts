/**
 * The range method `aciq`.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import { extent, type Sample, sampleOf, sideOf, spreadOf } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import { likelierDistribution, optimalClip } from "./clipping.ts";
import { histogramIn, type RangeRule } from "./rule.ts";

/**
 * Analytical clipping as published: the mean ± the best α for a grid of M bits, taken to have 2^M steps, under the
 * likelier of a Laplace and a normal distribution. Where all values have one sign, mean and spread are those of the
 * values that are not zero, and the range from zero to mean + α of M + 1 bits.
 */
export const aciq: RangeRule = {
  needs: "histogram",
  summary: "Analytical clipping for a Laplace or normal distribution, as published",
  fromStatistics(statistics, _settings, grid) {
    return clip(sampleOf(histogramIn(statistics)), statistics, grid);
  },
  fromValues(values, _settings, grid) {
    return clip({ values }, extent(values), grid);
  },
};

function clip(sample: Sample, whole: Range, grid: Grid): Range {
  const sided = whole.min >= 0 ? "above" : whole.max <= 0 ? "below" : undefined;
  const { center, standardDeviation, meanAbsoluteDeviation } = spreadOf(
    sided === undefined ? sample : sideOf(sample, sided),
  );
  const distribution = likelierDistribution(standardDeviation, meanAbsoluteDeviation);
  const unit = distribution === "laplace" ? meanAbsoluteDeviation : standardDeviation;
  // A symmetric grid has a bit less on one side.
  const bits = sided === undefined || grid.symmetric ? grid.bits : grid.bits + 1;
  const alpha = optimalClip(distribution, 2 ** bits) * unit;
  return within(whole, { min: center - alpha, max: center + alpha });
}

/** A range, cut at the least and greatest value. */
export function within(whole: Range, range: Range): Range {
  return {
    min: Math.max(range.min, whole.min),
    max: Math.min(range.max, whole.max),
  };
}
