/**
 * What a range method is.
 *
 * @module
 */

import type { Grid } from "../grid.ts";
import type { Range, RangeSettings, TensorStatistics } from "../ranges.ts";

/** What has to be known of a tensor's values: see {@linkcode TensorStatistics}. */
export type Needs = "extent" | "average" | "histogram";

/** A way to choose the range that a grid is to cover. */
export interface RangeRule {
  readonly needs: Needs;
  /** One line for the documentation. */
  readonly summary: string;
  /** Chooses from statistics that hold what the method needs. */
  fromStatistics(statistics: TensorStatistics, settings: RangeSettings, grid: Grid): Range;
  /** Chooses from all values, of which there is at least one. */
  fromValues(values: Float32Array, settings: RangeSettings, grid: Grid): Range;
}

/** The histogram of statistics. */
export function histogramIn(
  statistics: TensorStatistics,
): NonNullable<TensorStatistics["histogram"]> {
  if (statistics.histogram === undefined) throw new TypeError("The statistics have no histogram");
  return statistics.histogram;
}
