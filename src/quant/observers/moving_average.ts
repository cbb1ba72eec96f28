/**
 * The range method `moving-average`.
 *
 * @module
 */

import { extent } from "../histogram.ts";
import type { Range } from "../ranges.ts";
import type { RangeRule } from "./rule.ts";

/** The range between moving averages of the minima and the maxima of batches. */
export const movingAverage: RangeRule = {
  needs: "average",
  summary: "Between moving averages of the minima and the maxima of batches",
  fromStatistics({ average }) {
    if (average === undefined) throw new TypeError("The statistics have no moving averages");
    return average;
  },
  fromValues: extent,
};

/**
 * Takes another batch into a moving average: `a ← a + m · (x − a)`; the first batch is the average.
 *
 * @param momentum m: the weight of the new batch, in (0, 1].
 */
export function moveAverage(average: Range | undefined, batch: Range, momentum: number): Range {
  if (average === undefined) return batch;
  return {
    min: average.min + momentum * (batch.min - average.min),
    max: average.max + momentum * (batch.max - average.max),
  };
}
