/**
 * Agreement with the float model.
 *
 * @module
 */

import { argmax, type Metric, type OutputBatch } from "./metric.ts";

/** The fraction of items to which model and reference give the same class, as `agreement`. */
export class Agreement implements Metric {
  #items = 0;
  #same = 0;

  add({ size, width, values, reference }: OutputBatch): void {
    for (let row = 0; row < size; row++) {
      if (argmax(values, row, width) === argmax(reference!, row, width)) this.#same++;
    }
    this.#items += size;
  }

  result(): Record<string, number> {
    return { agreement: this.#same / this.#items };
  }
}
