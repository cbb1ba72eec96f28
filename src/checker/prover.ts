/**
 * Bounds of f′ − f on a box: intervals forward, linear functionals backward, everything rounded outward.
 *
 * Rounding. Coefficients of functionals are taken as they come out of float64 arithmetic; what they miss of the exact
 * ones, at most γₙ·|A|·|W|, multiplies values of known magnitude and is charged to the constant (Higham, 2002, section
 * 3.1; γₙ = n·u/(1 − n·u), u = 2⁻⁵³). All charges carry a factor of four for what is left out of second order.
 *
 * @module
 */

import { type Matrix, multiply, multiplyRows } from "./matrix.ts";
import type { Pair, PairedAffine, PairedStep } from "./pair.ts";
import { chooseSlopes, intercept, type Region } from "./planes.ts";

/** Bounds of f′ − f, one an output. */
export interface DifferenceBounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** How thorough a proof is. */
export interface ProofOptions {
  /** Whether differences inside of the networks get functionals of their own. */
  readonly differences: boolean;
}

const UNIT = 2 ** -53;
/** Larger than all underflows together while no number passes {@linkcode HUGE}. */
const TINY = 1e-200;
const HUGE = 1e60;
/** Functionals that are carried backward side by side. */
const ROWS = 32;

/** Which functional: of z, of y, or of e with both coefficients. */
type View = "z" | "y" | "e";

class ValueState {
  readonly zLower: Float64Array;
  readonly zUpper: Float64Array;
  readonly yLower: Float64Array;
  readonly yUpper: Float64Array;
  readonly eLower: Float64Array;
  readonly eUpper: Float64Array;
  /** Largest magnitudes. */
  readonly zSize: Float64Array;
  readonly ySize: Float64Array;
  readonly eSize: Float64Array;

  constructor(size: number) {
    const make = () => new Float64Array(size);
    [this.zLower, this.zUpper, this.yLower] = [make(), make(), make()];
    [this.yUpper, this.eLower, this.eUpper] = [make(), make(), make()];
    [this.zSize, this.ySize, this.eSize] = [make(), make(), make()];
  }

  measure(): void {
    for (let at = 0; at < this.zSize.length; at++) {
      this.zSize[at] = Math.max(-this.zLower[at]!, this.zUpper[at]!, 0);
      this.ySize[at] = Math.max(-this.yLower[at]!, this.yUpper[at]!, 0);
      this.eSize[at] = Math.max(-this.eLower[at]!, this.eUpper[at]!, 0);
    }
  }
}

/** What backward functionals are charged at an affine step, for a coefficient of 1 at each element. */
class Charges {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly e: Float64Array;

  constructor(size: number) {
    const make = () => new Float64Array(size);
    [this.z, this.y, this.e] = [make(), make(), make()];
  }
}

/** Lines and planes at a Relu. */
class Relaxation {
  /** 0: both inactive; 1: both active; 2: anything else. */
  readonly kind: Uint8Array;
  readonly aLower: Float64Array;
  readonly aUpper: Float64Array;
  readonly aConstant: Float64Array;
  readonly bLower: Float64Array;
  readonly bUpper: Float64Array;
  readonly bConstant: Float64Array;
  readonly gUpperZ: Float64Array;
  readonly gUpperE: Float64Array;
  readonly gUpperConstant: Float64Array;
  readonly gLowerZ: Float64Array;
  readonly gLowerE: Float64Array;
  readonly gLowerConstant: Float64Array;

  constructor(size: number) {
    const make = () => new Float64Array(size);
    this.kind = new Uint8Array(size);
    [this.aLower, this.aUpper, this.aConstant] = [make(), make(), make()];
    [this.bLower, this.bUpper, this.bConstant] = [make(), make(), make()];
    [this.gUpperZ, this.gUpperE, this.gUpperConstant] = [make(), make(), make()];
    [this.gLowerZ, this.gLowerE, this.gLowerConstant] = [make(), make(), make()];
  }
}

/** Bounds one pair of networks on one box after another. */
export class Prover {
  /** Elements of the input, and of the output. */
  readonly inputs: number;
  readonly outputs: number;
  readonly #pair: Pair;
  readonly #values: ValueState[];
  readonly #charges: (Charges | undefined)[];
  readonly #relaxations: (Relaxation | undefined)[];
  /** Coefficients on each value, [ROWS × size], of z or y or of a pair's two halves. */
  readonly #v: Float64Array[];
  readonly #w: Float64Array[];
  /** What sums are charged, as a multiple of the magnitudes that are added: no sum is longer than all of these. */
  readonly #unit: number;
  readonly #behindRelu: boolean[];
  readonly #feedsRelu: boolean[];

  constructor(pair: Pair) {
    this.#pair = pair;
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
      ...pair.steps.map(({ kind, size }) => kind === "relu" ? new Relaxation(size) : undefined),
    ];
    this.#v = sizes.map((size) => new Float64Array(ROWS * size));
    this.#w = sizes.map((size) => new Float64Array(ROWS * size));
    this.influence = new Float64Array(2 * sizes[pair.output]! * pair.inputs);
    this.#behindRelu = [false];
    this.#feedsRelu = sizes.map(() => false);
    for (const step of pair.steps) {
      this.#behindRelu.push(
        step.kind === "relu" || step.terms.some(({ input }) => this.#behindRelu[input]!),
      );
      if (step.kind === "relu") this.#feedsRelu[step.input] = true;
    }
  }

  /**
   * Coefficients of the input in the functionals that bounded the outputs last, [2 × outputs × inputs]: how much each
   * input has to do with them. Only good for choosing where to split.
   */
  readonly influence: Float64Array;

  /** Bounds of f′ − f for every output on the box; infinite where nothing can be said. */
  prove(lower: Float64Array, upper: Float64Array, options: ProofOptions): DifferenceBounds {
    const { steps, output } = this.#pair;
    const input = this.#values[0]!;
    for (const side of [input.zLower, input.yLower]) side.set(lower);
    for (const side of [input.zUpper, input.yUpper]) side.set(upper);
    input.measure();
    if (this.#feedsRelu[0]!) this.#relax(0, this.#readers(0));
    steps.forEach((step, at) => {
      const value = at + 1;
      if (step.kind === "relu") this.#rectify(step.input, value);
      else {
        this.#affine(step, value);
        if (this.#feedsRelu[value]! && this.#behindRelu[value]!) this.#tighten(value, options);
      }
      if (this.#feedsRelu[value]!) this.#relax(value, this.#readers(value));
    });
    const state = this.#values[output]!;
    this.#bound(output, "e", [...state.eLower.keys()], state.eLower, state.eUpper);
    // e is f − f′.
    return {
      lower: state.eUpper.map((value) => -value),
      upper: state.eLower.map((value) => -value),
    };
  }

  #readers(value: number): number[] {
    return this.#pair.steps.flatMap((step, at) =>
      step.kind === "relu" && step.input === value ? [at + 1] : []
    );
  }

  /** Intervals of an affine step, and what functionals are charged there. */
  #affine(step: PairedAffine, value: number): void {
    const state = this.#values[value]!;
    const charges = this.#charges[value]!;
    const size = step.size;
    const unit = this.#unit;
    const { original, quantized } = step;
    const make = () => new Float64Array(size);
    const [zMiddle, zHalf, zMass] = [make(), make(), make()];
    const [yMiddle, yHalf, yMass] = [make(), make(), make()];
    const [eMiddle, eHalf, eMass, dMass] = [make(), make(), make(), make()];
    for (const { input, original: w, quantized: w2, difference } of step.terms) {
      const from = this.#values[input]!;
      spread(w, from.zLower, from.zUpper, from.zSize, zMiddle, zHalf, zMass);
      spread(w2, from.yLower, from.yUpper, from.ySize, yMiddle, yHalf, yMass);
      if (input !== 0) spread(w2, from.eLower, from.eUpper, from.eSize, eMiddle, eHalf, eMass);
      if (difference !== undefined) {
        spread(difference, from.zLower, from.zUpper, from.zSize, eMiddle, eHalf, dMass);
      }
    }
    const [zError, yError] = [original.weightError, quantized.weightError];
    for (let at = 0; at < size; at++) {
      const [zb, yb, eb] = [original.offset[at]!, quantized.offset[at]!, step.offset[at]!];
      const z = (unit + zError) * (zMass[at]! + Math.abs(zb)) + original.offsetError[at]!;
      const y = (unit + yError) * (yMass[at]! + Math.abs(yb)) + quantized.offsetError[at]!;
      const weights = zError * zMass[at]! + yError * yMass[at]!;
      const e = unit * (eMass[at]! + dMass[at]! + Math.abs(eb)) + weights + step.offsetError[at]!;
      charges.z[at] = z;
      charges.y[at] = y;
      charges.e[at] = e;
      state.zLower[at] = zMiddle[at]! + zb - zHalf[at]! - z - TINY;
      state.zUpper[at] = zMiddle[at]! + zb + zHalf[at]! + z + TINY;
      state.yLower[at] = yMiddle[at]! + yb - yHalf[at]! - y - TINY;
      state.yUpper[at] = yMiddle[at]! + yb + yHalf[at]! + y + TINY;
      state.eLower[at] = eMiddle[at]! + eb - eHalf[at]! - e - TINY;
      state.eUpper[at] = eMiddle[at]! + eb + eHalf[at]! + e + TINY;
    }
    close(state);
    state.measure();
  }

  /** Functionals for the neurons whose signs intervals leave open. */
  #tighten(value: number, { differences }: ProofOptions): void {
    const state = this.#values[value]!;
    const [z, y, e]: [number[], number[], number[]] = [[], [], []];
    for (let at = 0; at < state.zLower.length; at++) {
      const zOpen = state.zLower[at]! < 0 && state.zUpper[at]! > 0;
      const yOpen = state.yLower[at]! < 0 && state.yUpper[at]! > 0;
      if (zOpen) z.push(at);
      if (yOpen) y.push(at);
      if (differences && (zOpen || yOpen)) e.push(at);
    }
    this.#bound(value, "z", z, state.zLower, state.zUpper);
    this.#bound(value, "y", y, state.yLower, state.yUpper);
    close(state);
    if (e.length > 0) {
      this.#bound(value, "e", e, state.eLower, state.eUpper);
      close(state);
    }
    state.measure();
  }

  /** Intervals behind a Relu. */
  #rectify(input: number, value: number): void {
    const [from, to] = [this.#values[input]!, this.#values[value]!];
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

  /** Lines and planes for the Relus that read a value. */
  #relax(value: number, readers: readonly number[]): void {
    const state = this.#values[value]!;
    const relaxation = this.#relaxations[readers[0]!]!;
    const region: Region = { zLower: 0, zUpper: 0, yLower: 0, yUpper: 0, eLower: 0, eUpper: 0 };
    for (let at = 0; at < state.zLower.length; at++) {
      region.zLower = state.zLower[at]!;
      region.zUpper = state.zUpper[at]!;
      region.yLower = state.yLower[at]!;
      region.yUpper = state.yUpper[at]!;
      region.eLower = state.eLower[at]!;
      region.eUpper = state.eUpper[at]!;
      const { zLower, zUpper, yLower, yUpper } = region;
      relaxation.kind[at] = zUpper <= 0 && yUpper <= 0 ? 0 : zLower >= 0 && yLower >= 0 ? 1 : 2;
      line(zLower, zUpper, at, relaxation.aLower, relaxation.aUpper, relaxation.aConstant);
      line(yLower, yUpper, at, relaxation.bLower, relaxation.bUpper, relaxation.bConstant);
      if (relaxation.kind[at] !== 2) continue;
      const above = chooseSlopes(region, 1);
      relaxation.gUpperZ[at] = above.p;
      relaxation.gUpperE[at] = above.q;
      relaxation.gUpperConstant[at] = intercept(region, above.p, above.q, 1);
      const below = chooseSlopes(region, -1);
      relaxation.gLowerZ[at] = -below.p;
      relaxation.gLowerE[at] = -below.q;
      relaxation.gLowerConstant[at] = -intercept(region, below.p, below.q, -1);
    }
    for (const reader of readers.slice(1)) this.#relaxations[reader] = relaxation;
  }

  /** Narrows bounds of elements of a value by backward functionals. */
  #bound(
    target: number,
    view: View,
    elements: readonly number[],
    lower: Float64Array,
    upper: Float64Array,
  ): void {
    const half = ROWS / 2;
    for (let from = 0; from < elements.length; from += half) {
      const part = elements.slice(from, from + half);
      const found = this.#backward(target, view, part);
      if (target === this.#pair.output) {
        const { inputs } = this.#pair;
        this.influence.set(this.#v[0]!.subarray(0, 2 * part.length * inputs), 2 * from * inputs);
      }
      part.forEach((element, at) => {
        lower[element] = Math.max(lower[element]!, found[2 * at]!);
        upper[element] = Math.min(upper[element]!, -found[2 * at + 1]!);
      });
    }
  }

  /** Lower bounds of +value and −value for some elements, one after the other. */
  #backward(target: number, view: View, elements: readonly number[]): Float64Array {
    const count = 2 * elements.length;
    for (let value = 0; value <= target; value++) {
      const size = this.#values[value]!.zLower.length;
      this.#v[value]!.fill(0, 0, count * size);
      if (view === "e") this.#w[value]!.fill(0, 0, count * size);
    }
    const size = this.#values[target]!.zLower.length;
    const start = view === "e" ? this.#w[target]! : this.#v[target]!;
    elements.forEach((element, at) => {
      start[2 * at * size + element] = 1;
      start[(2 * at + 1) * size + element] = -1;
    });
    const constants = new Float64Array(count);
    const charges = new Float64Array(count);
    for (let value = target; value > 0; value--) {
      const step = this.#pair.steps[value - 1]!;
      if (step.kind === "affine") this.#backAffine(step, value, view, count, constants, charges);
      else this.#backRelu(step, value, view, count, constants, charges);
    }
    return this.#atInput(count, constants, charges);
  }

  #backAffine(
    step: PairedAffine,
    value: number,
    view: View,
    count: number,
    constants: Float64Array,
    charges: Float64Array,
  ): void {
    const known = this.#charges[value]!;
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
      constants[row]! += sum;
      charges[row]! += cost + Math.abs(constants[row]!) * 4 * UNIT;
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

  #backRelu(
    step: Extract<PairedStep, { kind: "relu" }>,
    value: number,
    view: View,
    count: number,
    constants: Float64Array,
    charges: Float64Array,
  ): void {
    const relaxation = this.#relaxations[value]!;
    const state = this.#values[step.input]!;
    const size = step.size;
    const [v, w] = [this.#v[value]!, this.#w[value]!];
    const [toV, toW] = [this.#v[step.input]!, this.#w[step.input]!];
    if (view !== "e") {
      const isZ = view === "z";
      const lower = isZ ? relaxation.aLower : relaxation.bLower;
      const upper = isZ ? relaxation.aUpper : relaxation.bUpper;
      const constant = isZ ? relaxation.aConstant : relaxation.bConstant;
      const sizes = isZ ? state.zSize : state.ySize;
      for (let row = 0; row < count; row++) {
        let [sum, mass] = [0, 0];
        for (let at = 0, place = row * size; at < size; at++, place++) {
          const c = v[place]!;
          if (c === 0) continue;
          const slope = c * (c > 0 ? lower[at]! : upper[at]!);
          toV[place]! += slope;
          mass += Math.abs(toV[place]!) * sizes[at]!;
          if (c < 0) sum += c * constant[at]!;
        }
        constants[row]! += sum;
        charges[row]! += 4 * UNIT * mass + (size + 8) * 4 * UNIT * -sum +
          Math.abs(constants[row]!) * 4 * UNIT;
      }
      return;
    }
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
        const [z, e] = [
          (state.zLower[at]! + state.zUpper[at]!) / 2,
          (state.eLower[at]! + state.eUpper[at]!) / 2,
        ];
        const aSlope = (k: number) => k * (k > 0 ? relaxation.aLower[at]! : relaxation.aUpper[at]!);
        const bSlope = (k: number) => k * (k > 0 ? relaxation.bLower[at]! : relaxation.bUpper[at]!);
        const aConstant = (k: number) => k < 0 ? k * relaxation.aConstant[at]! : 0;
        const bConstant = (k: number) => k < 0 ? k * relaxation.bConstant[at]! : 0;
        const [gz, ge, gc] = d > 0
          ? [relaxation.gLowerZ[at]!, relaxation.gLowerE[at]!, relaxation.gLowerConstant[at]!]
          : [relaxation.gUpperZ[at]!, relaxation.gUpperE[at]!, relaxation.gUpperConstant[at]!];
        // c·a + d·g.
        let p = aSlope(c) + d * gz;
        let q = d * ge;
        let constant = aConstant(c) + d * gc;
        let best = p * z + q * e + constant;
        // (c + d)·a − d·b.
        const s = bSlope(-d);
        const p2 = aSlope(both) + s;
        const constant2 = aConstant(both) + bConstant(-d);
        const value2 = p2 * z - s * e + constant2;
        if (!(value2 <= best)) [p, q, constant, best] = [p2, -s, constant2, value2];
        // c·b + (c + d)·g.
        const [hz, he, hc] = both > 0
          ? [relaxation.gLowerZ[at]!, relaxation.gLowerE[at]!, relaxation.gLowerConstant[at]!]
          : [relaxation.gUpperZ[at]!, relaxation.gUpperE[at]!, relaxation.gUpperConstant[at]!];
        const t = bSlope(c);
        const p3 = t + both * hz;
        const q3 = both * he - t;
        const constant3 = bConstant(c) + both * hc;
        const value3 = p3 * z + q3 * e + constant3;
        if (value3 > best) [p, q, constant] = [p3, q3, constant3];
        toV[place]! += p;
        toW[place]! += q;
        sum += constant;
        total += Math.abs(constant);
        // Slopes are at most 2, so every intermediate sum is within this mass, and so is the rounding of c + d.
        mass += (4 * (Math.abs(c) + Math.abs(d)) + Math.abs(toV[place]!) + Math.abs(toW[place]!)) *
          magnitude;
      }
      constants[row]! += sum;
      charges[row]! += 16 * UNIT * mass + (size + 16) * 4 * UNIT * total +
        Math.abs(constants[row]!) * 4 * UNIT;
    }
  }

  /** The least value of what is left, a functional of the input. */
  #atInput(count: number, constants: Float64Array, charges: Float64Array): Float64Array {
    const { zLower, zUpper, zSize } = this.#values[0]!;
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
      const bound = constants[row]! + sum -
        (1 + 2 ** -20) *
          (charges[row]! + (size + 8) * 4 * UNIT * mass + Math.abs(constants[row]!) * 8 * UNIT) -
        TINY;
      found[row] = Math.abs(bound) < HUGE ? bound : -Infinity;
    }
    return found;
  }
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

/** Lines under and over relu between bounds: slopes of both, and the upper one's intercept from its two ends. */
function line(
  lower: number,
  upper: number,
  at: number,
  slopesBelow: Float64Array,
  slopesAbove: Float64Array,
  constants: Float64Array,
): void {
  constants[at] = 0;
  if (lower >= 0 || upper <= 0) {
    slopesBelow[at] = slopesAbove[at] = lower >= 0 ? 1 : 0;
    return;
  }
  const slope = upper / (upper - lower);
  slopesBelow[at] = upper > -lower ? 1 : 0;
  slopesAbove[at] = slope;
  constants[at] = Math.max(up(-slope * lower), up(up(1 - slope) * upper));
}

/** Narrows z, y and e = z − y by one another. */
function close({ zLower, zUpper, yLower, yUpper, eLower, eUpper }: ValueState): void {
  for (let at = 0; at < zLower.length; at++) {
    eUpper[at] = Math.min(eUpper[at]!, up(zUpper[at]! - yLower[at]!));
    eLower[at] = Math.max(eLower[at]!, down(zLower[at]! - yUpper[at]!));
    zUpper[at] = Math.min(zUpper[at]!, up(yUpper[at]! + eUpper[at]!));
    zLower[at] = Math.max(zLower[at]!, down(yLower[at]! + eLower[at]!));
    yUpper[at] = Math.min(yUpper[at]!, up(zUpper[at]! - eLower[at]!));
    yLower[at] = Math.max(yLower[at]!, down(zLower[at]! - eUpper[at]!));
  }
}

function up(value: number): number {
  return value + (Math.abs(value) * 2 ** -52 + Number.MIN_VALUE);
}

function down(value: number): number {
  return value - (Math.abs(value) * 2 ** -52 + Number.MIN_VALUE);
}
