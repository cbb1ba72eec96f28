/**
 * Which values of a network are never negative, as far as its operators tell.
 *
 * @module
 */

import { constantValue } from "../../onnx/edit.ts";
import { getFloat } from "../../onnx/attributes.ts";
import type { Graph, Node } from "../../onnx/model.ts";

/** Operators whose results are never negative. */
const NEVER_NEGATIVE = new Set([
  "Relu",
  "Sigmoid",
  "HardSigmoid",
  "Softmax",
  "Exp",
  "Abs",
  "Softplus",
]);

/** Operators whose results are as their inputs: none of them negative if no input is. */
const LIKE_INPUTS = new Set([
  "Add",
  "Mul",
  "Max",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "ReduceMean",
  "ReduceMax",
  "Concat",
  "Identity",
  "Dropout",
  "Sqrt",
  "Resize",
]);

/** Operators whose results are as their first input. */
const LIKE_FIRST = new Set([
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Slice",
  "Gather",
  "DepthToSpace",
  "SpaceToDepth",
  "Expand",
  "Pad",
]);

/** Finds values that are never negative. */
export function nonNegativeValues(graph: Graph): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    if (isNonNegative(graph, node, found)) { for (const name of node.outputs) found.add(name); }
  }
  return found;
}

function isNonNegative(graph: Graph, node: Node, found: ReadonlySet<string>): boolean {
  const { opType, inputs } = node;
  if (NEVER_NEGATIVE.has(opType)) return true;
  const known = (name: string) => {
    if (found.has(name)) return true;
    const constant = constantValue(graph, name);
    return constant?.type === "float32" &&
      (constant.data as Float32Array).every((each) => each >= 0);
  };
  if (opType === "Clip") {
    const least = inputs[1] === undefined || inputs[1] === ""
      ? getFloat(node, "min", -Infinity)
      : Number(constantValue(graph, inputs[1])?.data[0] ?? -Infinity);
    return least >= 0;
  }
  if (LIKE_FIRST.has(opType)) return known(inputs[0]!);
  return LIKE_INPUTS.has(opType) && inputs.filter((name) => name !== "").every(known);
}
