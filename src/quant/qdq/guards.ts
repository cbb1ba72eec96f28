/**
 * Keeping ONNX Runtime from quantizing what is to stay float.
 *
 * @module
 */

import { producers } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { scalar } from "../../onnx/tensor.ts";
import { addConstant, LOWEST_FLOAT32, makeNode } from "./nodes.ts";
import { readQuantization } from "./read.ts";

/** Operators whose float weights ONNX Runtime 1.30 rounds to 8 bits where their activations are quantized. */
const ROUNDED = new Set(["Conv", "ConvTranspose", "Gemm"]);

/**
 * Lets layers with float weights (or those of a codebook, which are folded to float) read their quantized activations
 * through a Max that changes nothing, so that their weights stay as they are.
 *
 * @returns How many layers have such a Max.
 */
export function guardFloatWeights(model: Model): number {
  const { graph } = model;
  const { floatWeights, codebooks } = readQuantization(model);
  const makers = producers(graph);
  let guarded = 0;
  for (const { node } of [...floatWeights, ...codebooks]) {
    const [input] = node.inputs as [string];
    if (!ROUNDED.has(node.opType) || makers.get(input)?.opType !== "DequantizeLinear") continue;
    const lowest = addConstant(graph, `${node.name}.lowest`, scalar(LOWEST_FLOAT32));
    const guard = makeNode(graph, "Max", [input, lowest], `${node.name}.input`);
    graph.nodes.splice(graph.nodes.indexOf(node), 0, guard);
    node.inputs[0] = guard.outputs[0]!;
    guarded++;
  }
  return guarded;
}
