/**
 * The range method `percentile`.
 *
 * @module
 */

import type { Histogram, RangeSettings } from "../ranges.ts";
import { histogramIn, type RangeRule } from "./rule.ts";

/** The percentage that stays inside unless told. */
export const DEFAULT_PERCENTILE = 99.999;

/**
 * The range that holds a percentage of the values. What is outside is cut on the only side that there is, or half
 * on each; on a symmetric grid, where the magnitude is greatest.
 */
export const percentile: RangeRule = {
  needs: "histogram",
  summary: "What holds a percentage of the values",
  fromStatistics(statistics, settings, grid) {
    const histogram = histogramIn(statistics);
    const inside = fraction(settings);
    const { min, max } = statistics;
    const twoSided = min < 0 && max > 0;
    if (twoSided && grid.symmetric) {
      const limit = quantile(magnitudes(histogram), inside);
      return { min: Math.max(min, -limit), max: Math.min(max, limit) };
    }
    const cut = twoSided ? (1 - inside) / 2 : 1 - inside;
    return {
      min: min < 0 ? Math.max(min, quantile(histogram, cut)) : min,
      max: max > 0 ? Math.min(max, quantile(histogram, 1 - cut)) : max,
    };
  },
  fromValues(values, settings, grid) {
    const inside = fraction(settings);
    const sorted = values.slice().sort();
    const min = sorted[0]!;
    const max = sorted.at(-1)!;
    const twoSided = min < 0 && max > 0;
    if (twoSided && grid.symmetric) {
      const limit = quantileOfSorted(sorted.map(Math.abs).sort(), inside);
      return { min: Math.max(min, -limit), max: Math.min(max, limit) };
    }
    const cut = twoSided ? (1 - inside) / 2 : 1 - inside;
    return {
      min: min < 0 ? quantileOfSorted(sorted, cut) : min,
      max: max > 0 ? quantileOfSorted(sorted, 1 - cut) : max,
    };
  },
};

function fraction({ percentile = DEFAULT_PERCENTILE }: RangeSettings): number {
  return percentile / 100;
}

/** The value below which a fraction of a histogram's values lies, each bin's spread evenly over it. */
export function quantile({ binWidth, zeroBin, counts }: Histogram, fraction: number): number {
  let total = 0;
  for (const count of counts) total += count;
  const wanted = fraction * total;
  let below = 0;
  let bin = 0;
  while (bin < counts.length - 1 && below + counts[bin]! < wanted) below += counts[bin++]!;
  if (bin === zeroBin) return 0;
  const within = counts[bin] === 0 ? 0 : (wanted - below) / counts[bin]!;
  return (bin - zeroBin - 0.5 + within) * binWidth;
}

/** The histogram of |x|. */
function magnitudes({ binWidth, zeroBin, counts }: Histogram): Histogram {
  const folded = new Array<number>(Math.max(zeroBin, counts.length - 1 - zeroBin) + 1).fill(0);
  counts.forEach((count, bin) => folded[Math.abs(bin - zeroBin)]! += count);
  return { binWidth, zeroBin: 0, counts: folded };
}

/** A quantile between neighbouring order statistics, by linear interpolation as numpy does it. */
function quantileOfSorted(sorted: Float32Array, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const index = Math.floor(position);
  const low = sorted[index]!;
  return low + (position - index) * ((sorted[index + 1] ?? low) - low);
}
