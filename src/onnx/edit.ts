/**
 * Changing graphs in place.
 *
 * Nodes are told apart by identity, values by name. What holds for inputs of nodes holds for captured values
 * too: a body of an `If`, `Loop` or `Scan` that reads a value of this graph is a use by the node that holds it.
 *
 * @module
 */

import type { Graph, Node, ValueInfo } from "./model.ts";
import { uniqueName } from "./names.ts";
import { capturedNames, definesValue, replaceCaptured, replaceInputs } from "./scope.ts";

export { cloneGraph, cloneModel } from "./clone.ts";
export { constantValue } from "./constants.ts";
export { nameEverything, uniqueName } from "./names.ts";
export { prune, sortNodes } from "./order.ts";

/** One use of a value. */
export interface Use {
  readonly node: Node;
  /** Position in the node's input list; −1 where a graph inside the node captures the value. */
  readonly index: number;
}

/** The node that makes each value of a graph. */
export function producers(graph: Graph): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== "") found.set(output, node);
  }
  return found;
}

/** The uses of each value of a graph by its nodes, in the order of the nodes. Graph outputs are not among them. */
export function consumers(graph: Graph): Map<string, Use[]> {
  const found = new Map<string, Use[]>();
  const add = (name: string, use: Use) => {
    const uses = found.get(name);
    if (uses === undefined) found.set(name, [use]);
    else uses.push(use);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach((name, index) => {
      if (name !== "") add(name, { node, index });
    });
    for (const name of capturedNames(node)) add(name, { node, index: -1 });
  }
  return found;
}

/** What `replaceUses` leaves alone. */
export interface ReplaceOptions {
  /** Nodes that go on reading the old value. */
  readonly except?: ReadonlySet<Node>;
  /** Whether graph outputs are uses too; they are unless told. */
  readonly outputs?: boolean;
}

/**
 * Lets everything that reads one value read another.
 *
 * A graph output keeps its name: where `from` is one, the value `to` takes over that name (or, where `to` is a
 * graph input, a constant or an output itself, an `Identity` node gives it out), and the old value, if a node
 * still makes it, gets a new name.
 *
 * @returns The names that the old and the new value have now; they differ from `from` and `to` only where
 *   `from` is a graph output.
 */
export function replaceUses(
  graph: Graph,
  from: string,
  to: string,
  options: ReplaceOptions = {},
): { from: string; to: string } {
  if (from === to) return { from, to };
  for (const node of graph.nodes) {
    if (options.except?.has(node)) continue;
    replaceInputs(node, from, to);
    replaceCaptured(node, from, to);
  }
  const output = graph.outputs.find((info) => info.name === from);
  if (output === undefined || options.outputs === false) return { from, to };
  return takeOverOutput(graph, output, to);
}

function takeOverOutput(graph: Graph, output: ValueInfo, to: string): { from: string; to: string } {
  const name = output.name;
  const maker = graph.nodes.find((node) => node.outputs.includes(to));
  if (graph.inputs.some((info) => info.name === name)) {
    throw new TypeError(`Graph output "${name}" is a graph input too: its value cannot change`);
  }
  const moved = uniqueName(graph, name);
  moveValue(graph, name, moved);
  if (maker === undefined || graph.outputs.some((info) => info.name === to)) {
    insertNode(graph, {
      name: uniqueName(graph, `${name}_identity`),
      opType: "Identity",
      domain: "",
      inputs: [to],
      outputs: [name],
      attributes: new Map(),
    });
    return { from: moved, to };
  }
  moveValue(graph, to, name);
  graph.values.delete(name);
  return { from: moved, to: name };
}

/**
 * Renames a value everywhere: where it is made, read, captured, declared, given in and given out. Only the
 * quantization annotations in the graph's `rest`, which no runtime reads, still say the old name.
 *
 * @throws {TypeError} If the new name is taken, or the graph does not define the old one.
 */
export function renameValue(graph: Graph, from: string, to: string): void {
  if (from === to) return;
  if (!definesValue(graph, from)) throw new TypeError(`The graph has no value named "${from}"`);
  if (to === "" || uniqueName(graph, to) !== to) {
    throw new TypeError(`The name "${to}" is taken`);
  }
  moveValue(graph, from, to);
  for (const info of graph.outputs) if (info.name === from) info.name = to;
}

/** Renames a value where it is made, read, captured and declared, but not among the graph outputs. */
function moveValue(graph: Graph, from: string, to: string): void {
  for (const info of graph.inputs) if (info.name === from) info.name = to;
  moveKey(graph.initializers, from, to);
  if (graph.sparse !== undefined) moveKey(graph.sparse, from, to);
  const info = graph.values.get(from);
  if (info !== undefined) {
    info.name = to;
    moveKey(graph.values, from, to);
  }
  for (const node of graph.nodes) {
    replaceInputs(node, from, to);
    replaceCaptured(node, from, to);
    for (let index = 0; index < node.outputs.length; index++) {
      if (node.outputs[index] === from) node.outputs[index] = to;
    }
  }
}

/**
 * Adds a node right after the last node that makes one of its inputs, or before all where none does.
 *
 * @param before Where given, the node goes right before this one instead.
 */
export function insertNode(graph: Graph, node: Node, before?: Node): Node {
  if (before !== undefined) {
    const index = graph.nodes.indexOf(before);
    if (index < 0) throw new TypeError(`Node "${before.name}" is not in the graph`);
    graph.nodes.splice(index, 0, node);
    return node;
  }
  const read = new Set([...node.inputs, ...capturedNames(node)]);
  read.delete("");
  const last = graph.nodes.findLastIndex((other) => other.outputs.some((name) => read.has(name)));
  graph.nodes.splice(last + 1, 0, node);
  return node;
}

/** Removes nodes, and what was declared of values that nothing makes any more. */
export function removeNodes(graph: Graph, nodes: Iterable<Node>): void {
  const gone = new Set(nodes);
  graph.nodes = graph.nodes.filter((node) => !gone.has(node));
  const made = producers(graph);
  for (const node of gone) {
    for (const output of node.outputs) if (!made.has(output)) graph.values.delete(output);
  }
}

/** Changes a key and keeps its place in the order, so that a renamed model is written in the same order. */
function moveKey<V>(map: Map<string, V>, from: string, to: string): void {
  if (!map.has(from)) return;
  const entries = [...map];
  map.clear();
  for (const [key, value] of entries) map.set(key === from ? to : key, value);
}
