/**
 * Which values of a graph must never become graph inputs or outputs.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { getInt, getTensor } from "../onnx/attributes.ts";
import type { Graph, Node, ValueInfo } from "../onnx/model.ts";
import { DATA_TYPE_NUMBERS, type DataType } from "../onnx/tensor.ts";
import { crossesBoundary } from "./convert.ts";

/** Operators whose first output has the element type of their first input. */
const KEEPS_TYPE: ReadonlySet<string> = new Set([
  "Concat",
  "DepthToSpace",
  "Expand",
  "Flatten",
  "Gather",
  "GatherElements",
  "GatherND",
  "Identity",
  "Pad",
  "Reshape",
  "Slice",
  "SpaceToDepth",
  "Split",
  "Squeeze",
  "Tile",
  "Transpose",
  "Unsqueeze",
]);

/**
 * The values of element types that cannot be passed out of ONNX Runtime (sub-byte integers above all: fetching
 * one ends the process), with their types. Found from constants and quantizers, so it holds for files that
 * declare no types of inner values.
 *
 * @param graph In topological order.
 */
export function innerOnlyValues(graph: Graph): Map<string, DataType> {
  const types = new Map<string, DataType>();
  const note = (name: string | undefined, type: DataType | undefined) => {
    if (name && type !== undefined && !crossesBoundary(type)) types.set(name, type);
  };
  for (const [name, tensor] of graph.initializers) note(name, tensor.type);
  for (const info of [...graph.inputs, ...graph.values.values(), ...graph.outputs]) {
    note(info.name, info.type);
  }
  for (const node of graph.nodes) {
    const type = outputType(node, types);
    for (const output of node.outputs) note(output, type);
  }
  return types;
}

function outputType(node: Node, types: ReadonlyMap<string, DataType>): DataType | undefined {
  if (KEEPS_TYPE.has(node.opType)) return types.get(node.inputs[0] ?? "");
  switch (node.opType) {
    case "QuantizeLinear":
      return types.get(node.inputs[2] ?? "") ?? typeAttribute(node, "output_dtype");
    case "Cast":
      return typeAttribute(node, "to");
    case "Constant":
      return getTensor(node, "value")?.type;
    default:
      return undefined;
  }
}

function typeAttribute(node: Node, name: string): DataType | undefined {
  const number = getInt(node, name);
  const entry = Object.entries(DATA_TYPE_NUMBERS).find(([, value]) => value === number);
  return entry?.[0] as DataType | undefined;
}

/**
 * Refuses element types that cannot be passed in or out: a packed output ends the whole process.
 *
 * @throws {UserError} Names the value and its type.
 */
export function checkBoundary(values: readonly ValueInfo[], role: "input" | "output"): void {
  const wrong = values.filter(({ type }) => type !== undefined && !crossesBoundary(type));
  if (wrong.length === 0) return;
  throw new UserError(wrong.map(({ name, type }) => ({
    message:
      `The model's ${role} "${name}" is ${type}, which cannot be passed in or out of ONNX Runtime`,
    hint: role === "output"
      ? `Let the model end with DequantizeLinear or Cast, so that the ${role} is float32 or 8 bits wide`
      : `Let the model begin with QuantizeLinear or Cast, so that the ${role} is float32 or 8 bits wide`,
  })));
}
