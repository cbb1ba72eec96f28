/**
 * Correcting biases so that every channel has the mean it has in the float network (Nagel et al., "Data-Free
 * Quantization Through Weight Equalization and Bias Correction", 2019, with means of real data).
 *
 * @module
 */

import { NO_CHANGES } from "./changes.ts";
import type { UnitJob, UnitOutcome } from "./phases.ts";
import type { Prefix } from "./prefix.ts";

/** Corrects the biases of a unit's layers, the first before the next. */
export async function correctBiases(job: UnitJob): Promise<UnitOutcome | undefined> {
  const { task, own, float, reference, model } = job;
  const biases = new Map<string, Float32Array>();
  const before = new Map(model.graph.initializers);
  for (const { name, node } of task.layers) {
    const bias = job.biases.get(name);
    const original = reference.graph.nodes.find((other) => other.name === name)!;
    if (bias === undefined) continue;
    const [output, wanted] = [node.outputs[0]!, original.outputs[0]!];
    const hasSpace = node.opType !== "Gemm";
    const actual = await channelMeans(own, output, bias.length, hasSpace);
    const expected = await channelMeans(float, wanted, bias.length, hasSpace);
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

/** @param hasSpace Whether the channels are followed by dimensions of space. */
async function channelMeans(
  prefix: Prefix,
  name: string,
  channels: number,
  hasSpace: boolean,
): Promise<Float64Array> {
  const means = new Float64Array(channels);
  await prefix.run([], [{
    of: name,
    terms: (emit, value) => hasSpace ? emit.op("GlobalAveragePool", [value]) : value,
    add: (items) => {
      for (let index = 0; index < items.length; index++) means[index % channels]! += items[index]!;
    },
  }]);
  return means.map((sum) => sum / prefix.items);
}
