/**
 * The first pass of calibration: the least and greatest element of values.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { openSession } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { moveAverage } from "../observers/moving_average.ts";
import type { Range, TensorStatistics } from "../ranges.ts";
import type { CalibrationExecution, CalibrationFeed, CalibrationFeeds } from "./feed.ts";
import { type ExtentOutputs, withExtents } from "./watch.ts";

/**
 * Finds the least and greatest element of values, and their moving averages over calls of the model. Only scalars
 * leave the runtime.
 *
 * @param names Inputs of the model and inner float32 values.
 * @param momentum Weight of each new call in the averages.
 * @throws {UserError} If a value has NaN or infinite elements, or the model does not load or run.
 */
export async function collectExtents(
  model: Model,
  names: readonly string[],
  feeds: CalibrationFeeds,
  momentum: number,
  execution: CalibrationExecution,
): Promise<Map<string, TensorStatistics & { readonly average: Range }>> {
  const found = new Map<string, TensorStatistics & { readonly average: Range }>();
  const watched = withExtents(model, names);
  await using session = await openSession(watched.model, { threads: execution.threads ?? 1 });
  for await (const feed of feeds()) {
    execution.signal?.throwIfAborted();
    const results = await session.run(feed.feeds);
    for (const name of names) {
      const { min, max, size, finite } = read(results, watched.outputs.get(name)!);
      if (!finite) await refuseNonFinite(model, name, feed);
      const before = found.get(name);
      found.set(name, {
        min: Math.min(min, before?.min ?? Infinity),
        max: Math.max(max, before?.max ?? -Infinity),
        count: size / feed.rows * feed.size + (before?.count ?? 0),
        average: moveAverage(before?.average, { min, max }, momentum),
      });
    }
    execution.progress?.("ranges", feed.size);
  }
  return found;
}

function read(results: Readonly<Record<string, Tensor>>, outputs: ExtentOutputs) {
  const number = (name: string) => Number(results[name]!.data[0]);
  const min = number(outputs.min);
  const max = number(outputs.max);
  const finite = [min, max, number(outputs.sum)].every(Number.isFinite);
  return { min, max, size: number(outputs.size), finite };
}

/** Looks at the elements themselves; a sum can be infinite although they are not. */
async function refuseNonFinite(model: Model, name: string, feed: CalibrationFeed): Promise<void> {
  const isInput = Object.hasOwn(feed.feeds, name);
  const data = isInput ? feed.feeds[name]!.data : await valueOf(model, name, feed);
  let nan = 0;
  let infinite = 0;
  for (let index = 0; index < data.length; index++) {
    const value = Number(data[index]);
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
  }
  if (nan + infinite === 0) return;
  const counted = [nan > 0 ? `${nan} NaN` : "", infinite > 0 ? `${infinite} infinite` : ""]
    .filter((part) => part !== "").join(" and ");
  throw new UserError({
    message: `${isInput ? "Input" : "Activation"} "${name}" has ${counted} of ${data.length} ` +
      `elements for ${feed.name}`,
    hint: isInput
      ? "Correct the data, or its preprocessing"
      : "Look for weights that are not finite, and for data far out of its range",
  });
}

async function valueOf(model: Model, name: string, { feeds }: CalibrationFeed) {
  const graph = { ...model.graph, outputs: [{ name, type: undefined, dims: undefined }] };
  await using session = await openSession({ ...model, graph });
  const results = await session.run(feeds);
  return results[name]!.data;
}
