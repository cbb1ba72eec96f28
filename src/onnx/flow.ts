/**
 * How activations flow through a graph: which nodes compute on them, who reads whom, and which nodes all paths
 * go through.
 *
 * Only nodes that depend on a graph input and lead to a graph output take part; what is computed from constants
 * alone belongs to its readers. Graph inputs are starting points of their own.
 *
 * @module
 */

import type { Graph, Node } from "./model.ts";
import { sortNodes } from "./order.ts";
import { readNames } from "./scope.ts";

/** A point of the flow: a graph input by name, or a node. */
export type FlowPoint = string | Node;

/** The flow of activations through a graph; valid as long as the graph is not edited. */
export class ActivationFlow {
  /** The nodes that take part, in topological order. */
  readonly nodes: readonly Node[];
  /** The graph inputs that are read, in the order of the graph. */
  readonly inputs: readonly string[];
  readonly #outputs: ReadonlySet<string>;
  readonly #makers = new Map<string, Node>();
  readonly #reads = new Map<Node, readonly string[]>();
  readonly #readers = new Map<string, Node[]>();
  readonly #constantMakers = new Map<string, Node>();
  /** Vertices: the source at 0, then inputs, then nodes, then the sink. Numbers grow along the flow. */
  readonly #points: readonly FlowPoint[];
  readonly #vertices = new Map<FlowPoint, number>();
  readonly #dominators: Int32Array;
  readonly #postDominators: Int32Array;

  /**
   * @param graph Its nodes must be in topological order.
   * @throws {UserError} If nodes read each other in a circle.
   */
  constructor(graph: Graph) {
    const ordered = { ...graph, nodes: [...graph.nodes] };
    sortNodes(ordered);
    this.#outputs = new Set(graph.outputs.map(({ name }) => name));
    const { nodes, activations } = activeNodes(ordered, this.#outputs);
    this.nodes = nodes;
    const active = new Set(nodes);
    for (const node of nodes) {
      const reads = [...readNames(node)].filter((name) => activations.has(name));
      this.#reads.set(node, reads);
      for (const name of reads) append(this.#readers, name, node);
      for (const output of node.outputs) if (output !== "") this.#makers.set(output, node);
    }
    for (const node of ordered.nodes) {
      if (active.has(node)) continue;
      for (const output of node.outputs) this.#constantMakers.set(output, node);
    }
    this.inputs = graph.inputs.map(({ name }) => name).filter((name) =>
      this.#readers.has(name) || (this.#outputs.has(name) && activations.has(name))
    );
    this.#points = [...this.inputs, ...nodes];
    this.#points.forEach((point, index) => this.#vertices.set(point, index + 1));
    this.#dominators = this.#findDominators();
    this.#postDominators = this.#findPostDominators();
  }

  /** The activations that a node reads, each once. */
  reads(node: Node): readonly string[] {
    return this.#reads.get(node) ?? [];
  }

  /** The nodes that read an activation, each once, in topological order. */
  readers(value: string): readonly Node[] {
    return this.#readers.get(value) ?? [];
  }

  /** The point an activation comes from. */
  maker(value: string): FlowPoint {
    return this.#makers.get(value) ?? value;
  }

  /** Whether a value is a graph output. */
  isOutput(value: string): boolean {
    return this.#outputs.has(value);
  }

  /** The activations that leave a point: what others read, or the graph gives out. */
  valuesOf(point: FlowPoint): readonly string[] {
    if (typeof point === "string") return [point];
    return point.outputs.filter((name) => this.#readers.has(name) || this.#outputs.has(name));
  }

  /** The nodes that read what leaves a point, each once, in topological order. */
  successors(point: FlowPoint): readonly Node[] {
    const found = new Set(this.valuesOf(point).flatMap((value) => this.readers(value)));
    return [...found].sort((a, b) => this.#vertices.get(a)! - this.#vertices.get(b)!);
  }

  /** The nodes that compute a node's constant inputs from constants, in topological order. */
  constantNodes(node: Node): Node[] {
    const found = new Set<Node>();
    const visit = (reader: Node) => {
      for (const name of readNames(reader)) {
        const maker = this.#constantMakers.get(name);
        if (maker === undefined || found.has(maker)) continue;
        visit(maker);
        found.add(maker);
      }
    };
    visit(node);
    return [...found];
  }

  /** The node that makes a constant from constants; `undefined` for initializers and activations. */
  constantMaker(value: string): Node | undefined {
    return this.#constantMakers.get(value);
  }

  /** Where in the topological order a point is. */
  position(point: FlowPoint): number {
    return this.#vertices.get(point)!;
  }

  /** The last point before this one that every path from the inputs goes through; `undefined` where there is none. */
  dominator(point: FlowPoint): FlowPoint | undefined {
    return this.#points[this.#dominators[this.#vertices.get(point)!]! - 1];
  }

  /** The first node after this point that every path to the outputs goes through; `undefined` where there is none. */
  postDominator(point: FlowPoint): Node | undefined {
    const found = this.#points[this.#postDominators[this.#vertices.get(point)!]! - 1];
    return typeof found === "string" ? undefined : found;
  }

  /** Whether every path from the inputs to `after` goes through `before`. */
  dominates(before: FlowPoint, after: FlowPoint): boolean {
    const wanted = this.#vertices.get(before)!;
    let vertex = this.#vertices.get(after)!;
    while (vertex > wanted) vertex = this.#dominators[vertex]!;
    return vertex === wanted;
  }

  // In topological order one pass is enough (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", 2001).
  #findDominators(): Int32Array {
    const dominators = new Int32Array(this.#points.length + 2);
    for (const node of this.nodes) {
      let common = -1;
      for (const value of this.reads(node)) {
        let other = this.#vertices.get(this.maker(value))!;
        if (common < 0) common = other;
        while (common !== other) {
          if (common > other) common = dominators[common]!;
          else other = dominators[other]!;
        }
      }
      dominators[this.#vertices.get(node)!] = common;
    }
    return dominators;
  }

  #findPostDominators(): Int32Array {
    const sink = this.#points.length + 1;
    const dominators = new Int32Array(sink + 1).fill(sink);
    for (let vertex = sink - 1; vertex > 0; vertex--) {
      const point = this.#points[vertex - 1]!;
      let common = this.valuesOf(point).some((value) => this.isOutput(value)) ? sink : -1;
      for (const successor of this.successors(point)) {
        let other = this.#vertices.get(successor)!;
        if (common < 0) common = other;
        while (common !== other) {
          if (common < other) common = dominators[common]!;
          else other = dominators[other]!;
        }
      }
      dominators[vertex] = common < 0 ? sink : common;
    }
    return dominators;
  }
}

/** The nodes between inputs and outputs, and the names of all activations. */
function activeNodes(
  graph: Graph,
  outputs: ReadonlySet<string>,
): { nodes: Node[]; activations: Set<string> } {
  const activations = new Set(
    graph.inputs.map(({ name }) => name).filter((name) => !graph.initializers.has(name)),
  );
  const reads = new Map<Node, Set<string>>();
  const dependent = graph.nodes.filter((node) => {
    const names = readNames(node);
    reads.set(node, names);
    if (![...names].some((name) => activations.has(name))) return false;
    for (const output of node.outputs) if (output !== "") activations.add(output);
    return true;
  });
  const needed = new Set(outputs);
  const nodes: Node[] = [];
  for (const node of dependent.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const name of reads.get(node)!) needed.add(name);
    nodes.push(node);
  }
  return { nodes: nodes.reverse(), activations };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
