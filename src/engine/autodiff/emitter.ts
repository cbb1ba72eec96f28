/**
 * Appends nodes to a graph that is already there, with fresh names.
 *
 * Unlike a builder, which starts an empty graph, an emitter extends one: gradient rules, losses, schedules and
 * optimizers all write through it. Equal constants are shared.
 *
 * @module
 */

import type { Attribute, Graph } from "../../onnx/model.ts";
import { elementCount, int64s, type Tensor, tensor } from "../../onnx/tensor.ts";

/** Element types that gradients can have. */
export type FloatType = "float32" | "float64";

/** An attribute as rules write it: a plain number is an integer. */
export type EmittedAttribute = Attribute | number | string | readonly number[];

/** Which operators may be used beside ONNX's. */
export interface EmitterOptions {
  readonly block?: number;
  readonly native?: boolean;
}

/** Writes nodes into one graph. */
export class Emitter {
  readonly graph: Graph;
  readonly #prefix: string;
  readonly #taken: Set<string>;
  readonly #values = new Map<string, string>();
  #count = 0;
  /** Channels in a block of the layout that convolutions may use; 1 where they must not: see `blocks.ts`. */
  readonly block: number;
  /** Whether nothing but ONNX Runtime will run the graph, so that its own operators may be used. */
  readonly native: boolean;

  /**
   * @param graph Extended in place.
   * @param prefix Starts every new name.
   */
  constructor(graph: Graph, prefix = "grad", options: EmitterOptions = {}) {
    this.graph = graph;
    this.#prefix = prefix;
    this.block = options.block ?? 1;
    this.native = options.native ?? false;
    this.#taken = new Set();
    this.reserve(graph);
  }

  /** Keeps the names of another graph free, whose nodes will join this one. */
  reserve(graph: Graph): void {
    for (const name of graph.initializers.keys()) this.#taken.add(name);
    for (const input of graph.inputs) this.#taken.add(input.name);
    for (const node of graph.nodes) {
      this.#taken.add(node.name);
      for (const output of node.outputs) this.#taken.add(output);
    }
  }

  /** A name that nothing in the graph has yet. */
  fresh(base: string): string {
    let name: string;
    do name = `${this.#prefix}/${base}_${this.#count++}`; while (this.#taken.has(name));
    this.#taken.add(name);
    return name;
  }

  /** Emits a node and gives the name of its first output. */
  op(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, EmittedAttribute>> = {},
    domain = "",
  ): string {
    return this.ops(opType, inputs, 1, attributes, domain)[0]!;
  }

  /** Emits a node with several outputs and gives their names. */
  ops(
    opType: string,
    inputs: readonly string[],
    outputs: number | readonly string[],
    attributes: Readonly<Record<string, EmittedAttribute>> = {},
    domain = "",
  ): string[] {
    const name = this.fresh(opType);
    const names = typeof outputs !== "number"
      ? [...outputs]
      : outputs === 1
      ? [name]
      : Array.from({ length: outputs }, (_, index) => this.fresh(`${opType}_${index}`));
    this.graph.nodes.push({
      name,
      opType,
      domain,
      inputs: [...inputs],
      outputs: names,
      attributes: new Map(
        Object.entries(attributes).map(([key, value]) => [key, attribute(value)]),
      ),
    });
    return names;
  }

  /** Gives an existing value another name. */
  alias(from: string, to: string): void {
    this.#taken.add(to);
    this.ops("Identity", [from], [to]);
  }

  /** A constant tensor. */
  constant(value: Tensor, base = "constant"): string {
    const name = this.fresh(base);
    this.graph.initializers.set(name, value);
    return name;
  }

  /** A zero-dimensional constant. */
  scalar(value: number, type: FloatType): string {
    return this.once(
      `${type}:${Object.is(value, -0) ? "-0" : value}`,
      () => this.constant(full(type, [], value)),
    );
  }

  /** A constant filled with one value. */
  full(dims: readonly number[], value: number, type: FloatType): string {
    return this.once(
      `${type}[${dims}]:${value}`,
      () => this.constant(full(type, dims, value)),
    );
  }

  /** A one-dimensional int64 constant, as shapes, axes and pads are given. */
  ints(values: readonly number[]): string {
    return this.once(`int64:${values}`, () => this.constant(int64s(values)));
  }

  /** What was emitted under a key before, or is emitted now. */
  once(key: string, emit: () => string): string {
    let name = this.#values.get(key);
    if (name === undefined) {
      name = emit();
      this.#values.set(key, name);
    }
    return name;
  }

  add(a: string, b: string): string {
    return this.op("Add", [a, b]);
  }

  sub(a: string, b: string): string {
    return this.op("Sub", [a, b]);
  }

  mul(a: string, b: string): string {
    return this.op("Mul", [a, b]);
  }

  div(a: string, b: string): string {
    return this.op("Div", [a, b]);
  }

  neg(a: string): string {
    return this.op("Neg", [a]);
  }

  exp(a: string): string {
    return this.op("Exp", [a]);
  }

  reshape(a: string, dims: readonly number[]): string {
    return this.op("Reshape", [a, this.ints(dims)]);
  }

  transpose(a: string, perm: readonly number[]): string {
    return perm.every((axis, index) => axis === index) ? a : this.op("Transpose", [a], { perm });
  }

  /** Sum over axes, which stay as ones when `keep` is set. */
  reduceSum(a: string, axes: readonly number[], keep: boolean): string {
    if (axes.length === 0) return a;
    return this.op("ReduceSum", [a, this.ints(axes)], { keepdims: keep ? 1 : 0 });
  }

  /** `starts`, `ends` and `steps` for the given axes. */
  slice(
    a: string,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps?: readonly number[],
  ): string {
    const inputs = [a, this.ints(starts), this.ints(ends), this.ints(axes)];
    if (steps !== undefined && steps.some((step) => step !== 1)) inputs.push(this.ints(steps));
    return this.op("Slice", inputs);
  }

  /** Zeros around a tensor: all begins, then all ends. Negative pads crop. */
  pad(a: string, pads: readonly number[]): string {
    return pads.every((pad) => pad === 0) ? a : this.op("Pad", [a, this.ints(pads)]);
  }

  /**
   * Zeros around one axis, or crops where negative; ONNX Runtime moves whole blocks, two to five times as fast as `Pad`.
   *
   * @param dims Shape of the tensor.
   */
  padAxis(
    a: string,
    dims: readonly number[],
    axis: number,
    [begin, end]: readonly [number, number],
    type: FloatType,
  ): string {
    if (begin === 0 && end === 0) return a;
    const lead = elementCount(dims.slice(0, axis));
    const block = elementCount(dims.slice(axis + 1));
    const size = dims[axis]!;
    const flat = this.reshape(a, [lead, size * block]);
    const [first, last] = [Math.max(0, -begin), size - Math.max(0, -end)];
    const kept = first === 0 && last === size
      ? flat
      : this.slice(flat, [1], [first * block], [last * block]);
    const zeros = (count: number) => count > 0 ? [this.full([lead, count * block], 0, type)] : [];
    const padded = this.concat([...zeros(begin), kept, ...zeros(end)], 1);
    return this.reshape(padded, dims.with(axis, size + begin + end));
  }

  concat(parts: readonly string[], axis: number): string {
    return parts.length === 1 ? parts[0]! : this.op("Concat", parts, { axis });
  }
}

function attribute(value: EmittedAttribute): Attribute {
  if (typeof value === "number") {
    if (!Number.isInteger(value)) {
      throw new TypeError(`Attribute must be an integer: current value is ${value}`);
    }
    return { kind: "int", value };
  }
  if (typeof value === "string") return { kind: "string", value };
  return Array.isArray(value)
    ? { kind: "ints", value: value as readonly number[] }
    : value as Attribute;
}

/** A tensor of one float value. */
export function full(type: FloatType, dims: readonly number[], value: number): Tensor {
  const count = elementCount(dims);
  return type === "float32"
    ? tensor(type, dims, new Float32Array(count).fill(value))
    : tensor(type, dims, new Float64Array(count).fill(value));
}
