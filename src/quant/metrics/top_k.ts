/**
 * Top-k accuracy.
 *
 * @module
 */

import type { Metric, OutputBatch, Reals } from "./metric.ts";

/**
 * The fraction of items whose label is among the k largest outputs, as `top<k>`. With a reference, its accuracy
 * as `reference_top<k>` and the difference as `top<k>_drop`, positive when the model is worse. Of equal outputs
 * the first ones rank higher.
 */
export class TopK implements Metric {
  readonly #k: number;
  #items = 0;
  #right = 0;
  #referenceRight: number | undefined;

  constructor(k: number) {
    this.#k = k;
  }

  add({ size, width, values, reference, labels }: OutputBatch): void {
    for (let row = 0; row < size; row++) {
      const label = labels![row]!;
      if (rankOf(values, row, width, label) < this.#k) this.#right++;
      if (reference !== undefined) {
        this.#referenceRight ??= 0;
        if (rankOf(reference, row, width, label) < this.#k) this.#referenceRight++;
      }
    }
    this.#items += size;
  }

  result(): Record<string, number> {
    const name = `top${this.#k}`;
    const value = this.#right / this.#items;
    if (this.#referenceRight === undefined) return { [name]: value };
    return {
      [name]: value,
      [`reference_${name}`]: this.#referenceRight / this.#items,
      // One division, so that equal counts give exactly 0 and a drop of one item is exactly 1 / items.
      [`${name}_drop`]: (this.#referenceRight - this.#right) / this.#items,
    };
  }
}

/** How many outputs of a row are larger than the one of `label`, or equal and before it. */
function rankOf(values: Reals, row: number, width: number, label: number): number {
  const start = row * width;
  const own = values[start + label]!;
  let rank = 0;
  for (let index = 0; index < width; index++) {
    const value = values[start + index]!;
    if (value > own || value === own && index < label) rank++;
  }
  return rank;
}
