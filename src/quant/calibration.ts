/**
 * Calibration: watching the values of a float model on typical data.
 *
 * @module
 */

import type { Model } from "../onnx/model.ts";
import { upgradeOpset } from "../onnx/upgrade.ts";
import { collectExtents } from "./calibration/extents.ts";
import type { CalibrationExecution, CalibrationFeeds } from "./calibration/feed.ts";
import { collectHistograms } from "./calibration/histograms.ts";
import type { Needs } from "./observers/rule.ts";
import type { TensorStatistics } from "./ranges.ts";

export type { CalibrationFeed, CalibrationFeeds } from "./calibration/feed.ts";

/** What to collect. */
export interface CalibrationOptions extends CalibrationExecution {
  /** `histogram` takes two passes over the data, the others one. */
  readonly needs: Needs;
  /** Bins of a histogram, 4 to 65 536. */
  readonly bins: number;
  /** Weight of each new call of the model in moving averages, in (0, 1]. */
  readonly momentum: number;
}

/** The operator set in which QuantizeLinear has 16-bit integers. */
const OPSET = 21;

/**
 * Collects statistics of values of a model. Values are never kept: one call of the model at a time, and of that as
 * much as `memory` allows.
 *
 * Statistics do not depend on threads and memory.
 *
 * @param names Inputs of the model and inner float32 values.
 * @throws {UserError} If a value has NaN or infinite elements, or the model does not load or run.
 */
export async function collectStatistics(
  model: Model,
  names: readonly string[],
  feeds: CalibrationFeeds,
  options: CalibrationOptions,
): Promise<Map<string, TensorStatistics>> {
  const { needs, bins, momentum } = options;
  const watched = (model.opsets.get("") ?? OPSET) < OPSET ? upgradeOpset(model, OPSET) : model;
  const extents = await collectExtents(watched, names, feeds, momentum, options);
  const histograms = needs === "histogram"
    ? await collectHistograms(watched, extents, feeds, bins, options)
    : undefined;
  return new Map([...extents].map(([name, { min, max, count, average }]) => {
    const histogram = histograms?.get(name);
    return [name, {
      min,
      max,
      count,
      ...(needs === "average" && { average }),
      ...(histogram && { histogram }),
    }];
  }));
}
