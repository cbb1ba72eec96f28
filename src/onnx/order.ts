/**
 * Putting nodes in order and dropping what nothing needs.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { describeNode, subgraphs } from "./attributes.ts";
import type { Graph, Node } from "./model.ts";
import { readNames } from "./scope.ts";

/**
 * Puts the nodes of a graph, and of the graphs inside it, in topological order. Nodes that are in order stay
 * where they are: each node moves only as far forward as its readers ask.
 *
 * @throws {UserError} If nodes read each other in a circle; the message names them.
 */
export function sortNodes(graph: Graph): void {
  const makers = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== "") makers.set(output, node);
  }
  const sorted: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  // An explicit stack: networks of thousands of layers would exhaust the call stack.
  const stack: { node: Node; reads: Iterator<string> }[] = [];
  const enter = (node: Node) => {
    state.set(node, "open");
    stack.push({ node, reads: readNames(node).values() });
  };
  for (const root of graph.nodes) {
    if (!state.has(root)) enter(root);
    while (stack.length > 0) {
      const { node, reads } = stack.at(-1)!;
      const next = reads.next();
      if (next.done) {
        state.set(node, "done");
        sorted.push(node);
        stack.pop();
        continue;
      }
      const maker = makers.get(next.value);
      if (maker === undefined) continue;
      if (state.get(maker) === "open") throw circle(stack.map((entry) => entry.node), maker);
      if (!state.has(maker)) enter(maker);
    }
  }
  graph.nodes = sorted;
  for (const node of sorted) subgraphs(node).forEach(sortNodes);
}

function circle(open: readonly Node[], start: Node): UserError {
  const nodes = open.slice(open.indexOf(start)).map(describeNode);
  return new UserError(`Nodes read each other in a circle: ${nodes.join(" ← ")}`);
}

/**
 * Drops nodes and constants that no graph output depends on, also inside subgraphs. Graph inputs stay, except those
 * that only declare a dropped constant.
 *
 * @returns How many nodes were dropped.
 */
export function prune(graph: Graph): number {
  const before = new Set([...graph.initializers.keys(), ...(graph.sparse?.keys() ?? [])]);
  const dropped = pruneGraph(graph);
  graph.inputs = graph.inputs.filter(({ name }) =>
    !before.has(name) || graph.initializers.has(name) || graph.sparse?.has(name) === true
  );
  return dropped;
}

function pruneGraph(graph: Graph): number {
  let dropped = 0;
  // Innermost first: what a body no longer needs, it no longer captures.
  for (const node of graph.nodes) for (const inner of subgraphs(node)) dropped += pruneGraph(inner);

  const makers = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== "") makers.set(output, node);
  }
  const needed = new Set<string>();
  const kept = new Set<Node>();
  const pending = graph.outputs.map((info) => info.name);
  while (pending.length > 0) {
    const name = pending.pop()!;
    if (needed.has(name)) continue;
    needed.add(name);
    const maker = makers.get(name);
    if (maker === undefined || kept.has(maker)) continue;
    kept.add(maker);
    pending.push(...readNames(maker));
  }

  dropped += graph.nodes.length - kept.size;
  graph.nodes = graph.nodes.filter((node) => kept.has(node));
  for (const name of graph.initializers.keys()) {
    if (!needed.has(name)) graph.initializers.delete(name);
  }
  for (const name of graph.sparse?.keys() ?? []) if (!needed.has(name)) graph.sparse!.delete(name);
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const name of graph.values.keys()) {
    if (makers.has(name) ? !made.has(name) : !needed.has(name)) graph.values.delete(name);
  }
  return dropped;
}
