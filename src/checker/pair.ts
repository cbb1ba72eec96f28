/**
 * Two networks side by side.
 *
 * @module
 */

import { mapWeights, type Matrix, sameForm } from "./matrix.ts";
import type { AffineStep, Network } from "./network.ts";
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
}

/** A step of both networks. */
export type PairedStep = PairedAffine | {
  readonly kind: "relu";
  readonly size: number;
  readonly input: number;
};

/** Two networks of the same structure; e is the value of the original network minus that of the quantized one. */
export interface Pair {
  readonly inputs: number;
  readonly steps: readonly PairedStep[];
  readonly output: number;
}

/** @throws {Refusal} If the networks are not of the same structure. */
export function pairNetworks(original: Network, quantized: Network): Pair {
  const differ = (where: string) => new Refusal(`The two models differ in structure ${where}`);
  if (original.inputs !== quantized.inputs) throw differ("at their inputs");
  if (
    original.steps.length !== quantized.steps.length || original.output !== quantized.output
  ) throw differ("in the number of their layers");
  const steps = original.steps.map((first, at): PairedStep => {
    const second = quantized.steps[at]!;
    if (first.kind === "relu" && second.kind === "relu") {
      if (first.size === second.size && first.input === second.input) return first;
    }
    if (first.kind === "relu" || second.kind === "relu") throw differ(`at layer ${at + 1}`);
    const same = first.size === second.size && first.terms.length === second.terms.length &&
      first.terms.every(({ input, matrix }, term) => {
        const other = second.terms[term]!;
        return input === other.input && sameForm(matrix, other.matrix);
      });
    if (!same) throw differ(`at layer ${at + 1}`);
    return pairAffine(first, second);
  });
  return { inputs: original.inputs, steps, output: original.output };
}

function pairAffine(original: AffineStep, quantized: AffineStep): PairedAffine {
  const terms = original.terms.map(({ input, matrix }, at) => {
    const other = quantized.terms[at]!.matrix;
    const isSame = matrix.weights.every((weight, index) => weight === other.weights[index]);
    const difference = isSame
      ? undefined
      : mapWeights(matrix, (weight, index) => weight - other.weights[index]!);
    return { input, original: matrix, quantized: other, difference };
  });
  const offset = original.offset.map((value, at) => value - quantized.offset[at]!);
  return {
    kind: "affine",
    size: original.size,
    terms,
    original,
    quantized,
    offset,
    offsetError: offset.map((value, at) =>
      Math.abs(value) * 2 ** -53 + original.offsetError[at]! + quantized.offsetError[at]!
    ),
    longest: terms.reduce((total, { original: { longest } }) => total + longest, 2),
  };
}
