/**
 * The range method `aciq-grid`.
 *
 * @module
 */

import { type Grid, parametersFromRange } from "../grid.ts";
import { extent, type Sample, sampleOf, sideOf, spreadOf } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import { within } from "./aciq.ts";
import { likelierDistribution, optimalClip } from "./clipping.ts";
import { histogramIn, type RangeRule } from "./rule.ts";

/**
 * Analytical clipping for the grid that is really used, whose ends are integers: 2^M − 1 steps, where the published
 * method assumes 2^M. Where all values have one sign, those that are not zero are taken for one half of a
 * distribution around zero.
 */
export const aciqGrid: RangeRule = {
  needs: "histogram",
  summary: "Analytical clipping, for the number of steps that the grid has",
  fromStatistics(statistics, _settings, grid) {
    return clip(sampleOf(histogramIn(statistics)), statistics, grid);
  },
  fromValues(values, _settings, grid) {
    return clip({ values }, extent(values), grid);
  },
};

function clip(sample: Sample, whole: Range, grid: Grid): Range {
  const sided = whole.min >= 0 ? "above" : whole.max <= 0 ? "below" : undefined;
  const { center, standardDeviation, meanAbsoluteDeviation } = sided !== undefined
    ? spreadOf(sideOf(sample, sided), 0)
    : spreadOf(sample, grid.symmetric ? 0 : undefined);
  const distribution = likelierDistribution(standardDeviation, meanAbsoluteDeviation);
  const unit = distribution === "laplace" ? meanAbsoluteDeviation : standardDeviation;
  const { scale } = parametersFromRange(
    sided === "above" ? 0 : -1,
    sided === "below" ? 0 : 1,
    grid,
  );
  const alpha = optimalClip(distribution, 2 / scale) * unit;
  return within(whole, { min: center - alpha, max: center + alpha });
}
