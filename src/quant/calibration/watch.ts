/**
 * Models that compute statistics of their own values, so that the values themselves need not leave the runtime.
 *
 * @module
 */

import { uniqueName } from "../../onnx/edit.ts";
import type { Graph, Model, Node, ValueInfo } from "../../onnx/model.ts";
import { type DataType, scalar, type Tensor, tensor } from "../../onnx/tensor.ts";
import type { Bins } from "../histogram.ts";

/** Names of the outputs that hold statistics of a value, all scalars. */
export interface ExtentOutputs {
  readonly min: string;
  readonly max: string;
  /** NaN or infinite if any element is. */
  readonly sum: string;
  /** int64. */
  readonly size: string;
}

/** A model whose outputs are the least and greatest element of some values. */
export function withExtents(
  model: Model,
  names: readonly string[],
): { model: Model; outputs: Map<string, ExtentOutputs> } {
  const watched = new WatchedGraph(model);
  const outputs = new Map<string, ExtentOutputs>();
  for (const name of names) {
    outputs.set(name, {
      min: watched.output("ReduceMin", [name], "min"),
      max: watched.output("ReduceMax", [name], "max"),
      sum: watched.output("ReduceSum", [name], "sum"),
      size: watched.output("Size", [name], "size", "int64"),
    });
    for (const output of ["min", "max", "sum"] as const) {
      watched.attribute(outputs.get(name)![output], "keepdims", 0);
    }
  }
  return { model: watched.model, outputs };
}

/**
 * A model in which the index of the bin of every element of some values is a value too: QuantizeLinear finds it,
 * with the width of a bin as scale.
 *
 * @param model Of operator set 21 or newer.
 * @param bins By value.
 * @returns The name of the uint16 indices of each value.
 */
export function withBinIndices(
  model: Model,
  bins: ReadonlyMap<string, Bins>,
): { model: Model; indices: Map<string, string> } {
  const watched = new WatchedGraph(model);
  const indices = new Map<string, string>();
  for (const [name, { binWidth, zeroBin }] of bins) {
    const scale = watched.constant(scalar(binWidth), `${name}.bin_width`);
    const zero = watched.constant(
      tensor("uint16", [], Uint16Array.of(zeroBin)),
      `${name}.zero_bin`,
    );
    indices.set(name, watched.output("QuantizeLinear", [name, scale, zero], "bin", "uint16"));
  }
  return { model: watched.model, indices };
}

/** A graph to which nodes are added, over a model that stays as it is. */
class WatchedGraph {
  readonly model: Model;
  readonly #graph: Graph;
  readonly #makers = new Map<string, Node>();

  constructor(model: Model) {
    const { graph } = model;
    this.#graph = {
      ...graph,
      nodes: [...graph.nodes],
      outputs: [],
      initializers: new Map(graph.initializers),
    };
    this.model = { ...model, graph: this.#graph };
  }

  /** Adds a node and makes its output one of the graph's. */
  output(opType: string, inputs: string[], suffix: string, type: DataType = "float32"): string {
    const name = uniqueName(this.#graph, `${inputs[0]}.${suffix}`);
    const node: Node = { name, opType, domain: "", inputs, outputs: [name], attributes: new Map() };
    this.#graph.nodes.push(node);
    this.#makers.set(name, node);
    const info: ValueInfo = { name, type, dims: undefined };
    this.#graph.outputs.push(info);
    return name;
  }

  attribute(output: string, name: string, value: number): void {
    this.#makers.get(output)!.attributes.set(name, { kind: "int", value });
  }

  constant(value: Tensor, base: string): string {
    const name = uniqueName(this.#graph, base);
    this.#graph.initializers.set(name, value);
    return name;
  }
}
