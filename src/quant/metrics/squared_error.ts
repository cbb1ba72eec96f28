/**
 * Squared error against the float model.
 *
 * @module
 */

import type { Metric, OutputBatch } from "./metric.ts";

/** The ratio that stands for "no noise at all", which JSON has no number for. */
const NOISELESS = 200;

/**
 * The mean squared difference between the outputs of model and reference over all values, as `mse`, and the
 * power of the reference's outputs over it in decibels, as `sqnr` (at most 200).
 */
export class SquaredError implements Metric {
  #count = 0;
  #error = 0;
  #signal = 0;

  add({ values, reference }: OutputBatch): void {
    const wanted = reference!;
    let error = 0;
    let signal = 0;
    for (let index = 0; index < wanted.length; index++) {
      const difference = values[index]! - wanted[index]!;
      error += difference * difference;
      signal += wanted[index]! * wanted[index]!;
    }
    this.#error += error;
    this.#signal += signal;
    this.#count += wanted.length;
  }

  result(): Record<string, number> {
    const ratio = 10 * Math.log10(this.#signal / this.#error);
    return {
      mse: this.#error / this.#count,
      sqnr: this.#error === 0 ? NOISELESS : Math.max(-NOISELESS, Math.min(NOISELESS, ratio)),
    };
  }
}
