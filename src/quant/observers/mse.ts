/**
 * The range method `mse`.
 *
 * @module
 */

import { type Grid, parametersFromRange, ROUND } from "../grid.ts";
import { extent, histogramOf } from "../histogram.ts";
import type { Histogram, Range, RangeSettings } from "../ranges.ts";
import { histogramIn, type RangeRule } from "./rule.ts";
import { searchRange } from "./search.ts";

/** The power of the error unless told, as BRECQ and its followers use it. */
export const DEFAULT_POWER = 2.4;

/** With more values than this, their histogram says the same. */
const MANY = 32_768;
const MANY_BINS = 4096;

/** The range with the least mean |x − x̂|^p. */
export const mse: RangeRule = {
  needs: "histogram",
  summary: "Where mean |x − x̂|^p is least, p = 2.4 unless told",
  fromStatistics(statistics, settings, grid) {
    const error = new HistogramError(histogramIn(statistics), statistics, power(settings));
    return searchRange(statistics, grid, (range) => error.of(range, grid));
  },
  fromValues(values, settings, grid) {
    const whole = extent(values);
    if (values.length > MANY && grid.bits <= 8) {
      const histogram = histogramOf(values, MANY_BINS);
      return this.fromStatistics({ ...whole, count: values.length, histogram }, settings, grid);
    }
    const error = new ValuesError(values, whole, power(settings));
    return searchRange(whole, grid, (range, limit) => error.of(range, grid, limit));
  },
};

function power({ power = DEFAULT_POWER }: RangeSettings): number {
  if (!(power >= 1)) throw new RangeError(`power must be ≥ 1: current value is ${power}`);
  return power;
}

/** Σ |x − x̂|^p over a histogram, the values of each bin spread evenly over it; zero is exact. */
export class HistogramError {
  readonly #edges: Float64Array;
  readonly #density: Float64Array;
  readonly #power: number;

  constructor({ binWidth, zeroBin, counts }: Histogram, { min, max }: Range, power: number) {
    const bins = counts.length;
    this.#power = power;
    this.#edges = new Float64Array(bins + 1);
    this.#density = new Float64Array(bins);
    const low = Math.min(min, 0);
    const high = Math.max(max, 0);
    for (let edge = 0; edge <= bins; edge++) {
      const value = (edge - zeroBin - 0.5) * binWidth;
      this.#edges[edge] = Math.min(Math.max(value, low), high);
    }
    for (let bin = 0; bin < bins; bin++) {
      if (bin === zeroBin || counts[bin] === 0) continue;
      // A bin that rounding left beyond the ends is as wide as nothing, and so is its error.
      const width = this.#edges[bin + 1]! - this.#edges[bin]!;
      if (width > 0) this.#density[bin] = counts[bin]! / width;
    }
  }

  /** The error of a grid that covers a range. */
  of(range: Range, grid: Grid): number {
    const { scale, zeroPoint } = parametersFromRange(range.min, range.max, grid);
    const low = (grid.qmin - zeroPoint) * scale;
    const high = (grid.qmax - zeroPoint) * scale;
    const power = this.#power + 1;
    const halfStep = 2 * 0.5 ** power;
    // ∫ |x − x̂|^p dx from 0, in units of scale^(p + 1) / (p + 1).
    const integral = (x: number): number => {
      const inside = Math.min(Math.max(x, low), high);
      const beyond = (x - inside) / scale;
      const steps = inside / scale;
      const level = Math.round(steps);
      const rest = steps - level;
      return level * halfStep + Math.sign(rest) * Math.abs(rest) ** power +
        (beyond === 0 ? 0 : Math.sign(beyond) * Math.abs(beyond) ** power);
    };
    let error = 0;
    let before = 0;
    let known = -1;
    for (let bin = 0; bin < this.#density.length; bin++) {
      const density = this.#density[bin]!;
      if (density === 0) continue;
      if (known !== bin) before = integral(this.#edges[bin]!);
      const after = integral(this.#edges[bin + 1]!);
      error += density * (after - before);
      before = after;
      known = bin + 1;
    }
    return error * scale ** power / power;
  }
}

/** Σ |x − x̂|^p over values. */
export class ValuesError {
  readonly #values: Float32Array;
  readonly #whole: Range;
  readonly #power: number;
  readonly #table: Float64Array;

  constructor(values: Float32Array, whole: Range, power: number) {
    this.#values = values;
    this.#whole = whole;
    this.#power = power;
    this.#table = powerTable(power);
  }

  /**
   * The error of a grid that covers a range, to about 6 digits.
   *
   * @param limit The sum is broken off when it gets there.
   */
  of(range: Range, grid: Grid, limit: number): number {
    const { scale, zeroPoint } = parametersFromRange(range.min, range.max, grid);
    const lowest = grid.qmin - zeroPoint;
    const highest = grid.qmax - zeroPoint;
    const unit = scale ** this.#power;
    const bound = limit / unit;
    const whole = this.#whole;
    const clipped = Math.max(0, lowest - whole.min / scale, whole.max / scale - highest);
    if (clipped > 0.5 && clipped ** this.#power > bound) return Infinity;
    const values = this.#values;
    const table = this.#table;
    let error = 0;
    const inverse = 1 / scale;
    for (let start = 0; start < values.length && error < bound; start += 128) {
      const end = Math.min(start + 128, values.length);
      for (let index = start; index < end; index++) {
        const steps = values[index]! * inverse;
        const level = Math.min(Math.max(steps + ROUND - ROUND, lowest), highest);
        const distance = Math.abs(steps - level);
        if (distance >= TABLE_END) error += distance ** this.#power;
        else {
          const place = distance * TABLE_STEPS;
          const entry = place | 0;
          const value = table[entry]!;
          error += value + (place - entry) * (table[entry + 1]! - value);
        }
      }
    }
    return error * unit;
  }
}

const TABLE_END = 2;
const TABLE_STEPS = 4096;
let lastTable: { readonly power: number; readonly table: Float64Array } | undefined;

/** x^p for x = 0 … 2, in equal steps. */
function powerTable(power: number): Float64Array {
  if (lastTable?.power !== power) {
    const table = Float64Array.from(
      { length: TABLE_END * TABLE_STEPS + 1 },
      (_, index) => (index / TABLE_STEPS) ** power,
    );
    lastTable = { power, table };
  }
  return lastTable.table;
}
