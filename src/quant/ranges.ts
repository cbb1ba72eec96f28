/**
 * What calibration finds out about a model's activations.
 *
 * @module
 */

/** How a range is chosen. */
export type RangeMethod =
  | "minmax"
  | "moving-average"
  | "percentile"
  | "entropy"
  | "mse"
  | "aciq"
  | "aciq-grid";

/** All range methods. */
export const RANGE_METHODS = [
  "minmax",
  "moving-average",
  "percentile",
  "entropy",
  "mse",
  "aciq",
  "aciq-grid",
] as const satisfies readonly RangeMethod[];

/** What range methods can be told; each reads its own. */
export interface RangeSettings {
  /** `percentile`: percent of the values that stay inside the range; 99.999 unless told. */
  readonly percentile?: number;
  /** `mse`: the power p of the error |x − x̂|^p that is minimized; 2.4 unless told. */
  readonly power?: number;
}

/** Part of a number line. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * How often values occur, in bins of equal width around the multiples of that width. So zero is the centre of a
 * bin, which also holds the many exact zeros that Relu makes.
 */
export interface Histogram {
  /** Positive. */
  readonly binWidth: number;
  /** Index of the bin around zero. */
  readonly zeroBin: number;
  /** Values per bin: bin `i` holds what is nearest to `(i − zeroBin) · binWidth`. */
  readonly counts: readonly number[];
}

/** Statistics of one tensor: of an activation over the calibration data, or of weights. */
export interface TensorStatistics extends Range {
  /** How many values were seen. */
  readonly count: number;
  /** Moving averages of the minima and maxima of batches, for the method that needs them. */
  readonly average?: Range;
  /** For the methods that need it. */
  readonly histogram?: Histogram;
}

/**
 * The result of `calibrate`. Statistics rather than one range are kept, because the best clipping range depends on
 * the bit width that `quantize` chooses later: `chooseRange` finds it.
 */
export interface Ranges {
  readonly version: 1;
  readonly method: RangeMethod;
  readonly settings: RangeSettings;
  /** By activation tensor name. */
  readonly tensors: Readonly<Record<string, TensorStatistics>>;
}
