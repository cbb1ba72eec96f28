/**
 * How much floating-point arithmetic can be off: that of the bounds themselves, and that of the networks.
 *
 * Sums of n products in any order are within γₙ = n·u / (1 − n·u) of the sum of the products' magnitudes (Higham,
 * "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1).
 *
 * @module
 */

import { EXTREME, largestWeight, termsPerRow } from "../network/linear_map.ts";
import { type Pair, type PairedNetwork, type PairedStep, SIDES } from "../network/network.ts";

/**
 * Which arithmetic of the two networks a bound speaks of.
 *
 * - `real`: both are functions of real numbers, with the parameters that the files hold.
 * - `float32`: every sum may be rounded to float32 at every step and in any order, as runtimes do.
 */
export type Semantics = "real" | "float32";

/** γₙ for a unit roundoff. */
export function gamma(terms: number, unit: number): number {
  return terms * unit / (1 - terms * unit);
}

/** How many products a sum of an affine step has, its offset included. */
export function sumLength(step: PairedStep): number {
  if (step.kind !== "affine") return 1;
  return step.terms.reduce(
    (total, { map }) => total + Math.max(termsPerRow(map.original), termsPerRow(map.quantized)),
    1,
  );
}

/**
 * What the bounds charge for their own float64 arithmetic, as a multiple of the magnitudes that are added: longer sums
 * than any pass has, times four for second-order terms and for the slack of magnitudes that were rounded themselves.
 */
export function boundUnit(network: PairedNetwork): number {
  const longest = network.steps.reduce(
    (most, step) => Math.max(most, sumLength(step), step.size),
    network.input.size,
  );
  return 4 * gamma(longest + 8 * network.steps.length + 128, 2 ** -53);
}

/** Relative error of float32 arithmetic in one step of a network; 0 for real arithmetic. */
export function arithmeticUnit(step: PairedStep, semantics: Semantics): number {
  if (semantics === "real") return 0;
  return gamma(sumLength(step) + foldedRoundings(step), 2 ** -24);
}

/** Roundings beside those of the sum: folded normalization, scaled biases, and each product or sum that was folded in. */
function foldedRoundings(step: PairedStep): number {
  return step.kind === "affine" ? Math.max(4 * (step.folds ?? 0), 8) : 8;
}

/**
 * Nothing is claimed of a step one of whose sums has as large magnitudes: far below what overflows, so that neither numbers
 * that a runtime has on the way can, such as the sum of an average, nor those that bounds are computed from.
 */
export function largestMagnitude(step: PairedStep, semantics: Semantics): number {
  if (semantics === "real") return 1e150;
  const isExtreme = step.kind === "affine" &&
    step.terms.some(({ map }) => SIDES.some((side) => !(largestWeight(map[side]) < EXTREME)));
  return isExtreme ? 0 : 2 ** 64;
}

/**
 * What small numbers that a runtime takes for zero cost in one step of a network, absolutely; 0 for real arithmetic. Each
 * product and each sum is off by less than the least normal float32.
 */
export function arithmeticUnderflow(step: PairedStep, semantics: Semantics): number {
  return semantics === "real" ? 0 : 2 * (sumLength(step) + foldedRoundings(step)) * 2 ** -126;
}

/** Relative error of the weights that a step was lowered to. */
export function weightError(step: PairedStep): Pair<number> {
  if (step.kind !== "affine") return { original: 0, quantized: 0 };
  const [original, quantized] = SIDES.map((side) =>
    step.terms.reduce((most, { map }) => Math.max(most, map[side].relativeError ?? 0), 0)
  );
  return { original: original!, quantized: quantized! };
}
