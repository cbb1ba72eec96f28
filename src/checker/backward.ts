/**
 * Linear functionals of a value, carried backward to the input, where they are least at a corner of the box.
 *
 * Coefficients are taken as they come out of float64 arithmetic; what they miss of the exact ones, at most γₙ·|A|·|W|,
 * multiplies values of known magnitude and is charged to the constant. All charges carry a factor of four for what is
 * left out of second order.
 *
 * @module
 */

import { multiplyRows } from "./matrix.ts";
import type { Pair, PairedAffine, PairedNonlinear } from "./pair.ts";
import type { Relaxation } from "./relaxation.ts";
import { HUGE, TINY, UNIT } from "./rounding.ts";
import type { Shares } from "./shares.ts";
import type { Charges, ValueState } from "./value_state.ts";

/** Which functional: of z, of y, or of e with coefficients on z and on e. */
export type View = "z" | "y" | "e";

/** Functionals that are carried backward side by side. */
export const ROWS = 32;

/** What is known where functionals pass; entries of other kinds of steps are not read. */
export interface Known {
  readonly values: readonly ValueState[];
  readonly charges: readonly (Charges | undefined)[];
  readonly relaxations: readonly (Relaxation | undefined)[];
}

/** Carries functionals of one pair of networks. */
export class Backward {
  readonly #pair: Pair;
  readonly #known: Known;
  /** Coefficients on each value, [ROWS × size], of z or y, or of a pair's two halves. */
  readonly #v: Float64Array[];
  readonly #w: Float64Array[];
  readonly #constants = new Float64Array(ROWS);
  readonly #charges = new Float64Array(ROWS);

  constructor(pair: Pair, known: Known) {
    this.#pair = pair;
    this.#known = known;
    const sizes = [pair.inputs, ...pair.steps.map(({ size }) => size)];
    this.#v = sizes.map((size) => new Float64Array(ROWS * size));
    this.#w = sizes.map((size) => new Float64Array(ROWS * size));
    this.scores = new Float64Array(ROWS * pair.inputs);
  }

  /**
   * What a cut of each input would help the last functionals, [ROWS × inputs]: by what they vary along it, and by its
   * share in what relaxations lose. Only good for choosing where to cut.
   */
  readonly scores: Float64Array;

  /**
   * Lower bounds of +value and −value for at most ROWS / 2 elements, one after the other.
   *
   * @param shares Where scores are wanted.
   */
  lowerBounds(
    target: number,
    view: View,
    elements: readonly number[],
    shares?: Shares,
  ): Float64Array {
    const count = 2 * elements.length;
    const sizes = this.#known.values.map(({ zLower }) => zLower.length);
    for (let value = 0; value <= target; value++) {
      this.#v[value]!.fill(0, 0, count * sizes[value]!);
      if (view === "e") this.#w[value]!.fill(0, 0, count * sizes[value]!);
    }
    const size = sizes[target]!;
    const start = view === "e" ? this.#w[target]! : this.#v[target]!;
    elements.forEach((element, at) => {
      start[2 * at * size + element] = 1;
      start[(2 * at + 1) * size + element] = -1;
    });
    this.#constants.fill(0);
    this.#charges.fill(0);
    this.scores.fill(0);
    for (let value = target; value > 0; value--) {
      const step = this.#pair.steps[value - 1]!;
      if (step.kind === "affine") this.#affine(step, value, view, count);
      else if (view === "e") {
        if (shares !== undefined) this.#score(step, value, count, shares);
        this.#joint(step, value, count);
      } else this.#single(step, value, view, count);
    }
    if (shares !== undefined) this.#scoreInput(count);
    return this.#least(count);
  }

  #score(step: PairedNonlinear, value: number, count: number, shares: Shares): void {
    const { aGap, gGap } = this.#known.relaxations[value]!;
    const [v, w] = [this.#v[value]!, this.#w[value]!];
    for (let row = 0; row < count; row++) {
      for (let at = 0, place = row * step.size; at < step.size; at++, place++) {
        const loss = Math.abs(v[place]!) * aGap[at]! + Math.abs(w[place]!) * gGap[at]!;
        if (loss > 0) shares.add(step.input, at, loss, this.scores, row * this.#pair.inputs);
      }
    }
  }

  #scoreInput(count: number): void {
    const { zLower, zUpper } = this.#known.values[0]!;
    const v = this.#v[0]!;
    for (let place = 0, at = 0; place < count * zLower.length; place++, at++) {
      if (at === zLower.length) at = 0;
      this.scores[place]! += Math.abs(v[place]!) * (zUpper[at]! - zLower[at]!) / 2;
    }
  }

  #affine(step: PairedAffine, value: number, view: View, count: number): void {
    const known = this.#known.charges[value]!;
    const [v, w] = [this.#v[value]!, this.#w[value]!];
    const size = step.size;
    const isPair = view === "e";
    const offset = view === "y" ? step.quantized.offset : step.original.offset;
    const charge = view === "y" ? known.y : known.z;
    for (let row = 0; row < count; row++) {
      let [sum, cost] = [0, 0];
      for (let at = 0, place = row * size; at < size; at++, place++) {
        const coefficient = v[place]!;
        if (coefficient !== 0) {
          sum += coefficient * offset[at]!;
          cost += Math.abs(coefficient) * charge[at]!;
        }
        if (!isPair) continue;
        const other = w[place]!;
        if (other !== 0) {
          sum += other * step.offset[at]!;
          cost += Math.abs(other) * known.e[at]!;
        }
      }
      // Charges hold the magnitudes of the offsets, which pays for adding those up.
      this.#constants[row]! += sum;
      this.#charges[row]! += cost + Math.abs(this.#constants[row]!) * 4 * UNIT;
    }
    for (const { input, original, quantized, difference } of step.terms) {
      if (!isPair) {
        multiplyRows(view === "z" ? original : quantized, count, v, this.#v[input]!);
        continue;
      }
      multiplyRows(original, count, v, this.#v[input]!);
      if (difference !== undefined) multiplyRows(difference, count, w, this.#v[input]!);
      if (input !== 0) multiplyRows(quantized, count, w, this.#w[input]!);
    }
  }

  /** The lines of one network. */
  #single(step: PairedNonlinear, value: number, view: "z" | "y", count: number): void {
    const relaxation = this.#known.relaxations[value]!;
    const state = this.#known.values[step.input]!;
    const { size } = step;
    const [v, toV] = [this.#v[value]!, this.#v[step.input]!];
    const isZ = view === "z";
    const lower = isZ ? relaxation.aLower : relaxation.bLower;
    const upper = isZ ? relaxation.aUpper : relaxation.bUpper;
    const lowerConstant = isZ ? relaxation.aLowerConstant : relaxation.bLowerConstant;
    const upperConstant = isZ ? relaxation.aUpperConstant : relaxation.bUpperConstant;
    const sizes = isZ ? state.zSize : state.ySize;
    const { constantSize } = relaxation;
    for (let row = 0; row < count; row++) {
      let [sum, mass, total] = [0, 0, 0];
      for (let at = 0, place = row * size; at < size; at++, place++) {
        const c = v[place]!;
        if (c === 0) continue;
        toV[place]! += c * (c > 0 ? lower[at]! : upper[at]!);
        mass += (2 * Math.abs(c) + Math.abs(toV[place]!)) * sizes[at]!;
        sum += c * (c > 0 ? lowerConstant[at]! : upperConstant[at]!);
        total += Math.abs(c) * constantSize[at]!;
      }
      this.#constants[row]! += sum;
      this.#charges[row]! += 4 * UNIT * mass + (size + 8) * 4 * UNIT * total +
        Math.abs(this.#constants[row]!) * 4 * UNIT;
    }
  }

  /** c·a + d·g, written in the one of three ways whose relaxation is largest in the middle. */
  #joint(step: PairedNonlinear, value: number, count: number): void {
    const relaxation = this.#known.relaxations[value]!;
    const state = this.#known.values[step.input]!;
    const { size } = step;
    const [v, w] = [this.#v[value]!, this.#w[value]!];
    const [toV, toW] = [this.#v[step.input]!, this.#w[step.input]!];
    const { aLower, aUpper, aLowerConstant, aUpperConstant } = relaxation;
    const { bLower, bUpper, bLowerConstant, bUpperConstant } = relaxation;
    const { gLowerZ, gLowerE, gLowerConstant, gUpperZ, gUpperE, gUpperConstant } = relaxation;
    for (let row = 0; row < count; row++) {
      let [sum, mass, total] = [0, 0, 0];
      for (let at = 0, place = row * size; at < size; at++, place++) {
        const [c, d] = [v[place]!, w[place]!];
        const kind = relaxation.kind[at]!;
        if (kind === 0 || (c === 0 && d === 0)) continue;
        const magnitude = state.zSize[at]! + state.ySize[at]! + state.eSize[at]!;
        if (kind === 1) {
          toV[place]! += c;
          toW[place]! += d;
          mass += (Math.abs(toV[place]!) + Math.abs(toW[place]!)) * magnitude;
          continue;
        }
        const both = c + d;
        const z = (state.zLower[at]! + state.zUpper[at]!) / 2;
        const e = (state.eLower[at]! + state.eUpper[at]!) / 2;
        // c·a + d·g.
        let p = c * (c > 0 ? aLower[at]! : aUpper[at]!) + d * (d > 0 ? gLowerZ[at]! : gUpperZ[at]!);
        let q = d * (d > 0 ? gLowerE[at]! : gUpperE[at]!);
        let constant = c * (c > 0 ? aLowerConstant[at]! : aUpperConstant[at]!) +
          d * (d > 0 ? gLowerConstant[at]! : gUpperConstant[at]!);
        let best = p * z + q * e + constant;
        // (c + d)·a − d·b.
        const s = -d * (d < 0 ? bLower[at]! : bUpper[at]!);
        const p2 = both * (both > 0 ? aLower[at]! : aUpper[at]!) + s;
        const constant2 = both * (both > 0 ? aLowerConstant[at]! : aUpperConstant[at]!) -
          d * (d < 0 ? bLowerConstant[at]! : bUpperConstant[at]!);
        const value2 = p2 * z - s * e + constant2;
        if (!(value2 <= best)) {
          p = p2;
          q = -s;
          constant = constant2;
          best = value2;
        }
        // c·b + (c + d)·g.
        const t = c * (c > 0 ? bLower[at]! : bUpper[at]!);
        const p3 = t + both * (both > 0 ? gLowerZ[at]! : gUpperZ[at]!);
        const q3 = both * (both > 0 ? gLowerE[at]! : gUpperE[at]!) - t;
        const constant3 = c * (c > 0 ? bLowerConstant[at]! : bUpperConstant[at]!) +
          both * (both > 0 ? gLowerConstant[at]! : gUpperConstant[at]!);
        if (p3 * z + q3 * e + constant3 > best) {
          p = p3;
          q = q3;
          constant = constant3;
        }
        toV[place]! += p;
        toW[place]! += q;
        sum += constant;
        const sizes = Math.abs(c) + Math.abs(d);
        total += 2 * sizes * relaxation.constantSize[at]!;
        // Slopes are at most 2, so every intermediate sum is within this mass, and so is the rounding of c + d.
        mass += (8 * sizes + Math.abs(toV[place]!) + Math.abs(toW[place]!)) * magnitude;
      }
      this.#constants[row]! += sum;
      this.#charges[row]! += 16 * UNIT * mass + (size + 16) * 4 * UNIT * total +
        Math.abs(this.#constants[row]!) * 4 * UNIT;
    }
  }

  /** The least value of what is left, functionals of the input. */
  #least(count: number): Float64Array {
    const { zLower, zUpper, zSize } = this.#known.values[0]!;
    const v = this.#v[0]!;
    const size = zLower.length;
    const found = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      let [sum, mass] = [0, 0];
      for (let at = 0, place = row * size; at < size; at++, place++) {
        const c = v[place]!;
        sum += c * (c > 0 ? zLower[at]! : zUpper[at]!);
        mass += Math.abs(c) * zSize[at]!;
      }
      const constant = this.#constants[row]!;
      const bound = constant + sum -
        (1 + 2 ** -20) *
          (this.#charges[row]! + (size + 8) * 4 * UNIT * mass + Math.abs(constant) * 8 * UNIT) -
        TINY;
      found[row] = Math.abs(bound) < HUGE ? bound : -Infinity;
    }
    return found;
  }
}
