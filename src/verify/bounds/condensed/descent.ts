/**
 * Rows whose relaxations are chosen for each row: Frank–Wolfe steps.
 *
 * The bound of a row is least at one point. The point is carried forward through the relaxations that the row
 * used, and at each neuron what is tightest there takes a share of 2/(k + 3): a slope under Relu, a plane around the
 * difference, a way to write v·a + w·g. Shares of what is valid are valid, so the best of all passes is a bound, whatever
 * the steps did.
 *
 * With g = a − b, v·a + w·g = A·a + B·b + G·g for any G with A = v + w − G and B = G − w; the three ways of the joint
 * choice are G = w, 0 and v + w.
 *
 * @module
 */

import { down } from "../batch.ts";
import type { HalfSpaces } from "./half_spaces.ts";
import type { CondensedView } from "./passes.ts";
import type { Reduced, ReducedRow } from "./reduced.ts";
import type { RelaxedNeurons } from "./relaxed.ts";

/** Bounds rows of one reduced network. */
export class RowDescent {
  /** Where the bound of the last pass is attained, as the relaxations see it: values of z and e. */
  readonly z: Float64Array;
  readonly e: Float64Array;
  readonly #reduced: Reduced;
  readonly #neurons: RelaxedNeurons;
  readonly #spaces: HalfSpaces;
  /** [count × 3]: shares of the ways to write the sum. */
  readonly #ways: Float64Array;
  /** [count × 2]: slopes below a and b. */
  readonly #slopes: Float64Array;
  /** [count × 2 × 3]: the plane above, and the one below. */
  readonly #chosen: Float64Array;
  /** [count × 5]: v, w, A, B and G of the last pass. */
  readonly #used: Float64Array;
  /** Coefficients on a and g; on the way forward their values. */
  readonly #v: Float64Array;
  readonly #w: Float64Array;
  readonly #onInput: Float64Array;
  /** The row of a neuron. */
  readonly #inner: ReducedRow & { constant: number };

  constructor(reduced: Reduced, neurons: RelaxedNeurons, spaces: HalfSpaces) {
    const { count, inputs } = reduced;
    const numbers = (each: number) => new Float64Array(each * count);
    this.#reduced = reduced;
    this.#neurons = neurons;
    this.#spaces = spaces;
    this.z = numbers(1);
    this.e = numbers(1);
    this.#ways = numbers(3);
    this.#slopes = numbers(2);
    this.#chosen = numbers(6);
    this.#used = numbers(5);
    this.#v = numbers(1);
    this.#w = numbers(1);
    this.#onInput = new Float64Array(inputs);
    this.#inner = {
      onNeurons: numbers(2),
      onInput: new Float64Array(inputs),
      constant: 0,
      noise: 0,
    };
  }

  /**
   * A lower bound of a row.
   *
   * @param limit The row is on neurons below this.
   * @param enough Work ends when the bound is at least this.
   */
  descend(row: ReducedRow, limit: number, enough: number, steps: number): number {
    this.#begin(limit);
    let best = -Infinity;
    for (let step = 0;; step++) {
      const constant = this.#backward(row, limit, step === 0);
      const found = this.#spaces.least(this.#onInput, constant);
      if (found > best) best = found;
      if (best >= enough || step >= steps) return best;
      this.#forward(limit, 2 / (step + 3));
    }
  }

  /**
   * By how much the last pass is below the row at the point where its bound is attained, neuron by neuron.
   *
   * @param gaps [count].
   */
  gaps(gaps: Float64Array): void {
    const used = this.#used;
    this.#forward(gaps.length, 0);
    for (let neuron = 0; neuron < gaps.length; neuron++) {
      const z = this.z[neuron]!, y = z - this.e[neuron]!;
      const a = Math.max(z, 0), g = a - Math.max(y, 0);
      gaps[neuron] = used[5 * neuron]! * (a - this.#v[neuron]!) +
        used[5 * neuron + 1]! * (g - this.#w[neuron]!);
    }
  }

  /** The coefficient of the last pass on a neuron's g. */
  onDifference(neuron: number): number {
    return this.#used[5 * neuron + 1]!;
  }

  /**
   * A lower bound of sign·z, sign·y or sign·e of a neuron.
   *
   * @param steps Behind the first pass.
   */
  boundNeuron(neuron: number, view: CondensedView, sign: number, steps: number): number {
    this.#setInner(neuron, view, sign);
    return down(this.descend(this.#inner, neuron, Infinity, steps)) - 1e-200;
  }

  /**
   * Writes the half-space in which sign·(z − value) ≥ 0 is possible for a neuron, or the same of y.
   *
   * @param at The number of the half-space.
   */
  cut(neuron: number, view: "z" | "y", sign: number, value: number, at: number): void {
    // −sign·z ≥ c·x + constant, and thus sign·(z − value) ≤ −c·x − constant − sign·value.
    this.#setInner(neuron, view, -sign);
    this.#begin(neuron);
    const constant = this.#backward(this.#inner, neuron, true);
    const room = this.#reduced.unit * Math.abs(value);
    this.#spaces.set(at, this.#onInput, constant + sign * value - room);
  }

  /** Makes a row of a neuron; y = z − e. */
  #setInner(neuron: number, view: CondensedView, sign: number): void {
    const { count, inputs, onInput, onNeurons, constants } = this.#reduced;
    const row = this.#inner;
    const z = view === "e" ? 0 : sign;
    const e = view === "z" ? 0 : view === "e" ? sign : -sign;
    for (let other = 0, from = 3 * neuron * count; other < neuron; other++, from += 3) {
      row.onNeurons[2 * other] = z * onNeurons[from]! + e * onNeurons[from + 1]!;
      row.onNeurons[2 * other + 1] = e * onNeurons[from + 2]!;
    }
    for (let input = 0, place = 2 * inputs * neuron; input < inputs; input++, place++) {
      row.onInput[input] = z * onInput[place]! + e * onInput[place + inputs]!;
    }
    const at = 4 * neuron;
    row.constant = z * constants[at]! - Math.abs(z) * constants[at + 1]! +
      e * constants[at + 2]! - Math.abs(e) * constants[at + 3]!;
  }

  /** What a row begins with: slopes below and planes that are tightest at the middle of their bounds. */
  #begin(count: number): void {
    const neurons = this.#neurons;
    const { lines, middles, planes } = neurons;
    const slopes = this.#slopes, chosen = this.#chosen;
    for (let at = 0; at < 2 * count; at++) {
      // The chord is steeper than 1/2 where more of the box is above 0.
      slopes[at] = lines[4 * at]! > 0.5 ? lines[4 * at + 3]! : lines[4 * at + 2]!;
    }
    for (let neuron = 0; neuron < count; neuron++) {
      const z = middles[2 * neuron]!, e = middles[2 * neuron + 1]!;
      for (let side = 0; side < 2; side++) {
        const from = neurons.tightest(neuron, side, z, e);
        const to = 6 * neuron + 3 * side;
        chosen[to] = planes[from]!;
        chosen[to + 1] = planes[from + 1]!;
        chosen[to + 2] = planes[from + 2]!;
      }
    }
  }

  /** Carries a row on neurons below a limit back to the input, with what it takes at each neuron; gives the constant. */
  #backward(row: ReducedRow, limit: number, isFirst: boolean): number {
    const { count, inputs, onInput, onNeurons, constants } = this.#reduced;
    const { lines, middles, room } = this.#neurons;
    const v = this.#v, w = this.#w, x = this.#onInput, used = this.#used;
    const ways = this.#ways, slopes = this.#slopes, chosen = this.#chosen;
    for (let neuron = 0; neuron < limit; neuron++) {
      v[neuron] = row.onNeurons[2 * neuron]!;
      w[neuron] = row.onNeurons[2 * neuron + 1]!;
    }
    for (let input = 0; input < inputs; input++) x[input] = row.onInput[input]!;
    let constant = row.constant - this.#reduced.unit * Math.abs(row.constant);
    for (let neuron = limit - 1; neuron >= 0; neuron--) {
      const onA = v[neuron]!, onG = w[neuron]!;
      if (isFirst) {
        const z = middles[2 * neuron]!, e = middles[2 * neuron + 1]!;
        const best = this.#bestWay(neuron, onA, onG, z, e);
        ways[3 * neuron] = best === 0 ? 1 : 0;
        ways[3 * neuron + 1] = best === 1 ? 1 : 0;
        ways[3 * neuron + 2] = best === 2 ? 1 : 0;
      }
      // Any G is valid.
      const g = ways[3 * neuron]! * onG + ways[3 * neuron + 2]! * (onA + onG);
      const a = onA + onG - g, b = g - onG;
      const to = 5 * neuron;
      used[to] = onA;
      used[to + 1] = onG;
      used[to + 2] = a;
      used[to + 3] = b;
      used[to + 4] = g;
      const first = 2 * neuron, second = first + 1;
      let onZ = 0, onY = 0;
      if (a >= 0) onZ = a * slopes[first]!;
      else {
        onZ = a * lines[4 * first]!;
        constant += a * lines[4 * first + 1]!;
      }
      if (b >= 0) onY = b * slopes[second]!;
      else {
        onY = b * lines[4 * second]!;
        constant += b * lines[4 * second + 1]!;
      }
      const at = 6 * neuron + (g >= 0 ? 3 : 0);
      const cz = onZ + onY + g * chosen[at]!;
      const ce = g * chosen[at + 1]! - onY;
      const from = 4 * neuron;
      const sizes = Math.abs(onA) + Math.abs(onG) + Math.abs(a) + Math.abs(b) + Math.abs(g);
      constant += g * chosen[at + 2]! + cz * constants[from]! + ce * constants[from + 2]! -
        Math.abs(cz) * constants[from + 1]! - Math.abs(ce) * constants[from + 3]! -
        sizes * room[neuron]!;
      for (let input = 0, place = 2 * inputs * neuron; input < inputs; input++, place++) {
        x[input]! += cz * onInput[place]! + ce * onInput[place + inputs]!;
      }
      for (let other = 0, place = 3 * neuron * count; other < neuron; other++, place += 3) {
        v[other]! += cz * onNeurons[place]! + ce * onNeurons[place + 1]!;
        w[other]! += ce * onNeurons[place + 2]!;
      }
    }
    return constant;
  }

  /** Carries the point forward, and moves each choice toward what is tightest there. */
  #forward(limit: number, length: number): void {
    const { count, inputs, onInput, onNeurons, constants } = this.#reduced;
    const as = this.#v, gs = this.#w, used = this.#used;
    const ways = this.#ways, slopes = this.#slopes, chosen = this.#chosen;
    const neurons = this.#neurons, { point } = this.#spaces;
    const { lines, planes } = neurons;
    for (let neuron = 0; neuron < limit; neuron++) {
      let z = constants[4 * neuron]!, e = constants[4 * neuron + 2]!;
      for (let input = 0, place = 2 * inputs * neuron; input < inputs; input++, place++) {
        z += onInput[place]! * point[input]!;
        e += onInput[place + inputs]! * point[input]!;
      }
      for (let other = 0, place = 3 * neuron * count; other < neuron; other++, place += 3) {
        z += onNeurons[place]! * as[other]!;
        e += onNeurons[place + 1]! * as[other]! + onNeurons[place + 2]! * gs[other]!;
      }
      this.z[neuron] = z;
      this.e[neuron] = e;
      const y = z - e;
      const from = 5 * neuron, first = 2 * neuron, second = first + 1;
      const v = used[from]!, w = used[from + 1]!;
      const a = used[from + 2]!, b = used[from + 3]!, g = used[from + 4]!;
      const onA = a >= 0 ? slopes[first]! * z : lines[4 * first]! * z + lines[4 * first + 1]!;
      const onB = b >= 0 ? slopes[second]! * y : lines[4 * second]! * y + lines[4 * second + 1]!;
      const at = 6 * neuron + (g >= 0 ? 3 : 0);
      const onG = chosen[at]! * z + chosen[at + 1]! * e + chosen[at + 2]!;
      const f1 = ways[3 * neuron]!, f2 = ways[3 * neuron + 1]!, f3 = ways[3 * neuron + 2]!;
      as[neuron] = (f1 + f2) * onA + f3 * (onB + onG);
      gs[neuron] = (f1 + f3) * onG + f2 * (onA - onB);

      if (length === 0) continue;
      this.#moveSlope(first, z, length);
      this.#moveSlope(second, y, length);
      for (let side = 0; side < 2; side++) {
        const best = neurons.tightest(neuron, side, z, e);
        const to = 6 * neuron + 3 * side;
        for (let part = 0; part < 3; part++) {
          chosen[to + part]! += length * (planes[best + part]! - chosen[to + part]!);
        }
      }
      const way = this.#bestWay(neuron, v, w, z, e);
      for (let each = 0; each < 3; each++) {
        const place = 3 * neuron + each;
        ways[place]! += length * ((each === way ? 1 : 0) - ways[place]!);
      }
    }
  }

  #moveSlope(place: number, value: number, length: number): void {
    const low = this.#neurons.lines[4 * place + 2]!, high = this.#neurons.lines[4 * place + 3]!;
    const slope = this.#slopes[place]!;
    const moved = slope + length * ((value > 0 ? high : low) - slope);
    // Rounding must not lead out of what is valid.
    this.#slopes[place] = Math.min(Math.max(moved, low), high);
  }

  #bestWay(neuron: number, v: number, w: number, z: number, e: number): number {
    const a = 2 * neuron, b = a + 1, y = z - e, u = v + w;
    const first = this.#line(a, v, z) + this.#plane(neuron, w, z, e);
    const second = this.#line(a, u, z) + this.#line(b, -w, y);
    const third = this.#line(b, v, y) + this.#plane(neuron, u, z, e);
    if (third > first && third > second) return 2;
    return second > first ? 1 : 0;
  }

  /** c·relu's line: below it for c ≥ 0, above for c < 0. */
  #line(at: number, c: number, x: number): number {
    const { lines } = this.#neurons;
    return c >= 0 ? c * this.#slopes[at]! * x : c * (lines[4 * at]! * x + lines[4 * at + 1]!);
  }

  /** c·g's plane. */
  #plane(neuron: number, c: number, z: number, e: number): number {
    const at = 6 * neuron + (c >= 0 ? 3 : 0);
    const chosen = this.#chosen;
    return c * (chosen[at]! * z + chosen[at + 1]! * e + chosen[at + 2]!);
  }
}
