/**
 * What calibration finds out about a model's activations.
 *
 * @module
 */

/** How a range was chosen. */
export type RangeMethod =
  | "minmax"
  | "moving-average"
  | "percentile"
  | "entropy"
  | "mse"
  | "aciq"
  | "aciq-grid";

/** A fixed-bin histogram of one tensor's values. */
export interface Histogram {
  /** Left edge of the first bin. */
  readonly low: number;
  /** Right edge of the last bin. */
  readonly high: number;
  /** Values per bin. */
  readonly counts: readonly number[];
}

/** Statistics of one activation tensor over the calibration data. */
export interface TensorStatistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** Mean |x − mean|: the scale b of a Laplace distribution. */
  readonly meanAbsoluteDeviation: number;
  /** How many values were seen. */
  readonly count: number;
  readonly histogram: Histogram;
}

/**
 * The result of `calibrate`. Statistics rather than one range are kept, because the best clipping range
 * depends on the bit width that `quantize` chooses later.
 */
export interface Ranges {
  readonly version: 1;
  readonly method: RangeMethod;
  /** Settings of the method that are needed to turn statistics into a range, such as `percentile`. */
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  /** By activation tensor name. */
  readonly tensors: Readonly<Record<string, TensorStatistics & RangeEstimate>>;
}

/** The range that a method found, where it does not depend on the bit width. */
export interface RangeEstimate {
  /** Moving averages of batch minima and maxima (`moving-average` only). */
  readonly average?: { readonly min: number; readonly max: number };
}
