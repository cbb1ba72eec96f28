/**
 * What the rules of an upgrade know and can do.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { describeNode } from "./attributes.ts";
import { constantValue, insertNode, uniqueName } from "./edit.ts";
import { toFloat16 } from "./float16.ts";
import type { Attribute, Graph, Node, ValueInfo } from "./model.ts";
import { readNames } from "./scope.ts";
import { type DataType, int64s, type Tensor, tensor } from "./tensor.ts";

/** Operators whose output has the type and the rank of their first input. */
const ELEMENTWISE = new Set([
  "BatchNormalization",
  "Clip",
  "Conv",
  "ConvTranspose",
  "Dropout",
  "Elu",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "AveragePool",
  "HardSigmoid",
  "Identity",
  "InstanceNormalization",
  "LeakyRelu",
  "LRN",
  "LogSoftmax",
  "MaxPool",
  "Pad",
  "PRelu",
  "Relu",
  "Selu",
  "Sigmoid",
  "Slice",
  "Softmax",
  "Softplus",
  "Tanh",
  "Transpose",
]);

/** Operators whose output has the type of their first input. */
const SAME_TYPE = new Set([
  "Add",
  "Concat",
  "Div",
  "Flatten",
  "Gather",
  "Gemm",
  "MatMul",
  "Mul",
  "Reshape",
  "Squeeze",
  "Sub",
  "Sum",
  "Unsqueeze",
]);

/** One crossing of an operator set version by one node. */
export class UpgradeContext {
  /**
   * @param graph The graph that the node is in.
   * @param root The outermost graph, in which new names must be free.
   * @param source The version that the model comes from.
   * @param version The version that is crossed.
   */
  constructor(
    readonly graph: Graph,
    readonly root: Graph,
    readonly source: number,
    readonly version: number,
  ) {}

  /** Adds a constant; its name starts with the node's. */
  constant(node: Node, what: string, value: Tensor): string {
    const base = node.name || node.outputs.find((output) => output !== "") || node.opType;
    const name = uniqueName(this.root, `${base}_${what}`);
    this.graph.initializers.set(name, value);
    return name;
  }

  /** Adds a one-dimensional int64 constant. */
  integers(node: Node, what: string, values: readonly number[]): string {
    return this.constant(node, what, int64s(values));
  }

  /** Adds a scalar constant of the type of a value; float32 where the model does not say that type. */
  scalarLike(node: Node, what: string, like: string, value: number): string {
    const type = this.typeOf(like) ?? "float32";
    switch (type) {
      case "float16":
        return this.constant(node, what, tensor("float16", [], toFloat16([value])));
      case "float64":
        return this.constant(node, what, tensor("float64", [], Float64Array.of(value)));
      case "float32":
        return this.constant(node, what, tensor("float32", [], Float32Array.of(value)));
      default:
        this.fail(node, `its input is of type ${type}`);
    }
  }

  /** Adds a node right before another one. Returns the name of its output. */
  before(
    node: Node,
    opType: string,
    inputs: string[],
    attributes: Record<string, Attribute> = {},
  ): string {
    const name = uniqueName(this.root, `${node.name || node.outputs[0]}_${opType}`);
    insertNode(this.graph, {
      name,
      opType,
      domain: "",
      inputs,
      outputs: [name],
      attributes: new Map(Object.entries(attributes)),
    }, node);
    return name;
  }

  /** Lets a node's first output be made by a new node that reads the old one. */
  after(node: Node, opType: string, inputs: (output: string) => string[]): void {
    const output = node.outputs[0]!;
    const inner = uniqueName(this.root, `${output}_inner`);
    node.outputs[0] = inner;
    const added: Node = {
      name: uniqueName(this.root, `${node.name || output}_${opType}`),
      opType,
      domain: "",
      inputs: inputs(inner),
      outputs: [output],
      attributes: new Map(),
    };
    insertNode(this.graph, added);
  }

  /** Whether anything in the graph reads a value, or gives it out. */
  isUsed(name: string): boolean {
    return name !== "" &&
      (this.graph.outputs.some((info) => info.name === name) ||
        this.graph.nodes.some((node) => readNames(node).has(name)));
  }

  /** Takes the outputs after the first away, which nothing uses. */
  keepFirstOutput(node: Node): void {
    for (const output of node.outputs.slice(1)) this.graph.values.delete(output);
    node.outputs.length = 1;
  }

  /** The element type of a value, where the model says it directly or through operators that keep it. */
  typeOf(name: string): DataType | undefined {
    let value = name;
    // A path without a circle is no longer than the list of nodes.
    for (let step = 0; step <= this.graph.nodes.length; step++) {
      const known = this.#declared(value)?.type ?? constantValue(this.graph, value)?.type;
      if (known !== undefined) return known;
      const maker = this.#maker(value);
      if (maker === undefined) return undefined;
      if (!ELEMENTWISE.has(maker.opType) && !SAME_TYPE.has(maker.opType)) return undefined;
      value = maker.inputs[0] ?? "";
    }
    return undefined;
  }

  /** The rank of a value, where the model says it directly or through operators that fix or keep it. */
  rankOf(name: string): number | undefined {
    let value = name;
    for (let step = 0; step <= this.graph.nodes.length; step++) {
      const known = this.#declared(value)?.dims ?? constantValue(this.graph, value)?.dims;
      if (known !== undefined) return known.length;
      const maker = this.#maker(value);
      if (maker === undefined) return undefined;
      if (maker.opType === "Gemm" || maker.opType === "Flatten") return 2;
      if (maker.opType === "Reshape") {
        return constantValue(this.graph, maker.inputs[1] ?? "")?.data.length;
      }
      if (!ELEMENTWISE.has(maker.opType)) return undefined;
      value = maker.inputs[0] ?? "";
    }
    return undefined;
  }

  /** Gives the node up. */
  fail(node: Node, reason: string): never {
    throw new UserError({
      message: `Node ${describeNode(node)} cannot be upgraded from opset ${this.source} ` +
        `to ${this.version}: ${reason}`,
      hint: "Export the model again with a newer opset",
    });
  }

  #maker(name: string): Node | undefined {
    if (name === "") return undefined;
    return this.graph.nodes.find((node) => node.outputs[0] === name && node.domain === "");
  }

  #declared(name: string): ValueInfo | undefined {
    return this.graph.values.get(name) ??
      this.graph.inputs.find((info) => info.name === name) ??
      this.graph.outputs.find((info) => info.name === name);
  }
}
