/**
 * Names in a graph: which exist, which are free, and giving everything one.
 *
 * @module
 */

import { subgraphs } from "./attributes.ts";
import type { Graph, Node } from "./model.ts";

/** Every name that a graph and the graphs inside it use, of values and of nodes. */
export function allNames(graph: Graph): Set<string> {
  const names = new Set<string>();
  collect(graph, names);
  names.delete("");
  return names;
}

/**
 * A name that nothing in the graph or the graphs inside it has: the base itself, or the base with the first free
 * number from 1 up.
 *
 * @param graph The outermost graph, so that names are free in the whole model.
 */
export function uniqueName(graph: Graph, base: string): string {
  if (base !== "" && !isNameUsed(graph, base)) return base;
  for (let number = 1;; number++) {
    const name = `${base}_${number}`;
    if (!isNameUsed(graph, name)) return name;
  }
}

/** Whether a value or node of the graph, or of a graph inside it, has a name. */
export function isNameUsed(graph: Graph, name: string): boolean {
  if (graph.initializers.has(name) || graph.values.has(name) || graph.sparse?.has(name)) {
    return true;
  }
  for (const info of graph.inputs) if (info.name === name) return true;
  for (const info of graph.outputs) if (info.name === name) return true;
  for (const node of graph.nodes) {
    if (node.name === name || node.outputs.includes(name) || node.inputs.includes(name)) {
      return true;
    }
    for (const inner of subgraphs(node)) if (isNameUsed(inner, name)) return true;
  }
  return false;
}

/**
 * Gives every node a name of its own, also inside subgraphs: nodes without one are named after their operator
 * (`Conv_3`), and of several with the same name the later ones get a number.
 *
 * @returns How many nodes were named or renamed.
 */
export function nameEverything(graph: Graph): number {
  const taken = allNames(graph);
  const seen = new Set<string>();
  const counters = new Map<string, number>();
  let named = 0;
  for (const node of allNodes(graph)) {
    if (node.name !== "" && !seen.has(node.name)) {
      seen.add(node.name);
      continue;
    }
    const base = node.name === "" ? node.opType : node.name;
    let number = counters.get(base) ?? 0;
    while (taken.has(`${base}_${number}`)) number++;
    counters.set(base, number + 1);
    node.name = `${base}_${number}`;
    taken.add(node.name);
    seen.add(node.name);
    named++;
  }
  return named;
}

/** The nodes of a graph and, after each, those of the graphs inside it. */
export function* allNodes(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const inner of subgraphs(node)) yield* allNodes(inner);
  }
}

function collect(graph: Graph, names: Set<string>): void {
  for (const info of graph.inputs) names.add(info.name);
  for (const info of graph.outputs) names.add(info.name);
  for (const name of graph.initializers.keys()) names.add(name);
  for (const name of graph.sparse?.keys() ?? []) names.add(name);
  for (const name of graph.values.keys()) names.add(name);
  for (const node of graph.nodes) {
    names.add(node.name);
    for (const name of node.inputs) names.add(name);
    for (const name of node.outputs) names.add(name);
    for (const inner of subgraphs(node)) collect(inner, names);
  }
}
