/**
 * A tiny evaluator of integer graphs, to see whether an edit kept a graph's meaning.
 *
 * @module
 */

import { getGraph } from "../../src/onnx/attributes.ts";
import type { Graph } from "../../src/onnx/model.ts";

/** The values of a graph's outputs, in order. Reads a node's inputs only from what was made before it. */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, number>>,
  outer: ReadonlyMap<string, number> = new Map(),
): number[] {
  const values = new Map(outer);
  for (const { name } of graph.inputs) if (name in feeds) values.set(name, feeds[name]!);
  for (const [name, tensor] of graph.initializers) values.set(name, Number(tensor.data[0]));
  const read = (name: string): number => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`"${name}" is not made yet`);
    return value;
  };
  for (const node of graph.nodes) {
    if (node.opType === "If") {
      const branch = read(node.inputs[0]!) % 2 === 0 ? "then_branch" : "else_branch";
      const results = evaluate(getGraph(node, branch)!, {}, values);
      node.outputs.forEach((name, index) => values.set(name, results[index]!));
      continue;
    }
    const [a, b] = node.inputs.map(read);
    values.set(node.outputs[0]!, apply(node.opType, a!, b!));
  }
  return graph.outputs.map(({ name }) => read(name));
}

function apply(opType: string, a: number, b: number): number {
  switch (opType) {
    case "Add":
      return (a + b) | 0;
    case "Sub":
      return (a - b) | 0;
    case "Mul":
      return Math.imul(a, b);
    case "Identity":
      return a;
    default:
      throw new Error(`No rule for ${opType}`);
  }
}
