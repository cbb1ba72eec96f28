/**
 * Small helpers to write nodes and constants next to existing ones.
 *
 * @module
 */

import { int, ints } from "../../onnx/attributes.ts";
import { uniqueName } from "../../onnx/edit.ts";
import type { Attribute, Graph, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** The lowest float32: the greater of it and a number is the number. */
export const LOWEST_FLOAT32 = -3.4028234663852886e38;

/** A node of the standard domain with one output, whose name and output are the given name or close to it. */
export function makeNode(
  graph: Graph,
  opType: string,
  inputs: string[],
  name: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): Node {
  const free = uniqueName(graph, name);
  return {
    name: free,
    opType,
    domain: "",
    inputs,
    outputs: [free],
    attributes: new Map(
      Object.entries(attributes).map(([key, value]): [string, Attribute] => [
        key,
        typeof value === "number" ? int(value) : ints(value),
      ]),
    ),
  };
}

/** Adds a constant under the given name or one close to it. */
export function addConstant(graph: Graph, name: string, value: Tensor): string {
  const free = uniqueName(graph, name);
  graph.initializers.set(free, value);
  return free;
}
