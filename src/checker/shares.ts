/**
 * How much each input has to do with what relaxations lose: only good for choosing where to split.
 *
 * @module
 */

import { multiply } from "./matrix.ts";
import type { Pair } from "./pair.ts";
import type { Relaxation } from "./relaxation.ts";

/** With more inputs than this boxes are not split. */
const MOST_INPUTS = 32;

/** Follows the inputs through the original network, linear as its upper lines are. */
export class Shares {
  /** By value, then by input: how far each element moves when the input goes from the middle of the box to a side. */
  readonly #moves: readonly (readonly Float64Array[])[];
  readonly #pair: Pair;

  constructor(pair: Pair) {
    this.#pair = pair;
    const inputs = pair.inputs <= MOST_INPUTS ? pair.inputs : 0;
    this.#moves = [pair.inputs, ...pair.steps.map(({ size }) => size)].map((size) =>
      Array.from({ length: inputs }, () => new Float64Array(size))
    );
  }

  /** Follows the inputs of a box. */
  follow(
    lower: Float64Array,
    upper: Float64Array,
    relaxations: readonly (Relaxation | undefined)[],
  ): void {
    this.#moves[0]!.forEach((moves, input) => {
      moves.fill(0);
      moves[input] = (upper[input]! - lower[input]!) / 2;
    });
    this.#pair.steps.forEach((step, at) => {
      this.#moves[at + 1]!.forEach((moves, input) => {
        if (step.kind === "affine") {
          moves.fill(0);
          for (const { input: from, original } of step.terms) {
            multiply(original, this.#moves[from]![input]!, moves, false);
          }
          return;
        }
        const { aUpper } = relaxations[at + 1]!;
        const from = this.#moves[step.input]![input]!;
        for (let each = 0; each < moves.length; each++) moves[each] = aUpper[each]! * from[each]!;
      });
    });
  }

  /** Adds each input's share in a loss at an element of the value that a nonlinear step reads. */
  add(value: number, element: number, loss: number, scores: Float64Array, start: number): void {
    const all = this.#moves[value]!;
    let total = 0;
    for (const moves of all) total += Math.abs(moves[element]!);
    if (!(total > 0)) return;
    for (let input = 0; input < all.length; input++) {
      scores[start + input]! += loss * Math.abs(all[input]![element]!) / total;
    }
  }
}
