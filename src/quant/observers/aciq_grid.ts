/**
 * The range method `aciq-grid`.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import { extent, type Sample, sampleOf, sideOf, spreadOf } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import { within } from "./aciq.ts";
import { likelierDistribution } from "./clipping.ts";
import { optimalGridClip } from "./grid_clipping.ts";
import { histogramIn, type RangeRule } from "./rule.ts";

/**
 * Analytical clipping for the grid that is really used: M bits have 2^M points with zero among them, and so 2^M − 1
 * steps from end to end, where the published method has 2^M steps. Where all values have one sign, those that are not
 * zero are taken for one half of a distribution around zero.
 */
export const aciqGrid: RangeRule = {
  needs: "histogram",
  summary: "Analytical clipping, for the points that the grid really has",
  fromStatistics(statistics, _settings, grid) {
    return clip(sampleOf(histogramIn(statistics)), statistics, grid);
  },
  fromValues(values, _settings, grid) {
    return clip({ values }, extent(values), grid);
  },
};

function clip(sample: Sample, whole: Range, grid: Grid): Range {
  const sides = whole.min >= 0 ? "above" : whole.max <= 0 ? "below" : "both";
  const { center, standardDeviation, meanAbsoluteDeviation } = sides === "both"
    ? spreadOf(sample, grid.symmetric ? 0 : undefined)
    : spreadOf(sideOf(sample, sides), 0);
  const distribution = likelierDistribution(standardDeviation, meanAbsoluteDeviation);
  const unit = distribution === "laplace" ? meanAbsoluteDeviation : standardDeviation;
  const alpha = optimalGridClip(distribution, grid, sides) * unit;
  return within(whole, { min: center - alpha, max: center + alpha });
}
