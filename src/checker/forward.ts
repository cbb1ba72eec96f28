/**
 * Intervals, carried forward through both networks and their difference.
 *
 * @module
 */

import { type Matrix, multiply } from "./matrix.ts";
import type { PairedAffine } from "./pair.ts";
import { arithmeticError, down, largest, type Semantics, TINY, underflow, up } from "./rounding.ts";
import type { Charges, ValueState } from "./value_state.ts";

/**
 * Intervals of an affine step, and what functionals are charged there.
 *
 * @param unit What the checker's own sums are charged, relative to the magnitudes that are added.
 * @returns Whether all magnitudes are below the largest that anything is said of.
 */
export function affineIntervals(
  step: PairedAffine,
  values: readonly ValueState[],
  state: ValueState,
  charges: Charges,
  unit: number,
  semantics: Semantics,
): boolean {
  const { size, original, quantized } = step;
  const make = () => new Float64Array(size);
  const [zMiddle, zHalf, zMass] = [make(), make(), make()];
  const [yMiddle, yHalf, yMass] = [make(), make(), make()];
  const [eMiddle, eHalf, eMass, dMass] = [make(), make(), make(), make()];
  for (const { input, original: w, quantized: w2, difference } of step.terms) {
    const from = values[input]!;
    spread(w, from.zLower, from.zUpper, from.zSize, zMiddle, zHalf, zMass);
    spread(w2, from.yLower, from.yUpper, from.ySize, yMiddle, yHalf, yMass);
    if (input !== 0) spread(w2, from.eLower, from.eUpper, from.eSize, eMiddle, eHalf, eMass);
    if (difference !== undefined) {
      spread(difference, from.zLower, from.zUpper, from.zSize, eMiddle, eHalf, dMass);
    }
  }
  const arithmetic = arithmeticError(step.summands, semantics);
  const lost = underflow(step.summands, semantics) + TINY;
  const limit = largest(semantics);
  let isBelow = true;
  for (let at = 0; at < size; at++) {
    const [zb, yb, eb] = [original.offset[at]!, quantized.offset[at]!, step.offset[at]!];
    const zAll = zMass[at]! + original.offsetSize[at]!;
    const yAll = yMass[at]! + quantized.offsetSize[at]!;
    const z = (unit + original.weightError + arithmetic) * zAll + original.offsetError[at]! + lost;
    const y = (unit + quantized.weightError + arithmetic) * yAll + quantized.offsetError[at]! +
      lost;
    const e = unit * (eMass[at]! + dMass[at]! + Math.abs(eb)) +
      (original.weightError + arithmetic) * zAll + (quantized.weightError + arithmetic) * yAll +
      step.offsetError[at]! + 2 * lost;
    charges.z[at] = z;
    charges.y[at] = y;
    charges.e[at] = e;
    // Written so that what is no number is beyond the limit too.
    if (!(zAll < limit && yAll < limit)) {
      isBelow = false;
      state.zLower[at] = state.yLower[at] = state.eLower[at] = -Infinity;
      state.zUpper[at] = state.yUpper[at] = state.eUpper[at] = Infinity;
      continue;
    }
    state.zLower[at] = zMiddle[at]! + zb - zHalf[at]! - z;
    state.zUpper[at] = zMiddle[at]! + zb + zHalf[at]! + z;
    state.yLower[at] = yMiddle[at]! + yb - yHalf[at]! - y;
    state.yUpper[at] = yMiddle[at]! + yb + yHalf[at]! + y;
    state.eLower[at] = eMiddle[at]! + eb - eHalf[at]! - e;
    state.eUpper[at] = eMiddle[at]! + eb + eHalf[at]! + e;
  }
  state.close();
  state.measure();
  return isBelow;
}

/** Adds the middles, half widths and magnitudes of M·x for x between bounds. */
function spread(
  matrix: Matrix,
  lower: Float64Array,
  upper: Float64Array,
  sizes: Float64Array,
  middle: Float64Array,
  half: Float64Array,
  mass: Float64Array,
): void {
  const centers = new Float64Array(lower.length);
  const widths = new Float64Array(lower.length);
  for (let at = 0; at < lower.length; at++) {
    const center = (lower[at]! + upper[at]!) / 2;
    centers[at] = center;
    widths[at] = up(Math.max(upper[at]! - center, center - lower[at]!));
  }
  multiply(matrix, centers, middle, false);
  multiply(matrix, widths, half, true);
  multiply(matrix, sizes, mass, true);
}

/** Intervals behind a Relu. */
export function rectify(from: ValueState, to: ValueState): void {
  for (let at = 0; at < from.zLower.length; at++) {
    const [zl, zu] = [Math.max(from.zLower[at]!, 0), Math.max(from.zUpper[at]!, 0)];
    const [yl, yu] = [Math.max(from.yLower[at]!, 0), Math.max(from.yUpper[at]!, 0)];
    to.zLower[at] = zl;
    to.zUpper[at] = zu;
    to.yLower[at] = yl;
    to.yUpper[at] = yu;
    // relu does not grow distances, and the difference of both has the bounds of its parts.
    to.eLower[at] = Math.max(Math.min(from.eLower[at]!, 0), down(zl - yu));
    to.eUpper[at] = Math.min(Math.max(from.eUpper[at]!, 0), up(zu - yl));
    if (from.zLower[at]! >= 0 && from.yLower[at]! >= 0) {
      to.eLower[at] = Math.max(to.eLower[at]!, from.eLower[at]!);
      to.eUpper[at] = Math.min(to.eUpper[at]!, from.eUpper[at]!);
    }
  }
  to.measure();
}
