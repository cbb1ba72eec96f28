/**
 * Moving Relu and Clip to the layer before, where integer kernels do them for nothing.
 *
 * @module
 */

import { constantValue, consumers, producers } from "../../../onnx/edit.ts";
import type { Graph, Node } from "../../../onnx/model.ts";

/** Operators that give out values of their input and nothing else: they may come before or after a clamp. */
const MOVING = new Set([
  "MaxPool",
  "GlobalMaxPool",
  "Reshape",
  "Flatten",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
]);

/**
 * Turns "MaxPool, then Relu" and the like into "Relu, then MaxPool", which computes the same.
 *
 * @returns How many were moved.
 */
export function moveClampsUp(graph: Graph): number {
  const outputs = new Set(graph.outputs.map((output) => output.name));
  let moved = 0;
  for (const clamp of graph.nodes) {
    for (;;) {
      const [input] = clamp.inputs as [string];
      const mover = producers(graph).get(input);
      const free = !outputs.has(input) && consumers(graph).get(input)?.length === 1;
      if (mover === undefined || !free || !isClamp(graph, clamp) || !isMover(mover)) break;
      exchange(graph, mover, clamp);
      moved++;
    }
  }
  return moved;
}

function exchange(graph: Graph, mover: Node, clamp: Node): void {
  const between = clamp.inputs[0]!;
  const result = clamp.outputs[0]!;
  clamp.inputs[0] = mover.inputs[0]!;
  clamp.outputs[0] = between;
  mover.inputs[0] = between;
  mover.outputs[0] = result;
  graph.values.delete(between);
}

function isMover(node: Node): boolean {
  return node.domain === "" && MOVING.has(node.opType) && (node.outputs[1] ?? "") === "";
}

function isClamp(graph: Graph, node: Node): boolean {
  if (node.domain !== "") return false;
  return node.opType === "Relu" ||
    node.opType === "Clip" &&
      node.inputs.slice(1).every((bound) => bound === "" || constantValue(graph, bound));
}
