/**
 * Correcting biases so that every channel has the mean it has in the float network (Nagel et al., "Data-Free
 * Quantization Through Weight Equalization and Bias Correction", 2019, with means of real data).
 *
 * @module
 */

import { openSession } from "../../engine/session.ts";
import { GraphBuilder } from "../../onnx/build.ts";
import { NO_CHANGES } from "./changes.ts";
import type { ItemValues } from "./item_values.ts";
import type { UnitJob, UnitOutcome } from "./phases.ts";
import { pieceItems, type PieceOptions } from "./prefix.ts";

/** Corrects the biases of a unit's layers, the first before the next. */
export async function correctBiases(job: UnitJob): Promise<UnitOutcome | undefined> {
  const { task, own, float, reference, model, options, signal } = job;
  const pieces = { threads: options.threads, signal };
  const biases = new Map<string, Float32Array>();
  const before = new Map(model.graph.initializers);
  for (const { name, node } of task.layers) {
    const bias = job.biases.get(name);
    const original = reference.graph.nodes.find((other) => other.name === name)!;
    if (bias === undefined) continue;
    const [output, wanted] = [node.outputs[0]!, original.outputs[0]!];
    const have = (await own.run([output])).get(output)!;
    const want = (await float.run([wanted])).get(wanted)!;
    const axis = node.opType === "Gemm" ? have.dims.length - 1 : 1;
    const [actual, expected] = [
      await channelMeans(have, axis, pieces),
      await channelMeans(want, axis, pieces),
    ];
    have.release();
    want.release();
    const current = model.graph.initializers.get(node.inputs[2]!)!;
    const corrected = (current.data as Float32Array).map((value, channel) =>
      value + expected[channel]! - actual[channel]!
    );
    biases.set(name, corrected);
    // The layers that follow see it corrected.
    model.graph.initializers.set(node.inputs[2]!, { ...current, data: corrected });
  }
  model.graph.initializers = before;
  return biases.size === 0 ? undefined : { changes: { ...NO_CHANGES, biases }, steps: 0 };
}

async function channelMeans(
  values: ItemValues,
  axis: number,
  { threads, signal }: PieceOptions,
): Promise<Float64Array> {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [undefined, ...values.dims.slice(1)]);
  const axes = values.dims.map((_, index) => index).filter((index) => index !== axis);
  const sums = builder.output(
    builder.op("ReduceSum", [x, builder.constant(axes)], { keepdims: 0 }),
  );
  await using session = await openSession(builder.build(), { threads });
  const channels = values.dims[axis]!;
  const total = new Float64Array(channels);
  const items = values.dims[0]!;
  const most = pieceItems([values]);
  for (let start = 0; start < items; start += most) {
    signal.throwIfAborted();
    const feeds = { x: values.read(start, Math.min(most, items - start)) };
    const part = (await session.run(feeds))[sums]!.data as Float32Array;
    for (let channel = 0; channel < channels; channel++) total[channel]! += part[channel]!;
  }
  const count = values.dims.reduce((product, dim) => product * dim, 1) / channels;
  return total.map((sum) => sum / count);
}
