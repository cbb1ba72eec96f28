/**
 * Histograms whose bins lie around the multiples of their width.
 *
 * @module
 */

import { roundHalfEven } from "./grid.ts";
import type { Histogram, Range } from "./ranges.ts";

/** Where the bins of a histogram lie. */
export type Bins = Omit<Histogram, "counts">;

const FLOAT32_MIN_NORMAL = 2 ** -126;

/**
 * Lays bins over a range and zero. The width is a float32, so that QuantizeLinear with it as scale finds the same
 * bins.
 *
 * @param bins How many there are, at least 4.
 */
export function layBins({ min, max }: Range, bins: number): Bins {
  const low = Math.max(-min, 0);
  const high = Math.max(max, 0);
  if (low === 0 && high === 0) return { binWidth: 1, zeroBin: 0 };
  const last = bins - 1;
  const zeroBin = low === 0
    ? 0
    : high === 0
    ? last
    : Math.min(Math.max(Math.round(last * low / (low + high)), 1), last - 1);
  const width = Math.max(
    zeroBin > 0 ? low / zeroBin : 0,
    zeroBin < last ? high / (last - zeroBin) : 0,
  );
  return { binWidth: Math.max(Math.fround(width), FLOAT32_MIN_NORMAL), zeroBin };
}

/**
 * The histogram of some values, in one go.
 *
 * @param values Finite.
 */
export function histogramOf(values: ArrayLike<number>, bins: number): Histogram {
  const layout = layBins(extent(values), bins);
  const counts = new Array<number>(bins).fill(0);
  for (let index = 0; index < values.length; index++) {
    const bin = roundHalfEven(Math.fround(values[index]! / layout.binWidth)) + layout.zeroBin;
    counts[Math.min(Math.max(bin, 0), bins - 1)]!++;
  }
  return { ...layout, counts };
}

/** The least and the greatest of some values; zero if there are none. */
export function extent(values: ArrayLike<number>): Range {
  if (values.length === 0) return { min: 0, max: 0 };
  let min = Infinity;
  let max = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

/** Values, each with how often it occurs; once unless told. */
export interface Sample {
  readonly values: ArrayLike<number>;
  readonly counts?: ArrayLike<number>;
}

/** A histogram's values, each taken for the centre of its bin. */
export function sampleOf({ binWidth, zeroBin, counts }: Histogram): Sample {
  const values = Float64Array.from(counts, (_, bin) => (bin - zeroBin) * binWidth);
  return { values, counts };
}

/** How values are spread around a centre. */
export interface Spread {
  readonly center: number;
  /** Root of the mean (x − center)²: the scale σ of a normal distribution. */
  readonly standardDeviation: number;
  /** Mean |x − center|: the scale b of a Laplace distribution. */
  readonly meanAbsoluteDeviation: number;
}

/** The spread of a sample around a centre, the mean unless told; all zero if the sample is empty. */
export function spreadOf({ values, counts }: Sample, center?: number): Spread {
  let total = 0;
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const count = counts === undefined ? 1 : counts[index]!;
    total += count;
    sum += count * values[index]!;
  }
  if (total === 0) return { center: 0, standardDeviation: 0, meanAbsoluteDeviation: 0 };
  const middle = center ?? sum / total;
  let squares = 0;
  let magnitudes = 0;
  for (let index = 0; index < values.length; index++) {
    const count = counts === undefined ? 1 : counts[index]!;
    const difference = values[index]! - middle;
    squares += count * difference * difference;
    magnitudes += count * Math.abs(difference);
  }
  return {
    center: middle,
    standardDeviation: Math.sqrt(squares / total),
    meanAbsoluteDeviation: magnitudes / total,
  };
}

/** The part of a sample on one side of zero. */
export function sideOf({ values, counts }: Sample, side: "above" | "below"): Sample {
  const kept: number[] = [];
  for (let index = 0; index < values.length; index++) {
    if (side === "above" ? values[index]! > 0 : values[index]! < 0) kept.push(index);
  }
  return {
    values: Float64Array.from(kept, (index) => values[index]!),
    ...(counts && { counts: Float64Array.from(kept, (index) => counts[index]!) }),
  };
}
