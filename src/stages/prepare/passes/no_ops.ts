/**
 * Removing nodes that hand their input on unchanged at inference.
 *
 * @module
 */

import { getInt, getInts } from "../../../onnx/attributes.ts";
import { constantValue, removeNodes, replaceUses } from "../../../onnx/edit.ts";
import type { Graph, Node } from "../../../onnx/model.ts";
import { DATA_TYPE_NUMBERS, type DataType } from "../../../onnx/tensor.ts";

/** Whether a node with a known operator does nothing. */
type Idle = (node: Node, graph: Graph, types: ReadonlyMap<string, DataType>) => boolean;

const single: Idle = (node) => node.inputs.length === 1;

const IDLE: Readonly<Record<string, Idle>> = {
  Identity: () => true,
  Dropout: (node, graph) => {
    const training = node.inputs[2] ?? "";
    return (node.outputs[1] ?? "") === "" &&
      (training === "" || Number(constantValue(graph, training)?.data[0] ?? 1) === 0);
  },
  Cast: (node, _, types) => {
    const type = types.get(node.inputs[0]!);
    return type !== undefined && DATA_TYPE_NUMBERS[type] === getInt(node, "to", 0);
  },
  Concat: single,
  Sum: single,
  Mean: single,
  Max: single,
  Min: single,
  Pad: (node, graph) => {
    const pads = constantValue(graph, node.inputs[1] ?? "")?.data;
    return pads !== undefined && Array.from(pads as ArrayLike<unknown>).every((pad) => pad === 0n);
  },
  Transpose: (node) => getInts(node, "perm")?.every((axis, index) => axis === index) ?? false,
};

/**
 * Removes the nodes of a graph that do nothing. The names of inputs and outputs stay.
 *
 * @param types Element types by value name, as far as known.
 * @returns How many nodes were removed.
 */
export function removeNoOps(graph: Graph, types: ReadonlyMap<string, DataType>): number {
  let removed = 0;
  for (const node of [...graph.nodes]) {
    if (node.domain !== "" || !Object.hasOwn(IDLE, node.opType)) continue;
    if (!IDLE[node.opType]!(node, graph, types)) continue;
    const [from] = node.inputs as [string];
    const [to] = node.outputs as [string];
    const outputs = graph.outputs.map((output) => output.name);
    const fixed = outputs.includes(from) || graph.initializers.has(from) ||
      graph.inputs.some((input) => input.name === from);
    // The output's name would have to go to a value that has to keep its own.
    if (outputs.includes(to) && fixed) continue;
    removeNodes(graph, [node]);
    replaceUses(graph, to, from);
    removed++;
  }
  return removed;
}
