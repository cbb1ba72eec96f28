/**
 * Least values of linear functions on the part of a box that half-spaces leave.
 *
 * @module
 */

import type { Reduced } from "./reduced.ts";

/** Pivots of a program at most: what multipliers there are then is as valid as the best ones. */
const PIVOTS = 64;

/** A violation, or a number to divide by, that is so much smaller than others is taken for rounding. */
const SMALL = 1e-11;

/** Bounds are smaller than this. */
const HUGE = 1e60;

/** How far a function is pushed up where half-spaces leave nothing, in sizes of itself. */
const PUSH = 16;

/** Half-spaces as they were. */
export interface SavedSpaces {
  readonly spaces: Float64Array;
  readonly scales: Float64Array;
}

/** A box and half-spaces n·x + d ≥ 0. */
export class HalfSpaces {
  /** Where the function that was bounded last is least; the best corner of the box where nothing is left. */
  readonly point: Float64Array;
  readonly #reduced: Reduced;
  /** [most × (inputs + 1)]: normals and offsets. */
  readonly #spaces: Float64Array;
  #count = 0;
  /** What each half-space counts in the bound, ≥ 0. */
  readonly #multipliers: Float64Array;
  /** [inputs]: by how much magnitudes are charged for each unit of a coefficient. */
  readonly #sizes: Float64Array;
  /** The function minus what half-spaces count. */
  readonly #left: Float64Array;
  /** [most × (inputs + 1)]: basic variables as functions of the others, which stand at one of their ends. */
  readonly #table: Float64Array;
  /** The number of an input, or of a half-space behind them: the distance to it. */
  readonly #basic: Int32Array;
  readonly #others: Int32Array;
  /** What the function costs along each of the others, and whether they stand at their lower ends. */
  readonly #costs: Float64Array;
  readonly #isLow: Uint8Array;
  /** The values of basic variables. */
  readonly #reached: Float64Array;
  /** By variable: how large it, or what it is computed from, is. */
  readonly #scales: Float64Array;

  /** @param most Half-spaces at most. */
  constructor(reduced: Reduced, most: number) {
    const { inputs, center, half } = reduced;
    this.#reduced = reduced;
    this.point = new Float64Array(inputs);
    this.#spaces = new Float64Array(most * (inputs + 1));
    this.#multipliers = new Float64Array(most);
    this.#sizes = Float64Array.from(
      { length: inputs },
      (_, at) => Math.abs(center[at]!) + half[at]!,
    );
    this.#left = new Float64Array(inputs);
    this.#table = new Float64Array(most * (inputs + 1));
    this.#basic = new Int32Array(most);
    this.#others = new Int32Array(inputs);
    this.#costs = new Float64Array(inputs);
    this.#isLow = new Uint8Array(inputs);
    this.#reached = new Float64Array(most);
    this.#scales = new Float64Array(inputs + most);
    this.#scales.set(this.#sizes);
  }

  /** How many half-spaces there are. */
  get count(): number {
    return this.#count;
  }

  /** All half-spaces, to be put back. */
  save(): SavedSpaces {
    const { inputs } = this.#reduced;
    return {
      spaces: this.#spaces.slice(0, this.#count * (inputs + 1)),
      scales: this.#scales.slice(inputs, inputs + this.#count),
    };
  }

  /** Puts half-spaces in the place of those that there are. */
  restore({ spaces, scales }: SavedSpaces): void {
    this.#spaces.set(spaces);
    this.#scales.set(scales, this.#reduced.inputs);
    this.#count = scales.length;
  }

  /**
   * Writes the half-space −(normal·x) − constant ≥ 0, which is widened by its own roundings.
   *
   * @param at Its number; behind all others, or in the place of one.
   */
  set(at: number, normal: Float64Array, constant: number): void {
    const { inputs, unit } = this.#reduced;
    let size = Math.abs(constant);
    const start = at * (inputs + 1);
    for (let input = 0; input < inputs; input++) {
      this.#spaces[start + input] = -normal[input]!;
      size += Math.abs(normal[input]!) * this.#sizes[input]!;
    }
    this.#spaces[start + inputs] = -constant + 4 * unit * size + 1e-200;
    this.#scales[inputs + at] = size;
    this.#count = Math.max(this.#count, at + 1);
  }

  /**
   * A lower bound of c·x + constant, and where it is attained.
   *
   * Any multipliers are valid: c·x ≥ (c − Σ λn)·x − Σ λd wherever n·x + d ≥ 0 and λ ≥ 0.
   */
  least(c: Float64Array, constant: number): number {
    const { inputs, unit, center, half } = this.#reduced;
    const count = this.#count;
    const left = this.#left, point = this.point;
    let size = 0;
    for (let input = 0; input < inputs; input++) {
      left[input] = c[input]!;
      size += Math.abs(c[input]!) * this.#sizes[input]!;
      point[input] = c[input]! > 0 ? center[input]! - half[input]! : center[input]! + half[input]!;
    }
    if (count > 0 && !this.#holds()) {
      this.#solve(c, PUSH * (size + Math.abs(constant)));
      constant -= unit * size;
      for (let at = 0, start = 0; at < count; at++, start += inputs + 1) {
        const multiplier = this.#multipliers[at]!;
        if (!(multiplier > 0)) continue;
        const offset = multiplier * this.#spaces[start + inputs]!;
        constant -= offset + unit * Math.abs(offset);
        for (let input = 0; input < inputs; input++) {
          left[input]! -= multiplier * this.#spaces[start + input]!;
        }
      }
    }
    for (let input = 0; input < inputs; input++) {
      constant += left[input]! * center[input]! - Math.abs(left[input]!) * half[input]!;
    }
    // What overflowed, or is not a number, says nothing.
    return Math.abs(constant) < HUGE ? constant : -Infinity;
  }

  /** Finds how far the point is from each half-space; gives whether it is in all of them. */
  #holds(): boolean {
    const { inputs } = this.#reduced;
    const spaces = this.#spaces, point = this.point, reached = this.#reached;
    let holds = true;
    for (let at = 0, start = 0; at < this.#count; at++, start += inputs + 1) {
      let value = spaces[start + inputs]!;
      for (let input = 0; input < inputs; input++) value += spaces[start + input]! * point[input]!;
      reached[at] = value;
      if (value < 0) holds = false;
    }
    return holds;
  }

  /**
   * Finds multipliers by the dual simplex method with bounded variables, from the best corner of the box.
   *
   * @param push How much is gained at least where nothing is left.
   */
  #solve(c: Float64Array, push: number): void {
    const { inputs, center, half } = this.#reduced;
    const count = this.#count, width = inputs + 1;
    const table = this.#table, basic = this.#basic, others = this.#others, reached = this.#reached;
    const costs = this.#costs, isLow = this.#isLow, multipliers = this.#multipliers;
    const length = count * width;
    for (let at = 0; at < length; at++) table[at] = this.#spaces[at]!;
    for (let at = 0; at < count; at++) {
      basic[at] = inputs + at;
      multipliers[at] = 0;
    }
    for (let input = 0; input < inputs; input++) {
      others[input] = input;
      costs[input] = c[input]!;
      isLow[input] = c[input]! > 0 ? 1 : 0;
    }
    for (let pivot = 0; pivot < PIVOTS; pivot++) {
      // The basic variable that is farthest beyond its ends.
      let row = -1, way = 1, most = 0;
      for (let at = 0; at < count; at++) {
        const value = reached[at]!, which = basic[at]!;
        const slack = SMALL * this.#scales[which]!;
        if (which >= inputs) {
          if (-value - slack > most) row = at, way = 1, most = -value - slack;
          continue;
        }
        const distance = value - center[which]!, reach = half[which]! + slack;
        if (-distance - reach > most) row = at, way = 1, most = -distance - reach;
        if (distance - reach > most) row = at, way = -1, most = distance - reach;
      }
      if (row < 0) break;
      const start = row * width;
      let column = -1, least = Infinity, largest = 0;
      for (let input = 0; input < inputs; input++) {
        largest = Math.max(largest, Math.abs(table[start + input]!));
      }
      for (let input = 0; input < inputs; input++) {
        const change = way * table[start + input]!;
        if (!(Math.abs(change) > SMALL * largest)) continue;
        // Costs are against moving it: those of what stands at its lower end are positive.
        if (isLow[input] === 1 ? change < 0 : change > 0) continue;
        const rate = Math.abs(costs[input]! / change);
        if (rate < least) column = input, least = rate;
      }
      const which = basic[row]!;
      if (column < 0) {
        // Nothing is left: the row says so, with any factor.
        const factor = push / most;
        for (let input = 0; input < inputs; input++) {
          costs[input]! -= factor * way * table[start + input]!;
        }
        if (which >= inputs) multipliers[which - inputs] = factor;
        break;
      }
      this.#exchange(row, column, which >= inputs ? 0 : center[which]! - way * half[which]!);
      isLow[column] = way > 0 ? 1 : 0;
    }
    for (let input = 0; input < inputs; input++) {
      const which = others[input]!;
      if (which >= inputs) multipliers[which - inputs] = costs[input]!;
      else this.point[which] = center[which]! + (isLow[input] === 1 ? -1 : 1) * half[which]!;
    }
    for (let at = 0; at < count; at++) {
      const which = basic[at]!;
      if (which >= inputs) continue;
      const least = center[which]! - half[which]!, greatest = center[which]! + half[which]!;
      this.point[which] = Math.min(Math.max(reached[at]!, least), greatest);
    }
  }

  /**
   * Makes the variable of a column basic, in the place of a row's.
   *
   * @param end Where the row's variable stands then.
   */
  #exchange(row: number, column: number, end: number): void {
    const { inputs, center, half } = this.#reduced;
    const width = inputs + 1, length = this.#count * width;
    const table = this.#table, costs = this.#costs, reached = this.#reached;
    const start = row * width;
    const inverse = 1 / table[start + column]!;
    const step = (end - reached[row]!) * inverse;
    for (let at = 0; at < width; at++) table[start + at]! *= -inverse;
    table[start + column] = inverse;
    for (let from = 0, other = 0; from < length; from += width, other++) {
      const factor = table[from + column]!;
      if (other === row || factor === 0) continue;
      reached[other]! += factor * step;
      table[from + column] = 0;
      for (let at = 0; at < width; at++) table[from + at]! += factor * table[start + at]!;
    }
    const cost = costs[column]!;
    costs[column] = 0;
    for (let at = 0; at < inputs; at++) costs[at]! += cost * table[start + at]!;
    const which = this.#basic[row]!, entering = this.#others[column]!;
    const stood = entering >= inputs
      ? 0
      : center[entering]! + (this.#isLow[column] === 1 ? -1 : 1) * half[entering]!;
    reached[row] = stood + step;
    this.#basic[row] = entering;
    this.#others[column] = which;
  }
}
