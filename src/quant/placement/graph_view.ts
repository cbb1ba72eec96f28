/**
 * A graph as placement looks at it: who makes and reads a value, and where moved values come from.
 *
 * @module
 */

import { constantOfNode } from "../../onnx/constants.ts";
import { consumers, producers } from "../../onnx/edit.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import type { DataType, Tensor } from "../../onnx/tensor.ts";
import { type OperatorRule, ruleOf } from "./operators.ts";
import { valueTypes } from "./value_types.ts";

/** Look-ups over one graph that does not change meanwhile. */
export class GraphView {
  readonly graph: Graph;
  readonly #skip: (node: Node) => boolean;
  readonly #producers: Map<string, Node>;
  readonly #consumers: Map<string, { node: Node; index: number }[]>;
  readonly #types: Map<string, DataType>;
  readonly #outputs: Set<string>;
  readonly #constants: Map<string, Tensor | undefined>;

  constructor(graph: Graph, skip: (node: Node) => boolean = () => false) {
    this.graph = graph;
    this.#skip = skip;
    this.#producers = producers(graph);
    this.#consumers = consumers(graph);
    this.#types = valueTypes(graph);
    this.#outputs = new Set(graph.outputs.map((output) => output.name));
    this.#constants = new Map(graph.initializers);
    for (const node of graph.nodes) {
      if (node.opType !== "Constant" || node.domain !== "") continue;
      this.#constants.set(node.outputs[0]!, constantOfNode(node));
    }
  }

  /** Whether the user wants a node left in float. */
  skipped(node: Node): boolean {
    return this.#skip(node);
  }

  /** The rule of a node; `undefined` if it stays in float. */
  rule(node: Node): OperatorRule | undefined {
    return this.#skip(node) ? undefined : ruleOf(node, this.graph);
  }

  constant(name: string): Tensor | undefined {
    return this.#constants.get(name);
  }

  /** Whether a value depends on the model's inputs and holds (or may hold) float32. */
  isActivation(name: string): boolean {
    return name !== "" && (this.#types.get(name) ?? "float32") === "float32" &&
      !this.#constants.has(name);
  }

  isOutput(name: string): boolean {
    return this.#outputs.has(name);
  }

  uses(name: string): readonly { node: Node; index: number }[] {
    return this.#consumers.get(name) ?? [];
  }

  /** The only node that reads a value, if there is just one and the value is not an output of the model. */
  onlyReader(name: string): Node | undefined {
    const uses = this.uses(name);
    return uses.length === 1 && !this.isOutput(name) ? uses[0]!.node : undefined;
  }

  /** The value whose elements a value holds: itself, or what went into the operators that moved it. */
  root(name: string): string {
    return this.movesTo(name).length === 0 ? name : this.#path(name).at(-1)!;
  }

  /** The results of moving operators on the way from a value's root to it, itself included. */
  movesTo(name: string): string[] {
    return this.#path(name).slice(0, -1);
  }

  /** Every value from which some of the nodes is reached. */
  leadingTo(nodes: Iterable<Node>): Set<string> {
    const targets = new Set(nodes);
    const found = new Set<string>();
    for (const node of this.graph.nodes.toReversed()) {
      if (!targets.has(node) && !node.outputs.some((output) => found.has(output))) continue;
      for (const input of node.inputs) if (input !== "") found.add(input);
    }
    return found;
  }

  /** Every value that some of the nodes reaches. */
  comingFrom(nodes: Iterable<Node>): Set<string> {
    const sources = new Set(nodes);
    const found = new Set<string>();
    for (const node of this.graph.nodes) {
      if (!sources.has(node) && !node.inputs.some((input) => found.has(input))) continue;
      for (const output of node.outputs) if (output !== "") found.add(output);
    }
    return found;
  }

  /** The position at which each value comes to be. */
  order(): Map<string, number> {
    const order = new Map<string, number>();
    for (const { name } of this.graph.inputs) order.set(name, order.size);
    for (const node of this.graph.nodes) {
      for (const output of node.outputs) if (output !== "") order.set(output, order.size);
    }
    return order;
  }

  #path(name: string): string[] {
    const path = [name];
    for (;;) {
      const producer = this.#producers.get(path.at(-1)!);
      if (producer === undefined || this.rule(producer)?.role !== "move") return path;
      const source = producer.inputs[0]!;
      if (!this.isActivation(source)) return path;
      path.push(source);
    }
  }
}
