/**
 * Building graphs in code.
 *
 * @module
 */

import { int, ints, string } from "./attributes.ts";
import type { Attribute, Dimension, Graph, Model, ValueInfo } from "./model.ts";
import { type DataType, int64s, scalar, type Tensor } from "./tensor.ts";

/** Attributes as builders take them: plain integers, texts and lists of integers, or any attribute. */
export type AttributeValues = Readonly<
  Record<string, Attribute | number | string | readonly number[]>
>;

/** What else can be said of a node. */
export interface OperatorOptions {
  /** Name of the node, and of its first output unless `outputs` says otherwise; made up unless told. */
  readonly name?: string;
  /** Names of the outputs. */
  readonly outputs?: readonly string[];
  /** Operator set domain; the standard one unless told. */
  readonly domain?: string;
}

/** The versions a model is built for. */
export interface BuildOptions {
  readonly opset?: number;
  readonly ir?: number;
}

/**
 * Builds a graph node by node. Every method that makes a value returns its name.
 *
 * @example A scaled dot product
 * ```ts
 * import { GraphBuilder } from "./build.ts";
 *
 * const builder = new GraphBuilder();
 * const x = builder.input("x", "float32", ["batch", 64]);
 * const y = builder.op("Mul", [builder.op("MatMul", [x, builder.input("w", "float32", [64, 8])]), builder.constant(0.125)]);
 * builder.output(y);
 * const model = builder.build();
 * ```
 */
export class GraphBuilder {
  readonly #graph: Graph;
  readonly #names: Set<string>;
  readonly #domains: Set<string>;

  /**
   * @param name The graph's name.
   * @param outer The builder of the graph around this one, when this is the body of an `If`, `Loop` or `Scan`:
   *   names are then unique in both, and the body may use the outer graph's values.
   */
  constructor(name = "graph", outer?: GraphBuilder) {
    this.#graph = {
      name,
      nodes: [],
      inputs: [],
      outputs: [],
      initializers: new Map(),
      values: new Map(),
    };
    this.#names = outer === undefined ? new Set() : outer.#names;
    this.#domains = outer === undefined ? new Set() : outer.#domains;
  }

  /** Adds a graph input. */
  input(name: string, type: DataType, dims?: readonly Dimension[]): string {
    this.#claim(name);
    this.#graph.inputs.push({ name, type, dims: dims && [...dims] });
    return name;
  }

  /**
   * Adds a constant.
   *
   * @param value A tensor; a number makes a float32 scalar; a list of integers a one-dimensional int64 tensor, as
   *   shapes and axes are given.
   * @throws {TypeError} If a list holds anything but integers: say `float32(dims, values)` for those.
   */
  constant(value: Tensor | number | readonly number[], name?: string): string {
    const tensor = typeof value === "number"
      ? scalar(value)
      : isTensor(value)
      ? value
      : int64s(requireIntegers(value));
    const claimed = name === undefined ? this.#invent("constant") : this.#claim(name);
    this.#graph.initializers.set(claimed, tensor);
    return claimed;
  }

  /**
   * Adds a node with one output that matters.
   *
   * @param inputs Value names; the empty string leaves an optional input out.
   * @returns The name of its first output.
   * @throws {TypeError} If a plain number among the attributes is not an integer: say `float()` for those.
   */
  op(
    opType: string,
    inputs: readonly string[],
    attributes: AttributeValues = {},
    options: OperatorOptions = {},
  ): string {
    return this.ops(opType, inputs, options.outputs?.length ?? 1, attributes, options)[0]!;
  }

  /**
   * Adds a node with several outputs.
   *
   * @param outputs How many outputs.
   * @returns Their names.
   */
  ops(
    opType: string,
    inputs: readonly string[],
    outputs: number,
    attributes: AttributeValues = {},
    options: OperatorOptions = {},
  ): string[] {
    const invented = options.name === undefined;
    // The first output bears the node's name, so one claim covers both.
    const name = options.name ?? this.#invent(opType);
    const names = options.outputs === undefined
      ? Array.from({ length: outputs }, (_, index) => {
        if (index > 0) return this.#invent(`${name}_output${index}`);
        return invented ? name : this.#claim(name);
      })
      : options.outputs.map((output) => output === "" ? "" : this.#claim(output));
    if (options.domain) this.#domains.add(options.domain);
    this.#graph.nodes.push({
      name,
      opType,
      domain: options.domain ?? "",
      inputs: [...inputs],
      outputs: names,
      attributes: new Map(
        Object.entries(attributes).map(([key, value]) => [key, toAttribute(key, value)]),
      ),
    });
    return names;
  }

  /** Makes a value a graph output. ONNX Runtime infers the type where it is not given. */
  output(name: string, type?: DataType, dims?: readonly Dimension[]): string {
    const info: ValueInfo = { name, type, dims: dims && [...dims] };
    this.#graph.outputs.push(info);
    return name;
  }

  /** The graph built so far; it goes on growing with the builder. */
  graph(): Graph {
    return this.#graph;
  }

  /** The graph as a model. Other operator domains than the standard one are imported at version 1. */
  build({ opset = 21, ir = 10 }: BuildOptions = {}): Model {
    return {
      irVersion: ir,
      opsets: new Map([
        ["", opset],
        ...[...this.#domains].map((domain): [string, number] => [domain, 1]),
      ]),
      producerName: "bitbound",
      producerVersion: "",
      modelVersion: 0,
      domain: "",
      metadata: new Map(),
      graph: this.#graph,
    };
  }

  #claim(name: string): string {
    if (name === "") throw new TypeError("A value must have a name");
    if (this.#names.has(name)) throw new TypeError(`A value is already named "${name}"`);
    this.#names.add(name);
    return name;
  }

  #invent(base: string): string {
    for (let number = this.#names.size;; number++) {
      const name = `${base}_${number}`;
      if (!this.#names.has(name)) return this.#claim(name);
    }
  }
}

function toAttribute(
  name: string,
  value: Attribute | number | string | readonly number[],
): Attribute {
  if (typeof value === "string") return string(value);
  if (typeof value === "number") {
    if (!Number.isInteger(value)) {
      throw new TypeError(`Attribute ${name} must say float(${value}): it is not an integer`);
    }
    return int(value);
  }
  return isAttribute(value) ? value : ints(requireIntegers(value));
}

function isAttribute(value: Attribute | readonly number[]): value is Attribute {
  return !Array.isArray(value);
}

function isTensor(value: Tensor | readonly number[]): value is Tensor {
  return !Array.isArray(value);
}

function requireIntegers(values: readonly number[]): readonly number[] {
  const other = values.find((value) => !Number.isInteger(value));
  if (other !== undefined) {
    throw new TypeError(`A plain list must hold integers: current value holds ${other}`);
  }
  return values;
}
