/**
 * The histogram that values with known distributions would have.
 *
 * @module
 */

import { layBins } from "../histogram.ts";
import { normalProbability } from "../normal_distribution.ts";
import type { Histogram, Range } from "../ranges.ts";
import type { ChannelDistribution } from "./channel_distribution.ts";

/** Values that each channel stands for: so many that the rare ones, which clipping is about, still count. */
const PER_CHANNEL = 1e9;

/**
 * Lays bins over a range and says how many of a billion values a channel fall into each. What is outside falls into the
 * first and last bin.
 *
 * @param range Holds zero, or lies on one side of it.
 * @param bins How many, at least 4.
 */
export function expectedHistogram(
  { mean, deviation, low, high }: ChannelDistribution,
  range: Range,
  bins: number,
): Histogram {
  const layout = layBins(range, bins);
  const { binWidth, zeroBin } = layout;
  const counts = new Array<number>(bins).fill(0);
  for (let channel = 0; channel < mean.length; channel++) {
    const probability = (value: number) => {
      if (value < low[channel]!) return 0;
      if (value >= high[channel]!) return 1;
      if (deviation[channel] === 0) return value >= mean[channel]! ? 1 : 0;
      return normalProbability((value - mean[channel]!) / deviation[channel]!);
    };
    let below = 0;
    for (let bin = 0; bin < bins; bin++) {
      const upTo = bin === bins - 1 ? 1 : probability((bin - zeroBin + 0.5) * binWidth);
      counts[bin]! += PER_CHANNEL * (upTo - below);
      below = upTo;
    }
  }
  return { ...layout, counts: counts.map(Math.round) };
}
