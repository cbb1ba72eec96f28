/**
 * Copies of networks that round their activations to 8 bits behind every Relu.
 *
 * @module
 */

import { Random } from "../../src/base/random.ts";
import { insertNode, replaceUses, uniqueName } from "../../src/onnx/edit.ts";
import type { Model, Node } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";
import { upgradeOpset } from "../../src/onnx/upgrade.ts";
import type { Box } from "../../src/verify/box.ts";
import { valuesOf } from "../../src/verify/network/evaluate.ts";
import { pairModels } from "../../src/verify/network/pair.ts";

const OPSET = 21;
const SAMPLES = 64;

/** Some points of a box. */
export function samplesOf({ lower, upper }: Box): Float64Array[] {
  const random = Random.from(0, "ranges");
  return Array.from(
    { length: SAMPLES },
    () => lower.map((from, at) => from + random.uniform() * (upper[at]! - from)),
  );
}

/** A copy whose grids reach as far as the values at some points, which those at others can be beyond. */
export function roundedActivations(model: Model, points: readonly Float64Array[]): Model {
  const network = pairModels(model, model);
  const largest = new Map<string, number>();
  for (const x of points) {
    const values = valuesOf(network, "original", x);
    network.steps.forEach((step, at) => {
      if (step.kind !== "relu") return;
      const name = step.names.original.value;
      const most = values[at + 1]!.reduce((all, value) => Math.max(all, value), 0);
      largest.set(name, Math.max(largest.get(name) ?? 0, most));
    });
  }
  const copy = upgradeOpset(model, OPSET);
  const { graph } = copy;
  for (const [name, most] of largest) {
    const relu = graph.nodes.find(({ outputs }) => outputs.includes(name))!;
    const made = (base: string) => uniqueName(graph, `${name}_${base}`);
    const scale = made("scale");
    graph.initializers.set(scale, float32([], [(most || 1) / 255]));
    const zero = made("zero");
    graph.initializers.set(zero, tensor("uint8", [], Uint8Array.of(0)));
    const [integers, rounded] = [made("integers"), made("rounded")];
    const node = (opType: string, input: string, output: string): Node => ({
      name: made(opType),
      opType,
      domain: "",
      inputs: [input, scale, zero],
      outputs: [output],
      attributes: new Map(),
    });
    replaceUses(graph, name, rounded);
    insertNode(graph, node("QuantizeLinear", relu.outputs[0]!, integers));
    insertNode(graph, node("DequantizeLinear", integers, rounded));
  }
  return copy;
}
