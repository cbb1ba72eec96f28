/**
 * A model as the checker sees it: affine maps and Relus over flat vectors.
 *
 * @module
 */

import { foldConstant, isFoldable } from "./folding.ts";
import { type Matrix, sparseMatrix } from "./matrix.ts";
import type { Constant, OnnxFile, OnnxNode } from "./onnx_file.ts";
import { LINEAR_OPERATORS } from "./operators.ts";
import { Refusal } from "./refusal.ts";

/** Σ matrix · input + offset. */
export interface AffineStep {
  readonly kind: "affine";
  readonly size: number;
  readonly terms: readonly { readonly input: number; readonly matrix: Matrix }[];
  readonly offset: Float64Array;
  /** How far real offsets may be from those, absolute. */
  readonly offsetError: Float64Array;
  /** A bound on |weight − real weight| over |real weight|. */
  readonly weightError: number;
}

/** max(0, x). */
export interface ReluStep {
  readonly kind: "relu";
  readonly size: number;
  readonly input: number;
}

/** One step; step k makes value k + 1, and value 0 is the input. */
export type Step = AffineStep | ReluStep;

/** A model. */
export interface Network {
  readonly inputs: number;
  readonly steps: readonly Step[];
  /** The value that is the output. */
  readonly output: number;
}

/** A value while a model is read: its number and its shape. */
export interface Value {
  readonly number: number;
  readonly dims: readonly number[];
}

/** Reads a model step by step. */
export class NetworkReader {
  readonly steps: Step[] = [];
  readonly constants: Map<string, Constant>;
  readonly #values = new Map<string, Value>();
  readonly #file: OnnxFile;
  readonly #inputs: number;

  constructor(file: OnnxFile) {
    this.#file = file;
    this.constants = new Map(file.constants);
    const inputs = file.inputs.filter(({ name }) => !file.constants.has(name));
    if (inputs.length !== 1 || file.outputs.length !== 1) {
      throw new Refusal("A model must have one input and one output");
    }
    const dims = inputs[0]!.dims.map((dim, axis) => axis === 0 && dim < 0 ? 1 : dim);
    if (dims.some((dim) => dim < 1) || (dims.length > 1 && dims[0] !== 1)) {
      throw new Refusal(`The input of a model has the shape [${dims}], not that of one item`);
    }
    this.#inputs = count(dims);
    this.#values.set(inputs[0]!.name, { number: 0, dims });
  }

  read(): Network {
    const waiting = [...this.#file.nodes];
    while (waiting.length > 0) {
      const ready = waiting.findIndex((node) => node.inputs.every((name) => this.#isKnown(name)));
      if (ready < 0) throw new Refusal("The nodes of a model wait for one another");
      const [node] = waiting.splice(ready, 1);
      this.#node(node!);
    }
    const name = this.#file.outputs[0]!.name;
    const output = this.#values.get(name);
    if (output === undefined) throw new Refusal(`Output "${name}" does not depend on the input`);
    return { inputs: this.#inputs, steps: this.steps, output: output.number };
  }

  /** The value that a node reads; refuses constants. */
  value(node: OnnxNode, index: number): Value {
    const value = this.#values.get(node.inputs[index] ?? "");
    if (value === undefined) throw unsupported(node, `with a constant as input ${index}`);
    return value;
  }

  /** Whether an input of a node is computed. */
  isValue(node: OnnxNode, index: number): boolean {
    return this.#values.has(node.inputs[index] ?? "");
  }

  /** A constant that a node reads; `undefined` where it is left out. */
  constant(node: OnnxNode, index: number): Constant | undefined {
    const name = node.inputs[index] ?? "";
    if (name === "") return undefined;
    const found = this.constants.get(name);
    if (found === undefined) throw unsupported(node, `with a computed input ${index}`);
    return found;
  }

  /** Adds a step that makes the node's output. */
  add(node: OnnxNode, step: Step, dims: readonly number[]): void {
    if (step.size !== count(dims)) {
      throw new Refusal(`Node "${node.name}" has shapes that do not fit`);
    }
    this.steps.push(step);
    this.#values.set(node.outputs[0]!, { number: this.steps.length, dims });
  }

  /** Lets the node's output be a value that is there. */
  alias(node: OnnxNode, { number }: Value, dims: readonly number[]): void {
    this.#values.set(node.outputs[0]!, { number, dims });
  }

  /**
   * Adds offset to a value: to the step that makes it where that is affine and nobody else reads it, so that a bias in
   * a node of its own and one inside of Gemm give the same steps.
   */
  addOffset(
    node: OnnxNode,
    value: Value,
    offset: Float64Array,
    errors: Float64Array,
    dims: readonly number[],
  ): void {
    const made = this.steps[value.number - 1];
    const uses =
      this.#file.nodes.filter(({ inputs }) =>
        inputs.some((name) => this.#values.get(name)?.number === value.number)
      ).length;
    if (made?.kind === "affine" && uses <= 1) {
      const sums = made.offset.map((before, at) => before + offset[at]!);
      const offsetError = sums.map((sum, at) => {
        const exact = made.offset[at] === 0 || offset[at] === 0;
        return made.offsetError[at]! + errors[at]! + (exact ? 0 : Math.abs(sum) * 2 ** -52);
      });
      this.steps[value.number - 1] = { ...made, offset: sums, offsetError };
      this.alias(node, value, dims);
      return;
    }
    const rows = Array.from(offset, (_, at) => [[at, 1]] as const);
    const terms = [{ input: value.number, matrix: sparseMatrix(offset.length, rows) }];
    const size = offset.length;
    this.add(
      node,
      { kind: "affine", size, terms, offset, offsetError: errors, weightError: 0 },
      dims,
    );
  }

  #isKnown(name: string): boolean {
    return name === "" || this.constants.has(name) || this.#values.has(name);
  }

  #node(node: OnnxNode): void {
    const { operator, domain } = node;
    if (domain !== "" && domain !== "ai.onnx") throw unsupported(node, `of domain ${domain}`);
    if (!node.inputs.some((name) => this.#values.has(name))) {
      if (!isFoldable(operator)) throw unsupported(node, "on constants");
      const inputs = node.inputs.map((name) => this.constants.get(name));
      this.constants.set(node.outputs[0]!, foldConstant(node, inputs));
      return;
    }
    const rule = LINEAR_OPERATORS[operator];
    if (operator === "Relu") {
      const { number, dims } = this.value(node, 0);
      this.add(node, { kind: "relu", size: count(dims), input: number }, dims);
    } else if (rule !== undefined) rule(node, this);
    else throw unsupported(node);
  }
}

/** The number of elements of a shape. */
export function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** The refusal of a node that this checker does not know. */
export function unsupported({ name, operator }: OnnxNode, how = ""): Refusal {
  const where = name === "" ? "" : ` (node "${name}")`;
  return new Refusal(
    `A model uses the operator ${operator}${
      how && ` ${how}`
    }${where}, which this checker does not support`,
  );
}
