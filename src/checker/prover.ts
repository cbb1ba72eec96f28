/**
 * Bounds of f′ − f on a box: intervals forward, linear functionals backward, everything rounded outward.
 *
 * @module
 */

import { Backward, ROWS, type View } from "./backward.ts";
import { affineIntervals, rectify } from "./forward.ts";
import type { Grid } from "./network.ts";
import type { Pair, PairedStep } from "./pair.ts";
import { Refusal } from "./refusal.ts";
import { Relaxation, relaxGrid, relaxRelu } from "./relaxation.ts";
import { relaxCurve } from "./relaxed_curve.ts";
import { curveError, gridError, LARGEST_WEIGHT, type Semantics, UNIT } from "./rounding.ts";
import { Shares } from "./shares.ts";
import { Charges, ValueState } from "./value_state.ts";

/** Bounds of f′ − f, one an output. */
export interface DifferenceBounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** How thorough a proof is. */
export interface ProofOptions {
  /** Whether differences inside of the networks get functionals of their own. */
  readonly differences: boolean;
  /** Whether {@linkcode Prover.scores} are wanted. */
  readonly scores?: boolean;
  /** Told how much is done, from 0 to 1, as if every neuron needed functionals. */
  readonly progress?: (share: number) => void;
}

/** Element types of inputs whose networks compute in float32 or better, by their numbers in ONNX: it and float64. */
const FLOAT32_OR_BETTER = [1, 11];

/** Bounds one pair of networks on one box after another. */
export class Prover {
  /** Elements of the input, and of the output. */
  readonly inputs: number;
  readonly outputs: number;
  /**
   * What a cut of each input would help the functionals that bounded the outputs last, [2 × outputs × inputs]. Only good
   * for choosing where to cut.
   */
  readonly scores: Float64Array;
  readonly #pair: Pair;
  readonly #semantics: Semantics;
  readonly #values: ValueState[];
  readonly #charges: (Charges | undefined)[];
  readonly #relaxations: (Relaxation | undefined)[];
  readonly #backward: Backward;
  readonly #shares: Shares;
  /** What sums are charged, as a multiple of the magnitudes that are added: no sum is longer than all of these. */
  readonly #unit: number;
  /** Affine values that depend on relaxed ones, and whether nothing but the signs of their elements counts. */
  readonly #tightened: ReadonlyMap<number, boolean>;
  /** Multiplications of one functional of each value, in one network. */
  readonly #behind: readonly number[];
  /** Tells how much is done. */
  #tell: (multiplications: number) => void = () => {};
  /** Where grids behind Relus end, by the value that the Relu reads. */
  readonly #ends: ReadonlyMap<number, GridEnds>;

  /** @throws {Refusal} If the semantics is not that of the models. */
  constructor(pair: Pair, semantics: Semantics = "real") {
    if (
      semantics === "float32" && !pair.inputTypes.every((type) => FLOAT32_OR_BETTER.includes(type))
    ) {
      throw new Refusal("The semantics float32 is none of models that compute in another type");
    }
    if (semantics === "float32" && !pair.steps.every(hasModerateWeights)) {
      throw new Refusal(`The semantics float32 is none of models with weights of 2^48 and more`);
    }
    this.#pair = pair;
    this.#semantics = semantics;
    this.inputs = pair.inputs;
    this.outputs = pair.output === 0 ? pair.inputs : pair.steps[pair.output - 1]!.size;
    const sizes = [pair.inputs, ...pair.steps.map(({ size }) => size)];
    const longest = pair.steps.reduce(
      (total, step) => total + (step.kind === "affine" ? step.longest : 1),
      Math.max(...sizes),
    );
    this.#unit = 4 * (longest + 64) * UNIT;
    this.#values = sizes.map((size) => new ValueState(size));
    this.#charges = [
      undefined,
      ...pair.steps.map(({ kind, size }) => kind === "affine" ? new Charges(size) : undefined),
    ];
    this.#relaxations = [
      undefined,
      ...pair.steps.map(({ kind, size }) => kind === "affine" ? undefined : new Relaxation(size)),
    ];
    this.#backward = new Backward(pair, {
      values: this.#values,
      charges: this.#charges,
      relaxations: this.#relaxations,
    });
    this.scores = new Float64Array(2 * this.outputs * pair.inputs);
    this.#shares = new Shares(pair);
    this.#tightened = tightened(pair);
    let behind = 0;
    this.#behind = [
      0,
      ...pair.steps.map((step) => {
        if (step.kind === "affine") {
          for (const { original } of step.terms) behind += original.weights.length;
        }
        return behind;
      }),
    ];
    this.#ends = gridEnds(pair);
  }

  /**
   * About how many multiplications bounding one box takes at most: every neuron that is tightened has two functionals
   * in each network.
   */
  get work(): number {
    let total = 0;
    this.#tightened.forEach((_, value) => {
      total += 4 * this.#pair.steps[value - 1]!.size * this.#behind[value]!;
    });
    return total + 6 * this.outputs * this.#behind[this.#pair.output]!;
  }

  /** Bounds of f′ − f for every output on the box; infinite where nothing can be said. */
  prove(lower: Float64Array, upper: Float64Array, options: ProofOptions): DifferenceBounds {
    const { steps, output } = this.#pair;
    const input = this.#values[0]!;
    for (const side of [input.zLower, input.yLower]) side.set(lower);
    for (const side of [input.zUpper, input.yUpper]) side.set(upper);
    input.measure();
    const { progress } = options;
    let done = 0;
    // Functionals of differences take as much as those of both networks.
    const total = this.work * (options.differences ? 2 : 1);
    this.#tell = progress === undefined
      ? () => {}
      : (multiplications) => progress(Math.min((done += multiplications) / total, 1));
    let isBelow = true;
    steps.forEach((step, at) => {
      const value = at + 1;
      const state = this.#values[value]!;
      if (step.kind === "affine") {
        const charges = this.#charges[value]!;
        if (!affineIntervals(step, this.#values, state, charges, this.#unit, this.#semantics)) {
          isBelow = false;
        }
        if (this.#tightened.has(value)) this.#tighten(value, options);
        return;
      }
      const from = this.#values[step.input]!;
      const relaxation = this.#relaxations[value]!;
      if (step.kind === "relu") {
        relaxRelu(from, relaxation);
        rectify(from, state);
      } else if (step.kind === "curve") {
        relaxCurve(step, curveError(this.#semantics), from, state, relaxation);
      } else relaxGrid(step, gridError(this.#semantics), from, state, relaxation);
    });
    const state = this.#values[output]!;
    if (options.scores) this.#shares.follow(lower, upper, this.#relaxations);
    const shares = options.scores ? this.#shares : undefined;
    this.#bound(output, "e", [...state.eLower.keys()], state.eLower, state.eUpper, shares);
    // What overflowed in a runtime is not taken back by a weight of 0 behind it.
    if (!isBelow && this.#semantics === "float32") {
      state.eLower.fill(-Infinity);
      state.eUpper.fill(Infinity);
    }
    // e is f − f′. What is no number is no bound.
    return {
      lower: state.eUpper.map((value) => Number.isNaN(value) ? -Infinity : -value),
      upper: state.eLower.map((value) => Number.isNaN(value) ? Infinity : -value),
    };
  }

  /**
   * Functionals for the neurons whose signs intervals leave open, or whose values may pass the end of a grid, or for all
   * where ranges count.
   */
  #tighten(value: number, { differences }: ProofOptions): void {
    const state = this.#values[value]!;
    const onlySigns = this.#tightened.get(value)!;
    const ends = this.#ends.get(value);
    const [z, y, e]: [number[], number[], number[]] = [[], [], []];
    for (let at = 0; at < state.zLower.length; at++) {
      const passes = ends !== undefined &&
        (state.zUpper[at]! > ends.original[at]! || state.yUpper[at]! > ends.quantized[at]!);
      const zOpen = !onlySigns || passes || (state.zLower[at]! < 0 && state.zUpper[at]! > 0);
      const yOpen = !onlySigns || passes || (state.yLower[at]! < 0 && state.yUpper[at]! > 0);
      if (zOpen) z.push(at);
      if (yOpen) y.push(at);
      if (differences && (zOpen || yOpen)) e.push(at);
    }
    this.#bound(value, "z", z, state.zLower, state.zUpper);
    this.#bound(value, "y", y, state.yLower, state.yUpper);
    state.close();
    if (e.length > 0) {
      this.#bound(value, "e", e, state.eLower, state.eUpper);
      state.close();
    }
    state.measure();
  }

  /** Narrows bounds of elements of a value by backward functionals. */
  #bound(
    target: number,
    view: View,
    elements: readonly number[],
    lower: Float64Array,
    upper: Float64Array,
    shares?: Shares,
  ): void {
    const half = ROWS / 2;
    for (let from = 0; from < elements.length; from += half) {
      const part = elements.slice(from, from + half);
      const found = this.#backward.lowerBounds(target, view, part, shares);
      this.#tell((view === "e" ? 4 : 2) * part.length * this.#behind[target]!);
      if (shares !== undefined) {
        const scores = this.#backward.scores.subarray(0, 2 * part.length * this.inputs);
        this.scores.set(scores, 2 * from * this.inputs);
      }
      part.forEach((element, at) => {
        lower[element] = Math.max(lower[element]!, found[2 * at]!);
        upper[element] = Math.min(upper[element]!, -found[2 * at + 1]!);
      });
    }
  }
}

/** Whether products of neighboring layers' weights do not overflow in float32. */
function hasModerateWeights(step: PairedStep): boolean {
  return step.kind !== "affine" ||
    step.terms.every(({ original, quantized }) =>
      [original, quantized].every(({ weights }) =>
        // Written so that what is not a number is too large.
        weights.every((weight) => Math.abs(weight) < LARGEST_WEIGHT)
      )
    );
}

/** The largest levels of grids, one an element; infinite in a network that has no grid there. */
interface GridEnds {
  readonly original: Float64Array;
  readonly quantized: Float64Array;
}

/** The ends of the grids that round what Relus make. */
function gridEnds({ steps }: Pair): Map<number, GridEnds> {
  const ends = new Map<number, GridEnds>();
  for (const step of steps) {
    if (step.kind !== "quantize") continue;
    const { size, original, quantized } = step;
    const relu = steps[step.input - 1];
    if (relu?.kind !== "relu") continue;
    const of = (grid: Grid | undefined) =>
      Float64Array.from(
        { length: size },
        (_, at) => grid === undefined ? Infinity : grid.last[at]! * grid.scale[at]!,
      );
    ends.set(relu.input, { original: of(original), quantized: of(quantized) });
  }
  return ends;
}

/** Affine values that Relus and curves read, where something nonlinear stands in front of them. */
function tightened({ steps }: Pair): Map<number, boolean> {
  const isRelaxed = [false];
  for (const step of steps) {
    isRelaxed.push(step.kind !== "affine" || step.terms.some(({ input }) => isRelaxed[input]!));
  }
  const chosen = new Map<number, boolean>();
  for (const step of steps) {
    if (step.kind === "affine" || step.kind === "quantize" || !isRelaxed[step.input]!) continue;
    if (steps[step.input - 1]?.kind !== "affine") continue;
    chosen.set(step.input, step.kind === "relu" && chosen.get(step.input) !== false);
  }
  return chosen;
}
