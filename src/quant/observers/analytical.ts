/**
 * What the analytical range methods have in common: a clipping point from the spread of the values, not from the values
 * one by one.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import { extent, type Sample, sampleOf, type spreadOf } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import { likelierDistribution } from "./clipping.ts";
import { histogramIn, type RangeRule } from "./rule.ts";

/**
 * A rule from the spread of a sample. Its range is cut at the least and greatest value.
 *
 * @param clip The range for values of that extent, on that grid.
 */
export function analyticalRule(
  summary: string,
  clip: (sample: Sample, whole: Range, grid: Grid) => Range,
): RangeRule {
  const within = (sample: Sample, whole: Range, grid: Grid) => {
    const { min, max } = clip(sample, whole, grid);
    return { min: Math.max(min, whole.min), max: Math.min(max, whole.max) };
  };
  return {
    needs: "histogram",
    summary,
    fromStatistics(statistics, _settings, grid) {
      return within(sampleOf(histogramIn(statistics)), statistics, grid);
    },
    fromValues(values, _settings, grid) {
      return within({ values }, extent(values), grid);
    },
  };
}

/** The likelier distribution of a spread, and its scale parameter. */
export function fit({ standardDeviation, meanAbsoluteDeviation }: ReturnType<typeof spreadOf>) {
  const distribution = likelierDistribution(standardDeviation, meanAbsoluteDeviation);
  return {
    distribution,
    unit: distribution === "laplace" ? meanAbsoluteDeviation : standardDeviation,
  };
}
