/**
 * What forms are made of, on one box: inputs that have some width, and relaxed neurons.
 *
 * @module
 */

import { up, type ValueBounds } from "../batch.ts";
import { filledUp } from "../dense/chain.ts";

/** The columns of forms. There is one for all boxes: every box takes the place of the one before. */
export class Symbols {
  /** The inputs that have columns of their own, in their order; the first `inputs` count. */
  readonly free: Int32Array;
  inputs = 0;
  /** The others, which are part of constants; the first `fixedCount` count. */
  readonly fixed: Int32Array;
  fixedCount = 0;
  /** Of free inputs: the middle, and half the width with what roundings at the input cost. */
  readonly center: Float64Array;
  readonly half: Float64Array;
  /** Where relaxed neurons begin. */
  base = 0;
  /** By column: the largest size of an input, a, b, and g, which is 0 where there is none. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly g: Float64Array;
  /** The least and the greatest g. */
  readonly gLower: Float64Array;
  readonly gUpper: Float64Array;
  /** The box. */
  lower: Float64Array = new Float64Array(0);
  upper: Float64Array = new Float64Array(0);
  readonly #unit: number;

  /**
   * @param inputs Of the network.
   * @param columns That forms have at most.
   * @param unit What roundings are charged, as a multiple of magnitudes.
   */
  constructor(inputs: number, columns: number, unit: number) {
    this.#unit = unit;
    this.free = new Int32Array(inputs);
    this.fixed = new Int32Array(inputs);
    this.center = new Float64Array(inputs);
    this.half = new Float64Array(inputs);
    this.a = new Float64Array(columns);
    this.b = new Float64Array(columns);
    this.g = new Float64Array(columns);
    this.gLower = new Float64Array(columns);
    this.gUpper = new Float64Array(columns);
  }

  /** Takes on a box. */
  use(lower: Float64Array, upper: Float64Array): void {
    this.lower = lower;
    this.upper = upper;
    let count = 0;
    this.fixedCount = 0;
    for (let input = 0; input < lower.length; input++) {
      const from = lower[input]!, to = upper[input]!;
      if (!(from < to)) {
        this.fixed[this.fixedCount++] = input;
        continue;
      }
      const middle = from + (to - from) / 2;
      const width = up(Math.max(to - middle, middle - from));
      this.free[count] = input;
      this.center[count] = middle;
      this.half[count] = width + this.#unit * (Math.abs(middle) + width);
      this.a[count] = this.b[count] = Math.abs(middle) + this.half[count]!;
      this.g[count] = 0;
      count++;
    }
    this.inputs = count;
    this.base = filledUp(count + 1);
    this.clear(count, this.base);
    this.a[count] = this.b[count] = 1;
  }

  /** Writes the columns of a neuron that is relaxed. */
  set(column: number, bounds: ValueBounds, neuron: number): void {
    const a = Math.max(bounds.zUpper[neuron]!, 0);
    const b = Math.max(bounds.yUpper[neuron]!, 0);
    const least = Math.max(Math.min(bounds.eLower[neuron]!, 0), -b);
    const most = Math.min(Math.max(bounds.eUpper[neuron]!, 0), a);
    this.a[column] = a;
    this.b[column] = b;
    this.g[column] = Math.max(-least, most);
    this.gLower[column] = least;
    this.gUpper[column] = most;
  }

  /** Writes columns that nothing stands in. */
  clear(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      this.a[at] =
        this.b[at] =
        this.g[at] =
        this.gLower[at] =
        this.gUpper[at] =
          0;
    }
  }
}
