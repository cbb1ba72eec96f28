/**
 * What calibration runs a model on.
 *
 * @module
 */

import type { Feeds } from "../../engine/intermediates.ts";

/** One call of the model. */
export interface CalibrationFeed {
  readonly feeds: Feeds;
  /** Items in it, with those that only fill it up. */
  readonly rows: number;
  /** How many of them count, from the first. */
  readonly size: number;
  /** What messages call it, such as `items 32 to 47 of "inputs.calibration"`. */
  readonly name: string;
}

/** Starts over with the first call. */
export type CalibrationFeeds = () => AsyncIterable<CalibrationFeed>;

/** How to run; nothing here changes a statistic. */
export interface CalibrationExecution {
  /** Threads inside one operator; 1 unless told. */
  readonly threads?: number;
  /** Bytes that the values of one call should stay under; unlimited unless told. */
  readonly memory?: number;
  readonly signal?: AbortSignal;
  /** Called after each call of the model. */
  progress?(phase: "ranges" | "histograms", items: number): void;
}
