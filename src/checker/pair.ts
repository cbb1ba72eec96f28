/**
 * Two networks side by side.
 *
 * @module
 */

import { mapWeights, type Matrix, sameForm } from "./matrix.ts";
import type { AffineStep, Grid, Network, Step } from "./network.ts";
import { Refusal } from "./refusal.ts";

/** One affine part of both networks. */
export interface PairedTerm {
  readonly input: number;
  /** W of the original network, W′ of the quantized one. */
  readonly original: Matrix;
  readonly quantized: Matrix;
  /** W − W′, each weight rounded once; `undefined` where they are the same. */
  readonly difference: Matrix | undefined;
}

/** An affine step of both networks. */
export interface PairedAffine {
  readonly kind: "affine";
  readonly size: number;
  readonly terms: readonly PairedTerm[];
  readonly original: AffineStep;
  readonly quantized: AffineStep;
  /** b − b′, and how far the real one may be from it. */
  readonly offset: Float64Array;
  readonly offsetError: Float64Array;
  /** How many products a sum of the step has at most, in either direction. */
  readonly longest: number;
  /** How many numbers either network adds up for one element at most. */
  readonly summands: number;
}

/** Relu in both networks. */
export interface PairedRelu {
  readonly kind: "relu";
  readonly size: number;
  readonly input: number;
}

/** Rounding in one network or in both; the other one passes values on. */
export interface PairedGrid {
  readonly kind: "quantize";
  readonly size: number;
  readonly input: number;
  readonly original: Grid | undefined;
  readonly quantized: Grid | undefined;
}

/** Sigmoid or Tanh in both networks. */
export interface PairedCurve {
  readonly kind: "curve";
  readonly size: number;
  readonly input: number;
  readonly function: "Sigmoid" | "Tanh";
}

/** A step that is not linear. */
export type PairedNonlinear = PairedRelu | PairedGrid | PairedCurve;

/** A step of both networks. */
export type PairedStep = PairedAffine | PairedNonlinear;

/** Two networks of the same structure; e is the value of the original network minus that of the quantized one. */
export interface Pair {
  readonly inputs: number;
  readonly steps: readonly PairedStep[];
  readonly output: number;
  /** Element types of the two inputs, by their numbers in ONNX. */
  readonly inputTypes: readonly [original: number, quantized: number];
}

/**
 * Follows both networks from their outputs to the input. Quantizers may stand in one of them only. Where a quantizer
 * cuts off what is below zero, a Relu in front of it may be missing.
 *
 * @throws {Refusal} If the networks are not of the same structure otherwise.
 */
export function pairNetworks(original: Network, quantized: Network): Pair {
  if (original.inputs !== quantized.inputs) {
    throw new Refusal("The two models differ in structure at their inputs");
  }
  const pairing = new Pairing(original, quantized);
  const output = pairing.match(original.output, quantized.output, false);
  return {
    inputs: original.inputs,
    steps: pairing.steps,
    output,
    inputTypes: [original.inputType, quantized.inputType],
  };
}

class Pairing {
  readonly steps: PairedStep[] = [];
  readonly #original: readonly Step[];
  readonly #quantized: readonly Step[];
  readonly #known = new Map<string, number>();

  constructor(original: Network, quantized: Network) {
    this.#original = original.steps;
    this.#quantized = quantized.steps;
  }

  /**
   * The paired value of value a of the original network and b of the quantized one.
   *
   * @param rectified Whether b stands for what a Relu behind it would make.
   */
  match(a: number, b: number, rectified: boolean): number {
    const key = `${a} ${b} ${rectified}`;
    let found = this.#known.get(key);
    if (found === undefined) {
      found = a === 0 && b === 0 && !rectified ? 0 : this.#make(a, b, rectified);
      this.#known.set(key, found);
    }
    return found;
  }

  #make(a: number, b: number, rectified: boolean): number {
    const first = this.#original[a - 1];
    const second = this.#quantized[b - 1];
    if (rectified) {
      if (first?.kind !== "relu") throw this.#differ(a, b);
      const input = this.match(first.input, b, false);
      return this.steps.push({ kind: "relu", size: first.size, input });
    }
    if (first?.kind === "quantize" || second?.kind === "quantize") {
      return this.#makeGrid(a, b, first, second);
    }
    if (first === undefined || second === undefined || first.size !== second.size) {
      throw this.#differ(a, b);
    }
    if (first.kind === "relu" && second.kind === "relu") {
      const input = this.match(first.input, second.input, false);
      return this.steps.push({ kind: "relu", size: first.size, input });
    }
    if (first.kind === "curve" && second.kind === "curve" && first.function === second.function) {
      return this.steps.push({ ...first, input: this.match(first.input, second.input, false) });
    }
    if (first.kind === "affine" && second.kind === "affine") {
      return this.#makeAffine(a, b, first, second);
    }
    throw this.#differ(a, b);
  }

  /** Whether a value of the quantized network is that of a Relu, rounded or not. */
  #isRectified(value: number): boolean {
    const step = this.#quantized[value - 1];
    return step?.kind === "quantize" ? this.#isRectified(step.input) : step?.kind === "relu";
  }

  #makeGrid(a: number, b: number, first: Step | undefined, second: Step | undefined): number {
    const original = first?.kind === "quantize" ? first : undefined;
    const quantized = second?.kind === "quantize" ? second : undefined;
    const cuts = original === undefined && first?.kind === "relu" &&
      !this.#isRectified(quantized!.input) &&
      quantized!.grid.first.every((level) => level === 0);
    const input = this.match(original?.input ?? a, quantized?.input ?? b, cuts);
    const size = (original ?? quantized)!.size;
    if (original !== undefined && quantized !== undefined && original.size !== quantized.size) {
      throw this.#differ(a, b);
    }
    return this.steps.push({
      kind: "quantize",
      size,
      input,
      original: original?.grid,
      quantized: quantized?.grid,
    });
  }

  #makeAffine(a: number, b: number, original: AffineStep, quantized: AffineStep): number {
    if (original.terms.length !== quantized.terms.length) throw this.#differ(a, b);
    const terms = original.terms.map(({ input: from, matrix }, at): PairedTerm => {
      const { input: other, matrix: second } = quantized.terms[at]!;
      if (!sameForm(matrix, second)) throw this.#differ(a, b);
      const input = this.match(from, other, false);
      const isSame = matrix.weights.every((weight, index) => weight === second.weights[index]);
      const difference = isSame
        ? undefined
        : mapWeights(matrix, (weight, index) => weight - second.weights[index]!);
      return { input, original: matrix, quantized: second, difference };
    });
    const offset = original.offset.map((value, at) => value - quantized.offset[at]!);
    const { offsetError: error } = original;
    return this.steps.push({
      kind: "affine",
      size: original.size,
      terms,
      original,
      quantized,
      offset,
      offsetError: offset.map((value, at) =>
        Math.abs(value) * 2 ** -53 + error[at]! + quantized.offsetError[at]!
      ),
      longest: terms.reduce((total, { original: { longest } }) => total + longest, 2),
      summands: terms.reduce((total, { original: { longestRow } }) => total + longestRow, 1),
    });
  }

  #differ(a: number, b: number): Refusal {
    const describe = (steps: readonly Step[], value: number) =>
      value === 0 ? "the input" : `layer ${value} (${nameOf(steps[value - 1]!)})`;
    return new Refusal(
      `The two models differ in structure: ${describe(this.#original, a)} of the original stands ` +
        `where ${describe(this.#quantized, b)} of the quantized one stands`,
    );
  }
}

function nameOf(step: Step): string {
  return step.kind === "curve" ? step.function.toLowerCase() : step.kind;
}
