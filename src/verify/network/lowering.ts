/**
 * What operator rules work with: the steps so far, and where each value of the model is among them.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { describeNode } from "../../onnx/attributes.ts";
import type { Node } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import type { Constant, Constants } from "./constants.ts";
import {
  canScaleRows,
  EXTREME,
  identity,
  largestWeight,
  type LinearMap,
  scaleRows,
} from "./linear_map.ts";
import {
  type AffineTerm,
  inputsOf,
  type Network,
  type NetworkInput,
  type Offset,
  type Quantizer,
  type Step,
  type StepNames,
} from "./network.ts";

/** A value of the model among the steps. */
export interface Place {
  readonly number: number;
  readonly dims: readonly number[];
}

type StepWork = Step extends infer S ? S extends Step ? Omit<S, "size" | "dims" | "names"> : never
  : never;

type AffineOf = Extract<Step, { kind: "affine" }>;

/** What else is known of factors and addends. */
export interface Scaling {
  /** How far real addends may be from those given. */
  readonly errors?: Float64Array;
  /** The magnitudes of what each addend was made of, where larger than its own. */
  readonly sizes?: Float64Array;
  /** A bound on |factor − exact| over |exact|. */
  readonly factorError?: number;
}

/** A bound on the relative error of two roundings, as folding a factor and an addition makes them. */
const FOLDING = 2 * 2 ** -53;

/** Collects the steps of a network. */
export class Lowering {
  readonly constants: Constants;
  readonly opset: number;
  readonly #input: NetworkInput;
  readonly #steps: Step[] = [];
  readonly #places = new Map<string, Place>();
  readonly #uses: ReadonlyMap<string, number>;
  readonly #grids = new Map<string, Quantizer>();

  constructor(
    input: NetworkInput,
    constants: Constants,
    opset: number,
    uses: ReadonlyMap<string, number>,
  ) {
    this.constants = constants;
    this.opset = opset;
    this.#input = input;
    this.#uses = uses;
    this.#places.set(input.name, { number: 0, dims: input.dims });
  }

  /** Where an activation is; `undefined` for constants. */
  value(name: string): Place | undefined {
    return this.#places.get(name);
  }

  /**
   * The activation that a node reads.
   *
   * @throws {UserError} If it is a constant.
   */
  activation(node: Node, index: number): Place {
    const place = this.value(node.inputs[index] ?? "");
    if (place === undefined) {
      throw this.unsupported(node, `its input ${index} must be computed from the model's input`);
    }
    return place;
  }

  /**
   * A constant that a node reads; `undefined` where the input is left out.
   *
   * @throws {UserError} If it is not constant.
   */
  constant(node: Node, index: number): Constant | undefined {
    const name = node.inputs[index] ?? "";
    if (name === "") return undefined;
    const found = this.constants.get(name);
    if (found === undefined) throw this.unsupported(node, `its input "${name}" must be constant`);
    return found;
  }

  /** Adds a step that computes the first output of a node. */
  add(node: Node, work: StepWork, dims: readonly number[]): Place {
    const output = node.outputs[0]!;
    const names: StepNames = { value: output, nodes: [node.name || output] };
    const size = elementCount(dims);
    this.#steps.push({ ...work, size, dims, names } as Step);
    const place = { number: this.#steps.length, dims };
    this.#places.set(output, place);
    return place;
  }

  /** Adds a sum of linear maps. */
  addAffine(
    node: Node,
    terms: readonly AffineTerm<LinearMap>[],
    dims: readonly number[],
    offset?: Offset,
  ): Place {
    const values = offset ?? { values: new Float64Array(elementCount(dims)) };
    return this.add(node, { kind: "affine", terms, offset: values }, dims);
  }

  /** Lets the output of a node be a value that is there already, perhaps in another shape. */
  alias(node: Node, number: number, dims: readonly number[]): void {
    this.#places.set(node.outputs[0]!, { number, dims });
  }

  /**
   * y = factors · x + addends, one of each an element: folded into the step that makes x where that is affine and
   * nothing else reads it.
   */
  addScaling(
    node: Node,
    input: Place,
    factors: Float64Array | undefined,
    addends: Float64Array | undefined,
    dims: readonly number[],
    scaling: Scaling = {},
  ): void {
    const { errors, sizes, factorError = 0 } = scaling;
    const size = elementCount(dims);
    const trivial = (factors?.every((factor) => factor === 1) ?? true) &&
      (addends?.every((addend) => addend === 0) ?? true) && errors === undefined &&
      sizes === undefined;
    if (trivial) return this.alias(node, input.number, dims);
    const maker = this.#steps[input.number - 1];
    const foldable = maker?.kind === "affine" && size === maker.size &&
      !this.#isShared(input.number) &&
      (factors === undefined || canFold(maker, factors));
    if (foldable) {
      this.#steps[input.number - 1] = folded(maker, node, factors, addends, dims, scaling);
      this.#places.set(node.outputs[0]!, { number: input.number, dims });
      return;
    }
    const map: LinearMap = factors === undefined ? identity(size) : {
      kind: "diagonal",
      rows: size,
      columns: size,
      factors,
      relativeError: 4 * FOLDING + factorError,
    };
    const offset = {
      values: addends ?? new Float64Array(size),
      ...(errors && { errors }),
      ...(sizes && { sizes }),
    };
    this.addAffine(node, [{ input: input.number, map }], dims, offset);
  }

  /** Adds a bias to the affine step that the same node has just made. */
  addBias(
    node: Node,
    place: Place,
    addends: Float64Array,
    dims: readonly number[],
    errors?: Float64Array,
  ): void {
    const made = this.#steps[place.number - 1];
    if (made?.kind !== "affine") throw new TypeError("A bias needs an affine step");
    const values = made.offset.values.map((value, at) => value + addends[at]!);
    this.#steps[place.number - 1] = { ...made, offset: { values, ...(errors && { errors }) } };
    this.#places.set(node.outputs[0]!, { number: place.number, dims });
  }

  /** How many elements a value has. */
  sizeOf(number: number): number {
    return number === 0 ? this.#input.size : this.#steps[number - 1]!.size;
  }

  /** Adds rounding to a grid. */
  addQuantizer(node: Node, input: Place, quantizer: Quantizer): void {
    this.add(node, { kind: "quantize", input: input.number, quantizer }, input.dims);
    this.#grids.set(node.outputs[0]!, quantizer);
  }

  /** The grid of integers that leave a QuantizeLinear; `undefined` for all other values. */
  gridOf(name: string): Quantizer | undefined {
    return this.#grids.get(name);
  }

  /** Narrows the grid of integers, as a Clip on them does. */
  narrowGrid(node: Node, qmin: number, qmax: number): void {
    const place = this.activation(node, 0);
    const step = this.#steps[place.number - 1]!;
    const before = this.gridOf(node.inputs[0]!);
    if (step.kind !== "quantize" || before === undefined || this.#isShared(place.number)) {
      throw this.unsupported(node, "integers are clipped that other nodes read unclipped");
    }
    const quantizer = {
      ...before,
      qmin: Math.max(before.qmin, qmin),
      qmax: Math.min(before.qmax, qmax),
    };
    this.#steps[place.number - 1] = { ...step, quantizer };
    this.alias(node, place.number, place.dims);
    this.#grids.set(node.outputs[0]!, quantizer);
  }

  /** Whether a value is read in more than one place, under any of its names. */
  #isShared(number: number): boolean {
    if (this.#steps.some((step) => inputsOf(step).includes(number))) return true;
    for (const [name, place] of this.#places) {
      if (place.number === number && this.#uses.get(name) !== 1) return true;
    }
    return false;
  }

  /** The error of a node that cannot be lowered. */
  unsupported(node: Node, why: string): UserError {
    return new UserError(`Node ${describeNode(node)} cannot be verified: ${why}`);
  }

  /** The network. */
  finish(output: number, outputName: string): Network {
    return { input: this.#input, steps: this.#steps, output, outputName };
  }
}

/**
 * Whether rows can be scaled in place. Where numbers are extreme, products by weights could overflow in a runtime, and what
 * is left of them behind a small factor would not show it.
 */
function canFold({ terms }: AffineOf, factors: Float64Array): boolean {
  return factors.every((factor) => Math.abs(factor) < EXTREME) &&
    terms.every(({ map }) => canScaleRows(map, factors) && largestWeight(map) < EXTREME);
}

function folded(
  maker: AffineOf,
  node: Node,
  factors: Float64Array | undefined,
  addends: Float64Array | undefined,
  dims: readonly number[],
  { errors, sizes, factorError = 0 }: Scaling,
): Step {
  const before = maker.offset;
  const values = before.values.map((value, at) =>
    value * (factors?.[at] ?? 1) + (addends?.[at] ?? 0)
  );
  const total = values.map((value, at) => {
    const factor = Math.abs(factors?.[at] ?? 1);
    const product = Math.abs(before.values[at]!) * factor;
    const exact = product === 0 || factors === undefined && (addends?.[at] ?? 0) === 0;
    const rounding = exact ? 0 : FOLDING * 2 * (product + Math.abs(value));
    return rounding + (before.errors?.[at] ?? 0) * factor * (1 + FOLDING + factorError) +
      product * factorError + (errors?.[at] ?? 0);
  });
  const isExact = total.every((error) => error === 0);
  const folded = values.map((_, at) =>
    (before.sizes?.[at] ?? Math.abs(before.values[at]!)) * Math.abs(factors?.[at] ?? 1) +
    (sizes?.[at] ?? Math.abs(addends?.[at] ?? 0))
  );
  const isPlain = folded.every((each, at) => each <= Math.abs(values[at]!));
  return {
    ...maker,
    folds: (maker.folds ?? 0) + 1,
    terms: factors === undefined ? maker.terms : maker.terms.map(({ input, map }) => ({
      input,
      map: scaleRows(map, factors, factorError),
    })),
    offset: {
      values,
      ...(isExact ? {} : { errors: total }),
      ...(isPlain ? {} : { sizes: folded }),
    },
    dims,
    names: {
      value: node.outputs[0]!,
      nodes: [...maker.names.nodes, node.name || node.outputs[0]!],
    },
  };
}
