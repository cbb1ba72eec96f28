/**
 * The range method `minmax`.
 *
 * @module
 */

import { extent } from "../histogram.ts";
import type { RangeRule } from "./rule.ts";

/** The range from the least to the greatest value. */
export const minmax: RangeRule = {
  needs: "extent",
  summary: "From the least to the greatest value",
  fromStatistics: ({ min, max }) => ({ min, max }),
  fromValues: extent,
};
