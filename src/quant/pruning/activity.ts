/**
 * How large the channels of a network become over data.
 *
 * @module
 */

import { openSession } from "../../engine/session.ts";
import type { Feeds } from "../../engine/intermediates.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import type { Model } from "../../onnx/model.ts";
import type { RemovableChannels } from "./removable.ts";

/** What {@linkcode channelPeaks} needs besides model and data. */
export interface ActivityOptions {
  readonly threads: number;
  /** Checked between runs. */
  readonly signal: AbortSignal;
}

/**
 * The largest magnitude that each channel has where it is read, over all data: `[channels]` for each of `groups`.
 *
 * @param batches Inputs of the model by name, one call of it after another.
 */
export async function channelPeaks(
  model: Model,
  groups: readonly RemovableChannels[],
  batches: AsyncIterable<Feeds>,
  { threads, signal }: ActivityOptions,
): Promise<Float64Array[]> {
  const peaks = groups.map(({ first }) => new Float64Array(first.outputs));
  const { graph } = model;
  const watched = { ...graph, nodes: [...graph.nodes], initializers: new Map(graph.initializers) };
  const emit = new Emitter(watched, "activity");
  const readings = groups.flatMap(({ readers }, group) =>
    readers.map(({ layer: { node, weights }, positions }) => {
      const rank = node.opType === "Conv" ? weights.dims.length : 2;
      const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
      const magnitude = emit.op("Abs", [node.inputs[0]!]);
      const name = emit.op("ReduceMax", [magnitude, emit.ints(axes)], { keepdims: 0 });
      return { name, group, positions };
    })
  );
  watched.outputs = readings.map(({ name }) => ({ name, type: "float32", dims: undefined }));
  await using session = await openSession({ ...model, graph: watched }, { threads });
  for await (const feeds of batches) {
    signal.throwIfAborted();
    const values = await session.run(feeds);
    for (const { name, group, positions } of readings) {
      const own = peaks[group]!;
      (values[name]!.data as Float32Array).forEach((value, index) => {
        const channel = Math.floor(index / positions);
        // What is not a number stays that: it is not zero.
        own[channel] = Math.max(own[channel]!, value);
      });
    }
  }
  return peaks;
}
