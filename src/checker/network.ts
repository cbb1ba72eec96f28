/**
 * A model as the checker sees it: affine maps, Relus, s-shaped functions and quantizers over flat vectors.
 *
 * @module
 */

import { foldConstant, isFoldable } from "./folding.ts";
import { type Matrix, sparseMatrix } from "./matrix.ts";
import type { Constant, OnnxFile, OnnxNode } from "./onnx_file.ts";
import { OPERATORS } from "./operators/table.ts";
import { Refusal } from "./refusal.ts";

/** Σ matrix · input + offset. */
export interface AffineStep {
  readonly kind: "affine";
  readonly size: number;
  readonly terms: readonly { readonly input: number; readonly matrix: Matrix }[];
  readonly offset: Float64Array;
  /** How far real offsets may be from those, absolute. */
  readonly offsetError: Float64Array;
  /** The magnitudes of all that was added up to an offset, which rounding in a runtime is relative to. */
  readonly offsetSize: Float64Array;
  /** A bound on |weight − real weight| over |real weight|. */
  readonly weightError: number;
}

/** max(0, x). */
export interface ReluStep {
  readonly kind: "relu";
  readonly size: number;
  readonly input: number;
}

/** A grid of levels q·scale with first ≤ q ≤ last, for each element; zero points are taken off. */
export interface Grid {
  readonly scale: Float64Array;
  readonly first: Float64Array;
  readonly last: Float64Array;
}

/** Rounding to the nearest level of a grid, either one where two are as near. */
export interface QuantizeStep {
  readonly kind: "quantize";
  readonly size: number;
  readonly input: number;
  readonly grid: Grid;
}

/** Sigmoid or Tanh. */
export interface CurveStep {
  readonly kind: "curve";
  readonly size: number;
  readonly input: number;
  readonly function: "Sigmoid" | "Tanh";
}

/** One step; step k makes value k + 1, and value 0 is the input. */
export type Step = AffineStep | ReluStep | QuantizeStep | CurveStep;

/** A model. */
export interface Network {
  readonly inputs: number;
  /** The input's element type, by its number in ONNX. */
  readonly inputType: number;
  readonly steps: readonly Step[];
  /** The value that is the output. */
  readonly output: number;
}

/** A grid as a model stores it: integers q stand for (q − zero)·scale. */
export interface StoredGrid {
  readonly scale: Float64Array;
  readonly zero: Float64Array;
  readonly least: number;
  readonly most: number;
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
  /** Integers that leave a quantizer, by their names: which grid they are levels of. */
  readonly grids = new Map<string, StoredGrid>();
  readonly #values = new Map<string, Value>();
  readonly #file: OnnxFile;
  readonly #inputs: number;
  readonly #inputType: number;

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
    this.#inputType = inputs[0]!.type;
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
    return {
      inputs: this.#inputs,
      inputType: this.#inputType,
      steps: this.steps,
      output: output.number,
    };
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
  add(node: OnnxNode, step: Step, dims: readonly number[]): Value {
    if (step.size !== count(dims)) {
      throw new Refusal(`Node "${node.name}" has shapes that do not fit`);
    }
    this.steps.push(step);
    const value = { number: this.steps.length, dims };
    this.#values.set(node.outputs[0]!, value);
    return value;
  }

  /** Puts another quantizer in the place of one that nothing but a node reads. */
  requantize(node: OnnxNode, value: Value, grid: Grid): void {
    const made = this.steps[value.number - 1];
    if (made?.kind !== "quantize" || this.#usesOf(value) > 1) {
      throw unsupported(node, "on integers that other nodes read");
    }
    this.steps[value.number - 1] = { ...made, grid };
    this.alias(node, value, value.dims);
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
    const sizes = offset.map(Math.abs);
    if (made?.kind === "affine" && this.#usesOf(value) <= 1) {
      const sums = made.offset.map((before, at) => before + offset[at]!);
      const offsetError = sums.map((sum, at) => {
        const exact = made.offset[at] === 0 || offset[at] === 0;
        return made.offsetError[at]! + errors[at]! + (exact ? 0 : Math.abs(sum) * 2 ** -52);
      });
      const offsetSize = made.offsetSize.map((before, at) => before + sizes[at]!);
      this.steps[value.number - 1] = { ...made, offset: sums, offsetError, offsetSize };
      this.alias(node, value, dims);
      return;
    }
    const rows = Array.from(offset, (_, at) => [[at, 1]] as const);
    const terms = [{ input: value.number, matrix: sparseMatrix(offset.length, rows) }];
    const size = offset.length;
    const exact = { offset, offsetError: errors, offsetSize: sizes, weightError: 0 };
    this.add(node, { kind: "affine", size, terms, ...exact }, dims);
  }

  /** How many nodes read a value, under any of its names; being the output of the model counts too. */
  #usesOf({ number }: Value): number {
    const isValue = (name: string) => this.#values.get(name)?.number === number;
    return this.#file.nodes.filter(({ inputs }) => inputs.some(isValue)).length +
      this.#file.outputs.filter(({ name }) => isValue(name)).length;
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
    const rule = OPERATORS[operator];
    if (rule === undefined) throw unsupported(node);
    rule(node, this);
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
