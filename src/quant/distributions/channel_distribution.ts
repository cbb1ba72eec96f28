/**
 * How the values of an activation are distributed, channel by channel, as far as a network tells without data.
 *
 * Every channel is a normal distribution that is cut off: `x = clip(y, low, high)` with `y ~ N(mean, deviation²)`. Batch
 * normalization gives normal ones; Relu and Clip cut, and cutting what is cut is exact again.
 *
 * @module
 */

import { normalDensity, normalProbability } from "../normal_distribution.ts";

/** One distribution a channel. */
export interface ChannelDistribution {
  /** Of the normal distribution, before it is cut. */
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  /** Where it is cut; −∞ and ∞ where it is not. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Bounds of the values, where the normal distribution goes beyond them without being cut; −∞ and ∞ for none. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
}

/** The parts of a distribution, of which each has one number a channel. */
export type DistributionField = keyof ChannelDistribution;

/** A distribution, made field by field. */
export function distributionOf(
  field: (name: DistributionField) => Float64Array,
): ChannelDistribution {
  return {
    mean: field("mean"),
    deviation: field("deviation"),
    low: field("low"),
    high: field("high"),
    least: field("least"),
    greatest: field("greatest"),
  };
}

/** Mean and variance of every channel. */
export interface ChannelMoments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Normal distributions that are not cut.
 *
 * @param least Bounds that the values keep although the distribution does not; none unless given.
 */
export function normalChannels(
  mean: Float64Array,
  deviation: Float64Array,
  least?: Float64Array,
  greatest?: Float64Array,
): ChannelDistribution {
  const below = new Float64Array(mean.length).fill(-Infinity);
  const above = new Float64Array(mean.length).fill(Infinity);
  return {
    mean,
    deviation,
    low: below,
    high: above,
    least: least ?? below,
    greatest: greatest ?? above,
  };
}

/** The distributions of `clip(x, low, high)`, with one bound for all channels or one for each. */
export function cut(
  distribution: ChannelDistribution,
  low: number | Float64Array,
  high: number | Float64Array,
): ChannelDistribution {
  const at = (bound: number | Float64Array, channel: number) =>
    typeof bound === "number" ? bound : bound[channel]!;
  const within = (value: number, channel: number) =>
    Math.min(Math.max(value, at(low, channel)), at(high, channel));
  return {
    ...distribution,
    low: distribution.low.map(within),
    high: distribution.high.map(within),
    least: distribution.least.map(within),
    greatest: distribution.greatest.map(within),
  };
}

/** Bounds that no value of a channel is beyond. */
export function boundsOf(
  { low, high, least, greatest }: ChannelDistribution,
): { least: Float64Array; greatest: Float64Array } {
  return {
    least: least.map((value, channel) => Math.max(value, low[channel]!)),
    greatest: greatest.map((value, channel) => Math.min(value, high[channel]!)),
  };
}

/**
 * The moments of every channel. For Relu behind batch normalization the mean is γφ(−β/γ) + β(1 − Φ(−β/γ)) (Nagel et al.,
 * "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, equation 19); both sides cut as in
 * its appendix C.
 */
export function momentsOf({ mean, deviation, low, high }: ChannelDistribution): ChannelMoments {
  const moments = {
    mean: new Float64Array(mean.length),
    variance: new Float64Array(mean.length),
  };
  for (let channel = 0; channel < mean.length; channel++) {
    const [first, variance] = cutMoments(
      mean[channel]!,
      deviation[channel]!,
      low[channel]!,
      high[channel]!,
    );
    moments.mean[channel] = first;
    moments.variance[channel] = variance;
  }
  return moments;
}

/** Mean and variance of clip(y, low, high) for a normal y. */
function cutMoments(mean: number, deviation: number, low: number, high: number): [number, number] {
  if (deviation === 0 || low === high) return [Math.min(Math.max(mean, low), high), 0];
  const [a, b] = [(low - mean) / deviation, (high - mean) / deviation];
  const [below, above] = [normalProbability(a), normalProbability(-b)];
  const inside = 1 - below - above;
  const [atLow, atHigh] = [normalDensity(a), normalDensity(b)];
  // In units of the deviation around the mean; 0 · ∞ is 0 here.
  const times = (bound: number, factor: number) => factor === 0 ? 0 : bound * factor;
  const first = times(a, below) + times(b, above) + atLow - atHigh;
  const second = times(a * a, below) + times(b * b, above) + inside + times(a, atLow) -
    times(b, atHigh);
  return [mean + deviation * first, deviation ** 2 * Math.max(0, second - first * first)];
}

/** The range of every channel that lies within some deviations of the mean, as far as it is not cut off. */
export function channelExtents(
  distribution: ChannelDistribution,
  deviations: number,
): { min: Float64Array; max: Float64Array } {
  const { mean, deviation } = distribution;
  const { least, greatest } = boundsOf(distribution);
  const within = (value: number, channel: number) =>
    Math.min(Math.max(value, least[channel]!), greatest[channel]!);
  return {
    min: mean.map((value, channel) => within(value - deviations * deviation[channel]!, channel)),
    max: mean.map((value, channel) => within(value + deviations * deviation[channel]!, channel)),
  };
}
