/**
 * Rows of one box that are not far from what is enough, looked at more closely.
 *
 * @module
 */

import { CellSearch, MOST_CUTS } from "./cells.ts";
import { RowDescent } from "./descent.ts";
import { HalfSpaces } from "./half_spaces.ts";
import type { Reduced, ReducedRow } from "./reduced.ts";
import { RelaxedNeurons } from "./relaxed.ts";

/** Steps that are tried before bounds of neurons are looked at, which take longer. */
const QUICK = 3;

/** How hard to try. */
export interface RefineOptions {
  /** Frank–Wolfe steps behind the first pass. */
  readonly steps: number;
  /** Passes for bounds of each neuron, which rows of the output gain from; 0 for none. */
  readonly inner: number;
  /** Cells that the box is cut into at most, 0 for none, and steps in each. */
  readonly cells: number;
  readonly cellSteps: number;
}

/** Refines rows of one reduced network. */
export class RowRefiner {
  readonly #reduced: Reduced;
  readonly #options: RefineOptions;
  readonly #neurons: RelaxedNeurons;
  readonly #descent: RowDescent;
  readonly #cells: CellSearch;
  /** Whether bounds of neurons were made by rows of their own. */
  #isTight = false;

  constructor(reduced: Reduced, options: RefineOptions) {
    this.#reduced = reduced;
    this.#options = options;
    const spaces = new HalfSpaces(reduced, MOST_CUTS);
    this.#neurons = new RelaxedNeurons(reduced);
    this.#descent = new RowDescent(reduced, this.#neurons, spaces);
    this.#cells = new CellSearch(reduced.count, this.#neurons, spaces, this.#descent);
  }

  /** Where the row that was refined last seems to be as low as its bound, [inputs]; `undefined` where it may well not be. */
  get attained(): Float64Array | undefined {
    return this.#cells.attained;
  }

  /**
   * A lower bound of a row.
   *
   * @param enough Work ends when the bound is at least this.
   */
  refine(row: ReducedRow, enough: number): number {
    const { count } = this.#reduced;
    const { steps, inner, cells, cellSteps } = this.#options;
    this.#cells.attained = undefined;
    let best = this.#descent.descend(
      row,
      count,
      enough,
      inner === 0 ? steps : Math.min(QUICK, steps),
    );
    if (best >= enough) return best;
    if (inner > 0) {
      if (!this.#isTight) {
        this.#tighten();
        this.#isTight = true;
      }
      best = Math.max(best, this.#descent.descend(row, count, enough, steps));
    }
    if (best >= enough || cells === 0) return best;
    return this.#cells.bound(row, best, enough, { cells, steps: cellSteps });
  }

  /** Bounds neurons by rows of their own. */
  #tighten(): void {
    const { bounds } = this.#neurons;
    for (let neuron = 1; neuron < this.#reduced.count; neuron++) {
      const at = 6 * neuron;
      for (const [view, offset] of [["z", 0], ["e", 4]] as const) {
        // Where a sign is known, more does not help.
        if (view === "z" && (bounds[at]! >= 0 || bounds[at + 1]! <= 0)) continue;
        for (const sign of [1, -1]) {
          const found = this.#descent.boundNeuron(neuron, view, sign, this.#options.inner - 1);
          if (sign > 0 && found > bounds[at + offset]!) bounds[at + offset] = found;
          if (sign < 0 && -found < bounds[at + offset + 1]!) bounds[at + offset + 1] = -found;
        }
      }
      // Bounds that crossed by their roundings stay as they were.
      this.#neurons.close(neuron);
      this.#neurons.relax(neuron);
    }
  }
}
