/**
 * Cutting the part out of a graph that computes some values from others.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Graph, Model, Node, ValueInfo } from "../../onnx/model.ts";
import { readNames } from "../../onnx/scope.ts";

/** Part of a graph. */
export interface Slice {
  /** In the order of the graph. */
  readonly nodes: readonly Node[];
  /** The values that it starts from, each once. */
  readonly leaves: readonly string[];
}

/**
 * The nodes that compute values, back to values that are known.
 *
 * @param isKnown Whether a value is to be started from; inputs of the graph always are.
 */
export function sliceOf(
  graph: Graph,
  wanted: Iterable<string>,
  isKnown: (value: string) => boolean,
): Slice {
  const makers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) makers.set(output, node);
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const nodes = new Set<Node>();
  const leaves = new Set<string>();
  const pending = [...wanted];
  const seen = new Set<string>();
  while (pending.length > 0) {
    const name = pending.pop()!;
    if (name === "" || seen.has(name)) continue;
    seen.add(name);
    if (isKnown(name)) {
      leaves.add(name);
      continue;
    }
    if (graph.initializers.has(name)) continue;
    if (inputs.has(name)) {
      leaves.add(name);
      continue;
    }
    const maker = makers.get(name);
    if (maker === undefined) throw new UserError(`The model has no value named "${name}"`);
    if (nodes.has(maker)) continue;
    nodes.add(maker);
    pending.push(...readNames(maker));
  }
  return { nodes: graph.nodes.filter((node) => nodes.has(node)), leaves: [...leaves] };
}

/** A slice as a model of its own; constants are shared. */
export function sliceModel(
  model: Model,
  nodes: readonly Node[],
  inputs: readonly ValueInfo[],
  outputs: readonly string[],
): Model {
  const initializers: Graph["initializers"] = new Map();
  for (const node of nodes) {
    for (const name of readNames(node)) {
      const constant = model.graph.initializers.get(name);
      if (constant !== undefined) initializers.set(name, constant);
    }
  }
  const graph: Graph = {
    name: "part",
    nodes: [...nodes],
    inputs: [...inputs],
    outputs: outputs.map((name) => ({ name, type: undefined, dims: undefined })),
    initializers,
    values: new Map(),
  };
  return { ...model, graph };
}
