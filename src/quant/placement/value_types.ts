/**
 * Which values of a graph are float32, also where the file does not say.
 *
 * @module
 */

import { getInt } from "../../onnx/attributes.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { DATA_TYPE_NUMBERS, type DataType } from "../../onnx/tensor.ts";

/** Operators whose result has a type of its own rather than that of an input. */
const RESULT_TYPES: Readonly<Record<string, DataType>> = {
  Shape: "int64",
  Size: "int64",
  NonZero: "int64",
  ArgMax: "int64",
  ArgMin: "int64",
  Equal: "bool",
  Less: "bool",
  LessOrEqual: "bool",
  Greater: "bool",
  GreaterOrEqual: "bool",
  And: "bool",
  Or: "bool",
  Not: "bool",
  Xor: "bool",
  IsNaN: "bool",
  IsInf: "bool",
};

/** Operators whose result has the type of a later input. */
const TYPE_INPUT: Readonly<Record<string, number>> = { Where: 1, OneHot: 2 };

/** Element types by value name: as declared, or as the operator implies. */
export function valueTypes(graph: Graph): Map<string, DataType> {
  const types = new Map<string, DataType>();
  for (const [name, { type }] of graph.initializers) types.set(name, type);
  for (const { name, type } of [...graph.inputs, ...graph.outputs, ...graph.values.values()]) {
    if (type !== undefined) types.set(name, type);
  }
  for (const node of graph.nodes) {
    node.outputs.forEach((output, index) => {
      if (output === "" || types.has(output)) return;
      const type = resultType(node, index, types);
      if (type !== undefined) types.set(output, type);
    });
  }
  return types;
}

function resultType(
  node: Node,
  index: number,
  types: ReadonlyMap<string, DataType>,
): DataType | undefined {
  if (node.opType === "Cast") return typeByNumber(getInt(node, "to", 1));
  if (node.opType === "Constant") {
    return node.attributes.get("value")?.kind === "tensor"
      ? (node.attributes.get("value")!.value as { type: DataType }).type
      : undefined;
  }
  if (index === 1 && (node.opType === "TopK" || node.opType === "MaxPool")) return "int64";
  return RESULT_TYPES[node.opType] ?? types.get(node.inputs[TYPE_INPUT[node.opType] ?? 0] ?? "");
}

function typeByNumber(number: number): DataType | undefined {
  return (Object.keys(DATA_TYPE_NUMBERS) as DataType[])
    .find((type) => DATA_TYPE_NUMBERS[type] === number);
}
