/**
 * What rounding costs, in the checker's own float64 and in the networks' float32.
 *
 * Sums of n products in any order are within γₙ = n·u / (1 − n·u) of the sum of the products' magnitudes (Higham,
 * "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1).
 *
 * @module
 */

/** u of float64. */
export const UNIT = 2 ** -53;
/** Larger than all underflows together while no number passes {@linkcode HUGE}. */
export const TINY = 1e-200;
/** Beyond this nothing is claimed. */
export const HUGE = 1e60;

/** Which arithmetic of the two networks bounds speak of. */
export type Semantics = "real" | "float32";

/** u of float32. */
const SINGLE = 2 ** -24;
/** Roundings of folded normalization, of integers times scales, and of the like, beside those of a sum. */
const FOLDED = 8;

/** How much a network's sum of so many numbers may be off, relative to their magnitudes. */
export function arithmeticError(summands: number, semantics: Semantics): number {
  if (semantics === "real") return 0;
  const n = summands + FOLDED;
  return n * SINGLE / (1 - n * SINGLE);
}

/** How much it may be off absolutely: numbers below the least normal one can be lost. */
export function underflow(summands: number, semantics: Semantics): number {
  return semantics === "real" ? 0 : (summands + FOLDED) * 2 ** -125;
}

/**
 * Numbers that a network's sums must stay under. In float32, these are far below what overflows: on the way to a sum there
 * can be larger ones, such as the sum that an average divides.
 */
export function largest(semantics: Semantics): number {
  return semantics === "real" ? HUGE : 2 ** 64;
}

/** Weights of networks in float32 must stay under this: runtimes multiply weights of neighboring layers. */
export const LARGEST_WEIGHT = 2 ** 48;

/** How much a quantizer may be off, relative: it divides, multiplies, and fused kernels may round between. */
export function gridError(semantics: Semantics): number {
  return semantics === "real" ? 0 : 8 * SINGLE;
}

/** How much Sigmoid and Tanh of a runtime may be off, absolute: they are rational approximations. */
export function curveError(semantics: Semantics): number {
  return semantics === "real" ? 0 : 2 ** -20;
}

/** A number at least as large as the exact result that was rounded to this one. */
export function up(value: number): number {
  return value + (Math.abs(value) * 2 ** -52 + Number.MIN_VALUE);
}

/** A number at most as large as the exact result that was rounded to this one. */
export function down(value: number): number {
  return value - (Math.abs(value) * 2 ** -52 + Number.MIN_VALUE);
}
