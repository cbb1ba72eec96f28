/**
 * Operators without weights that take time of their own.
 *
 * @module
 */

import { constantValue } from "../../onnx/edit.ts";
import type { Model, Node } from "../../onnx/model.ts";
import type { QuantizableLayer } from "../../quant/placement.ts";

/** Operators that move or rename values at most, or are part of the operator before them. */
const FREE = new Set([
  "Relu",
  "Clip",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Identity",
  "Dropout",
  "Constant",
  "Shape",
]);

/** A node, and what nodes that take as long have in common with it. */
export interface OtherNode {
  readonly node: Node;
  readonly key: string;
}

/**
 * The nodes without weights that ONNX Runtime runs by themselves.
 *
 * @param shapes Of the values; nodes with values of no known shape are left out.
 * @param isFloat Whether activations are float: then an addition is part of the convolution before it.
 */
export function otherNodes(
  { graph }: Model,
  layers: readonly QuantizableLayer[],
  shapes: ReadonlyMap<string, readonly number[]>,
  isFloat: boolean,
): OtherNode[] {
  const withWeights = new Set(layers.map(({ node }) => node));
  const results = new Set(
    layers.filter(({ node }) => node.opType === "Conv").map(({ node }) => node.outputs[0]),
  );
  return graph.nodes.flatMap((node): OtherNode[] => {
    if (withWeights.has(node) || FREE.has(node.opType)) return [];
    const read = node.inputs.filter((name) =>
      name !== "" && constantValue(graph, name) === undefined
    );
    if (read.length === 0 || node.outputs.length !== 1) return [];
    if (isFloat && node.opType === "Add" && read.some((name) => results.has(name))) return [];
    const dims = [...read, node.outputs[0]!].map((name) => shapes.get(name));
    if (dims.includes(undefined)) return [];
    const attributes = [...node.attributes].map(([name, { value }]) => [name, `${value}`]);
    return [{ node, key: JSON.stringify([node.opType, attributes, dims]) }];
  });
}
