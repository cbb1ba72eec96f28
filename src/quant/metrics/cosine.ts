/**
 * Cosine similarity with the float model.
 *
 * @module
 */

import type { Metric, OutputBatch } from "./metric.ts";

/**
 * The mean over items of the cosine of the angle between the outputs of model and reference, as `cosine`: 1 for
 * the same direction. Two outputs that are zero have the same direction, one has none.
 */
export class Cosine implements Metric {
  #items = 0;
  #sum = 0;

  add({ size, width, values, reference }: OutputBatch): void {
    for (let row = 0; row < size; row++) {
      let product = 0;
      let own = 0;
      let other = 0;
      for (let index = row * width; index < (row + 1) * width; index++) {
        const value = values[index]!;
        const wanted = reference![index]!;
        product += value * wanted;
        own += value * value;
        other += wanted * wanted;
      }
      if (own === 0 && other === 0) this.#sum += 1;
      else if (own > 0 && other > 0) this.#sum += product / Math.sqrt(own * other);
    }
    this.#items += size;
  }

  result(): Record<string, number> {
    return { cosine: this.#sum / this.#items };
  }
}
