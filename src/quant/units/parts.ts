/**
 * Parts of a graph with one way in and one way out, from which units are made.
 *
 * @module
 */

import type { ActivationFlow, FlowPoint } from "../../onnx/flow.ts";
import type { Node } from "../../onnx/model.ts";
import type { LayerKinds } from "./layers.ts";

/** A connected set of nodes. */
export interface Part {
  /** Whether it is a layer by itself or a structure of several. */
  readonly kind: "layer" | "block";
  readonly nodes: ReadonlySet<Node>;
  /** The node whose first output is the only value that leaves. */
  readonly exit: Node;
  /** The operator in which the branches of a block come together. */
  readonly join?: string;
  /** The layers with weights among the nodes, in topological order. */
  readonly weights: readonly Node[];
}

/** The activations that enter a set of nodes, and those that leave it. */
export function boundary(
  flow: ActivationFlow,
  nodes: ReadonlySet<Node>,
): { inputs: string[]; outputs: string[] } {
  const inputs = new Set<string>();
  const outputs: string[] = [];
  for (const node of nodes) {
    for (const value of flow.reads(node)) {
      const maker = flow.maker(value);
      if (typeof maker === "string" || !nodes.has(maker)) inputs.add(value);
    }
    for (const value of flow.valuesOf(node)) {
      const leaves = flow.isOutput(value) ||
        flow.readers(value).some((reader) => !nodes.has(reader));
      if (leaves) outputs.push(value);
    }
  }
  return { inputs: [...inputs], outputs };
}

/** The nodes with weights of a set, in topological order. */
export function weightsOf(
  flow: ActivationFlow,
  kinds: LayerKinds,
  nodes: ReadonlySet<Node>,
): Node[] {
  return [...nodes].filter((node) => kinds.hasWeight(node))
    .sort((a, b) => flow.position(a) - flow.position(b));
}

/**
 * Adds to a part what follows it and works on single values: batch norm, bias, activation functions (also spelled
 * out, as x · Sigmoid(x)) and the quantizer of the result.
 *
 * @param taken Nodes that belong to other parts.
 */
export function withActivation(
  flow: ActivationFlow,
  kinds: LayerKinds,
  part: Part,
  taken: ReadonlySet<Node>,
): Part {
  const nodes = new Set(part.nodes);
  let exit = part.exit;
  for (;;) {
    const next = followers(flow, kinds, exit);
    if (next.length === 0 || next.some((node) => taken.has(node))) break;
    for (const node of next) nodes.add(node);
    exit = next.at(-1)!;
  }
  return { ...part, nodes, exit };
}

/** The nodes that belong behind an exit, the new exit last; none where the flow forks or does more. */
function followers(flow: ActivationFlow, kinds: LayerKinds, exit: Node): Node[] {
  const values = flow.valuesOf(exit);
  if (values.length !== 1 || flow.isOutput(values[0]!)) return [];
  const readers = flow.readers(values[0]!);
  if (readers.length === 1) {
    const [node] = readers as [Node];
    if (!kinds.isElementwise(node) || flow.reads(node).length > 1) return [];
    return /QuantizeLinear$/.test(node.opType) ? quantizerFrom(flow, kinds, node) : [node];
  }
  const join = flow.postDominator(exit);
  if (join === undefined || flow.dominator(join) !== exit) return [];
  const between = nodesBetween(flow, exit, join);
  const isActivation = [...between].every((node) => kinds.isElementwise(node));
  if (!isActivation || boundary(flow, between).outputs.length !== 1) return [];
  return [...between].sort((a, b) => flow.position(a) - flow.position(b));
}

/**
 * A quantizer's nodes from its first to the one that dequantizes. None where several readers dequantize for themselves:
 * then the integers between are not the unit's result.
 */
function quantizerFrom(flow: ActivationFlow, kinds: LayerKinds, first: Node): Node[] {
  const nodes = [first];
  for (let node = first; node.opType !== "DequantizeLinear";) {
    const next = flow.successors(node);
    if (next.length !== 1 || !kinds.isQuantizer(next[0]!)) return [];
    node = next[0]!;
    nodes.push(node);
  }
  return nodes;
}

/** The nodes on the paths from a point that dominates a node, which is not among them, to that node, which is. */
export function nodesBetween(flow: ActivationFlow, from: FlowPoint, to: Node): Set<Node> {
  const found = new Set<Node>([to]);
  const pending = [to];
  while (pending.length > 0) {
    for (const value of flow.reads(pending.pop()!)) {
      const maker = flow.maker(value);
      if (typeof maker === "string" || maker === from || found.has(maker)) continue;
      found.add(maker);
      pending.push(maker);
    }
  }
  return found;
}

/** Adds to a part the quantizers before it that nothing else reads. */
export function withInputQuantizers(
  flow: ActivationFlow,
  kinds: LayerKinds,
  part: Part,
  taken: ReadonlySet<Node>,
): Part {
  let nodes: ReadonlySet<Node> = part.nodes;
  for (let grown = true; grown;) {
    grown = false;
    for (const value of boundary(flow, nodes).inputs) {
      const maker = flow.maker(value);
      if (typeof maker === "string" || !kinds.isQuantizer(maker) || taken.has(maker)) continue;
      const larger = new Set([...nodes, maker]);
      if (boundary(flow, larger).outputs.length > 1) continue;
      nodes = larger;
      grown = true;
    }
  }
  return { ...part, nodes };
}
