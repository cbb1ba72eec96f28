/**
 * Peak signal-to-noise ratio against targets, as for images.
 *
 * @module
 */

import type { Metric, OutputBatch, Reals } from "./metric.ts";

/** The ratio of an item without any error, which JSON has no number for. */
const NOISELESS = 200;

/**
 * The mean over items of 10 log₁₀(peak² / mean squared error) in decibels, as `psnr`. With a reference, its
 * ratio as `reference_psnr` and the difference as `psnr_drop`, positive when the model is worse.
 */
export class Psnr implements Metric {
  readonly #peak: number;
  #items = 0;
  #sum = 0;
  #referenceSum: number | undefined;

  /** @param peak The difference between the largest and smallest value that targets can have. */
  constructor(peak: number) {
    this.#peak = peak;
  }

  add({ size, width, values, reference, targets }: OutputBatch): void {
    for (let row = 0; row < size; row++) {
      this.#sum += this.#ratio(values, targets!, row, width);
      if (reference !== undefined) {
        this.#referenceSum = (this.#referenceSum ?? 0) +
          this.#ratio(reference, targets!, row, width);
      }
    }
    this.#items += size;
  }

  result(): Record<string, number> {
    const psnr = this.#sum / this.#items;
    if (this.#referenceSum === undefined) return { psnr };
    const reference = this.#referenceSum / this.#items;
    return { psnr, reference_psnr: reference, psnr_drop: reference - psnr };
  }

  #ratio(values: Reals, targets: Reals, row: number, width: number): number {
    let sum = 0;
    for (let index = row * width; index < (row + 1) * width; index++) {
      const difference = values[index]! - targets[index]!;
      sum += difference * difference;
    }
    if (sum === 0) return NOISELESS;
    return Math.min(NOISELESS, 10 * Math.log10(this.#peak * this.#peak * width / sum));
  }
}
