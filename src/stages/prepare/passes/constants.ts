/**
 * Constants: one spelling for all, and subgraphs of constants computed once and for all.
 *
 * @module
 */

import { openSession } from "../../../engine/session.ts";
import { constantOfNode } from "../../../onnx/constants.ts";
import { subgraphs } from "../../../onnx/attributes.ts";
import { consumers, removeNodes } from "../../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../../onnx/model.ts";
import { bitsPerElement, elementCount, type Tensor } from "../../../onnx/tensor.ts";

/** Operators whose result is not decided by their inputs. */
const RANDOM = new Set([
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Multinomial",
  "Bernoulli",
]);

/** A folded constant may take this many more bytes than the constants it is made from. */
const ALLOWED_GROWTH = 1 << 20;

/**
 * Turns `Constant` nodes into initializers, and initializers that are declared as inputs (as files before IR
 * version 4 do) into plain ones.
 *
 * @returns How many nodes were turned.
 */
export function liftConstants(graph: Graph): number {
  graph.inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const lifted: Node[] = [];
  for (const node of graph.nodes) {
    if (node.opType !== "Constant" || node.domain !== "") continue;
    const value = constantOfNode(node);
    if (value === undefined) continue;
    graph.initializers.set(node.outputs[0]!, value);
    lifted.push(node);
  }
  removeNodes(graph, lifted);
  return lifted.length;
}

/**
 * Computes nodes that depend on constants only, in ONNX Runtime, and puts initializers in their place. What would
 * make the model much larger, such as a constant that is expanded, stays a node.
 *
 * @returns How many nodes were folded.
 */
export async function foldConstants(model: Model): Promise<number> {
  const { graph } = model;
  const constant = new Set(graph.initializers.keys());
  const folded = new Set<Node>();
  for (const node of graph.nodes) {
    if (!foldable(node) || !node.inputs.every((input) => input === "" || constant.has(input))) {
      continue;
    }
    folded.add(node);
    for (const output of node.outputs) if (output !== "") constant.add(output);
  }
  if (folded.size === 0) return 0;
  const results = await evaluate(model, folded);
  const before = new Set(graph.initializers.keys());
  const limit = ALLOWED_GROWTH + totalBytes([...graph.initializers.values()]);
  if (totalBytes([...results.values()]) > limit) return 0;
  for (const [name, value] of results) graph.initializers.set(name, value);
  removeNodes(graph, folded);
  for (const name of results.keys()) if (!before.has(name)) graph.values.delete(name);
  return folded.size;
}

function foldable(node: Node): boolean {
  return node.domain === "" && !RANDOM.has(node.opType) && subgraphs(node).length === 0 &&
    node.opType !== "DequantizeLinear" && node.opType !== "QuantizeLinear";
}

/** The values that nodes outside the folded ones, or the model's outputs, read of the folded ones. */
async function evaluate(model: Model, folded: ReadonlySet<Node>): Promise<Map<string, Tensor>> {
  const { graph } = model;
  const uses = consumers(graph);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const wanted = [...folded].flatMap((node) => node.outputs).filter((name) =>
    name !== "" && (outputs.has(name) || uses.get(name)?.some(({ node }) => !folded.has(node)))
  );
  if (wanted.length === 0) return new Map();
  const nodes = graph.nodes.filter((node) => folded.has(node));
  const read = new Set(nodes.flatMap((node) => node.inputs));
  const part: Model = {
    ...model,
    graph: {
      name: "constants",
      nodes,
      inputs: [],
      outputs: wanted.map((name) => ({ name, type: undefined, dims: undefined })),
      initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))),
      values: new Map(),
    },
  };
  await using session = await openSession(part, { optimization: "none" });
  return new Map(Object.entries(await session.run({})));
}

function totalBytes(tensors: readonly Tensor[]): number {
  return tensors.reduce(
    (sum, { type, dims }) => sum + elementCount(dims) * (bitsPerElement(type) ?? 0) / 8,
    0,
  );
}
