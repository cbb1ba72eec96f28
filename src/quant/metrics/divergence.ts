/**
 * Kullback–Leibler divergence from the float model's predictions.
 *
 * @module
 */

import type { Metric, OutputBatch, Reals } from "./metric.ts";

/** What a classifier's outputs are. */
export type Scores = "logits" | "probabilities";

/** Probabilities below this count as this, since quantized ones can be 0. */
const LEAST = 1e-12;

/**
 * The mean over items of KL(p ‖ q) = Σ p log(p / q) in nats, with p the reference's and q the model's
 * probabilities, as `kl`.
 */
export class Divergence implements Metric {
  readonly #scores: Scores;
  #items = 0;
  #sum = 0;
  #p = new Float64Array(0);
  #q = new Float64Array(0);

  constructor(scores: Scores) {
    this.#scores = scores;
  }

  add({ size, width, values, reference }: OutputBatch): void {
    if (this.#p.length !== width) {
      this.#p = new Float64Array(width);
      this.#q = new Float64Array(width);
    }
    const write = this.#scores === "logits" ? logSoftmax : logarithm;
    const [p, q] = [this.#p, this.#q];
    for (let row = 0; row < size; row++) {
      write(reference!, row * width, p);
      write(values, row * width, q);
      let sum = 0;
      for (let index = 0; index < width; index++) {
        sum += Math.exp(p[index]!) * (p[index]! - q[index]!);
      }
      // Rounding can leave a tiny negative sum where the two agree.
      this.#sum += Math.max(0, sum);
    }
    this.#items += size;
  }

  result(): Record<string, number> {
    return { kl: this.#sum / this.#items };
  }
}

function logSoftmax(values: Reals, start: number, into: Float64Array): void {
  let largest = -Infinity;
  for (let index = 0; index < into.length; index++) {
    largest = Math.max(largest, values[start + index]!);
  }
  let sum = 0;
  for (let index = 0; index < into.length; index++) {
    sum += Math.exp(values[start + index]! - largest);
  }
  const shift = largest + Math.log(sum);
  for (let index = 0; index < into.length; index++) into[index] = values[start + index]! - shift;
}

function logarithm(values: Reals, start: number, into: Float64Array): void {
  for (let index = 0; index < into.length; index++) {
    into[index] = Math.log(Math.max(LEAST, values[start + index]!));
  }
}
