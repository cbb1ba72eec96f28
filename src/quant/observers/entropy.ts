/**
 * The range method `entropy`.
 *
 * @module
 */

import { type Grid, parametersFromRange } from "../grid.ts";
import { extent, histogramOf } from "../histogram.ts";
import type { Histogram, Range } from "../ranges.ts";
import { histogramIn, type RangeRule } from "./rule.ts";

/** The least number of bins in a range. */
const FEWEST_BINS = 128;
/** How many values an empty level is taken for. */
const EMPTY = 1e-4;
/** Bins for values that are given directly; fewer where there are fewer values. */
const MOST_BINS = 2048;

/**
 * The range with the least Kullback–Leibler divergence between the values' distribution and what the grid makes of
 * it (Migacz, "8-bit inference with TensorRT", 2017).
 */
export const entropy: RangeRule = {
  needs: "histogram",
  summary: "What loses the least information: minimal Kullback–Leibler divergence",
  fromStatistics(statistics, _settings, grid) {
    const { min, max } = statistics;
    const histogram = histogramIn(statistics);
    const distance = leastDivergence(histogram, grid);
    if (distance === undefined) return { min, max };
    const limit = distance * histogram.binWidth;
    return { min: Math.max(min, -limit), max: Math.min(max, limit) };
  },
  fromValues(values, settings, grid) {
    const bins = 2 ** Math.floor(Math.log2(values.length));
    const histogram = histogramOf(values, Math.min(Math.max(bins, FEWEST_BINS), MOST_BINS));
    return this.fromStatistics(
      { ...extent(values), count: values.length, histogram },
      settings,
      grid,
    );
  },
};

/**
 * The distance from zero, in bins, at which clipping loses the least; `undefined` where nothing should be clipped:
 * the grid is finer than the histogram, or all values are zero.
 */
function leastDivergence(histogram: Histogram, grid: Grid): number | undefined {
  const sums = new Sums(histogram);
  if (sums.total === 0) return undefined;
  const { low, high } = sums;
  const longest = Math.max(-low, high);
  let best: number | undefined;
  let least = Infinity;
  for (let distance = 1; distance <= longest; distance++) {
    const range = grid.symmetric && low < 0 && high > 0
      ? { min: -distance, max: distance }
      : { min: Math.max(low, -distance), max: Math.min(high, distance) };
    const bins = range.max - range.min + 1;
    if (bins < FEWEST_BINS && distance < longest) continue;
    const levels = levelsWithin(range, grid);
    if (levels > bins) continue;
    const divergence = sums.divergence(range, levels);
    if (divergence >= least) continue;
    least = divergence;
    best = distance;
  }
  return best;
}

/** How many integers of a grid lie within a range that the grid covers. */
function levelsWithin({ min, max }: Range, grid: Grid): number {
  const { scale } = parametersFromRange(min, max, grid);
  return Math.min(Math.round((max - min) / scale), grid.qmax - grid.qmin) + 1;
}

/** Prefix sums of a histogram, by which the divergence of one range takes a step for each level only. */
class Sums {
  /** The first and last bin with values, counted from the bin around zero. */
  readonly low: number;
  readonly high: number;
  readonly total: number;
  readonly #first: number;
  readonly #counts: Float64Array;
  readonly #sum: Float64Array;
  readonly #filled: Float64Array;
  readonly #logs: Float64Array;

  constructor({ counts, zeroBin }: Histogram) {
    const length = counts.length;
    this.#first = -zeroBin;
    this.#counts = Float64Array.from(counts);
    // Zero is exact on every grid, however often it occurs.
    this.#counts[zeroBin] = 0;
    this.#sum = new Float64Array(length + 1);
    this.#filled = new Float64Array(length + 1);
    this.#logs = new Float64Array(length + 1);
    let low = 0;
    let high = 0;
    for (let bin = 0; bin < length; bin++) {
      const count = this.#counts[bin]!;
      this.#sum[bin + 1] = this.#sum[bin]! + count;
      this.#filled[bin + 1] = this.#filled[bin]! + (count > 0 ? 1 : 0);
      this.#logs[bin + 1] = this.#logs[bin]! + timesLog(count);
      if (count > 0) low = Math.min(low, bin - zeroBin);
      if (count > 0) high = Math.max(high, bin - zeroBin);
    }
    this.low = low;
    this.high = high;
    this.total = this.#sum[length]!;
  }

  /**
   * The Kullback–Leibler divergence D(P ‖ Q) in nats. P is the histogram within the range, what is outside added to
   * its end bins. Q is the histogram within the range, merged into levels and spread evenly over those bins of each
   * level that P fills; a level with nothing but what was outside counts as almost empty, not as impossible.
   *
   * @param range Bins counted from the one around zero.
   * @param levels At most as many as there are bins.
   */
  divergence({ min, max }: Range, levels: number): number {
    const bins = max - min + 1;
    const start = this.#clamp(min);
    const end = this.#clamp(max + 1);
    const inside = this.#sum[end]! - this.#sum[start]!;
    const below = this.#sum[start]!;
    const above = this.total - this.#sum[end]!;
    if (inside === 0) return Infinity;
    let difference = this.#logs[end]! - this.#logs[start]!;
    const firstCount = this.#counts[start]!;
    const lastCount = this.#counts[end - 1]!;
    difference += timesLog(firstCount + below) - timesLog(firstCount);
    difference += timesLog(lastCount + above) - timesLog(lastCount);
    let from = start;
    for (let level = 0; level < levels; level++) {
      const to = this.#clamp(min + Math.floor((level + 1) * bins / levels));
      let mass = this.#sum[to]! - this.#sum[from]!;
      let filled = this.#filled[to]! - this.#filled[from]!;
      const merged = mass;
      if (from === start && to > start && below > 0) {
        mass += below;
        if (firstCount === 0) filled++;
      }
      if (to === end && from < end && above > 0) {
        mass += above;
        if (lastCount === 0) filled++;
      }
      if (merged > 0) difference -= mass * (logarithm(merged) - logarithm(filled));
      else if (mass > 0) difference -= mass * Math.log(EMPTY);
      from = to;
    }
    return difference / this.total - Math.log(this.total / inside);
  }

  /** The index of a bin that counts from zero, kept within the histogram. */
  #clamp(bin: number): number {
    return Math.min(Math.max(bin - this.#first, 0), this.#counts.length);
  }
}

function timesLog(count: number): number {
  return count > 0 ? count * logarithm(count) : 0;
}

const LOGARITHMS = Float64Array.from({ length: 4096 }, (_, count) => Math.log(count));

/** The logarithm of a count: most are small. */
function logarithm(count: number): number {
  return count < LOGARITHMS.length ? LOGARITHMS[count]! : Math.log(count);
}
