/**
 * How graphs inside nodes see the values of the graph around them.
 *
 * The body of an `If`, `Loop` or `Scan` may read any value of the graphs around it by name. Such a value is
 * captured: it is an input of the node that holds the body, though not in the node's list.
 *
 * @module
 */

import { subgraphs } from "./attributes.ts";
import type { Graph, Node } from "./model.ts";

/** Whether a graph itself defines a value, as an input, a constant, or an output of a node. */
export function definesValue(graph: Graph, name: string): boolean {
  return graph.initializers.has(name) || graph.sparse?.has(name) === true ||
    graph.inputs.some((info) => info.name === name) ||
    graph.nodes.some((node) => node.outputs.includes(name));
}

/** The names of outer values that the graphs inside a node read, each once. */
export function capturedNames(node: Node): Set<string> {
  const captured = new Set<string>();
  for (const graph of subgraphs(node)) for (const name of freeNames(graph)) captured.add(name);
  return captured;
}

/** The names that a graph reads but does not define. */
function freeNames(graph: Graph): Set<string> {
  const defined = new Set<string>([...graph.initializers.keys(), ...(graph.sparse?.keys() ?? [])]);
  for (const info of graph.inputs) defined.add(info.name);
  for (const node of graph.nodes) for (const name of node.outputs) defined.add(name);
  const free = new Set<string>();
  const use = (name: string) => {
    if (name !== "" && !defined.has(name)) free.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(use);
    capturedNames(node).forEach(use);
  }
  for (const info of graph.outputs) use(info.name);
  return free;
}

/** Everything a node reads: its inputs and what the graphs inside it capture, each once, without `""`. */
export function readNames(node: Node): Set<string> {
  const names = new Set(node.inputs);
  names.delete("");
  for (const name of capturedNames(node)) names.add(name);
  return names;
}

/**
 * Lets the graphs inside a node read another outer value, wherever they capture the first.
 *
 * A body may give a captured value out as its own output; its outputs are matched by position, so they are
 * renamed too.
 */
export function replaceCaptured(node: Node, from: string, to: string): void {
  for (const graph of subgraphs(node)) {
    if (definesValue(graph, from)) continue;
    for (const inner of graph.nodes) {
      replaceInputs(inner, from, to);
      replaceCaptured(inner, from, to);
    }
    for (const output of graph.outputs) if (output.name === from) output.name = to;
    graph.values.delete(from);
  }
}

/** Lets a node read another value in every place of its input list where it reads the first. */
export function replaceInputs(node: Node, from: string, to: string): void {
  for (let index = 0; index < node.inputs.length; index++) {
    if (node.inputs[index] === from) node.inputs[index] = to;
  }
}
