/**
 * What a classifier's outputs are.
 *
 * @module
 */

import { producers } from "../../onnx/edit.ts";
import type { Graph } from "../../onnx/model.ts";
import type { Scores } from "./divergence.ts";

/** Operators behind a Softmax that leave probabilities as they are, up to rounding. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  "Cast",
  "Clip",
  "DequantizeLinear",
  "Flatten",
  "Identity",
  "QuantizeLinear",
  "Reshape",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

/** `probabilities` if a Softmax makes the output, else `logits`. */
export function scoresOf(graph: Graph, output: string): Scores {
  const makers = producers(graph);
  let node = makers.get(output);
  while (node !== undefined && TRANSPARENT.has(node.opType)) {
    node = makers.get(node.inputs[0] ?? "");
  }
  return node?.opType === "Softmax" ? "probabilities" : "logits";
}
