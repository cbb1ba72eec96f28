/**
 * What a search has to reach, and how far it is from it.
 *
 * @module
 */

import type { SearchOptions } from "./options.ts";
import type { Witnesses } from "./witnesses.ts";

/** The bounds at which rows are done; with a ratio, they grow with what is found. */
export class Goals {
  /**
   * How far above its goal a row is worth refining: what is refined costs several boxes, and where a ratio leaves little room,
   * most boxes are just above their goal after one more split.
   */
  readonly reach: number;
  readonly #target: number;
  readonly #ratio: number | undefined;

  constructor({ target = 0, ratio }: SearchOptions) {
    this.#target = target;
    this.#ratio = ratio;
    this.reach = 1 + 6 * ((ratio ?? 1.1) - 1);
  }

  /** The bound at which a row of a box is done. */
  of(row: number, witnesses: Witnesses): number {
    const target = this.#target;
    const found = witnesses.found(row >> 1);
    // A witness refutes the target, and nothing else was asked for.
    if (this.#ratio === undefined && target > 0 && found > target) return Infinity;
    return Math.max(target, found * (this.#ratio ?? 1));
  }

  /** How far the worst row is above its goal; 0 when all are done. */
  excess(bounds: Float64Array, witnesses: Witnesses): number {
    let most = 0;
    for (let row = 0; row < bounds.length; row++) {
      const goal = this.of(row, witnesses);
      if (bounds[row]! > goal) most = Math.max(most, bounds[row]! / Math.max(goal, 1e-300));
    }
    return most;
  }
}
