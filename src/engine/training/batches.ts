/**
 * Which items each step sees: a function of seed and step alone, so that a resumed run sees the same.
 *
 * @module
 */

import { Random } from "../../base/random.ts";

/** An endless sequence of items: one random permutation of all of them after another. */
export class ItemOrder {
  readonly #count: number;
  readonly #seed: number;
  #epoch = -1;
  #permutation: Uint32Array = new Uint32Array();

  /** @param count How many items there are. */
  constructor(count: number, seed: number) {
    if (count < 1) throw new RangeError(`count must be ≥ 1: current value is ${count}`);
    this.#count = count;
    this.#seed = seed;
  }

  /** The items at positions `start … start + length − 1` of the sequence. */
  take(start: number, length: number): BigInt64Array<ArrayBuffer> {
    const items = new BigInt64Array(length);
    for (let index = 0; index < length; index++) {
      const position = start + index;
      const epoch = Math.floor(position / this.#count);
      if (epoch !== this.#epoch) {
        this.#permutation = Random.from(this.#seed, `training/epoch ${epoch}`)
          .permutation(this.#count);
        this.#epoch = epoch;
      }
      items[index] = BigInt(this.#permutation[position % this.#count]!);
    }
    return items;
  }
}

/** The seed's pool of uniform random numbers, of which each step sees stretches. */
export function uniformPool(seed: number, length: number): Float32Array<ArrayBuffer> {
  const random = Random.from(seed, "training/uniform");
  // 24 random bits: every value is exact in float32 and below 1.
  return Float32Array.from({ length }, () => (random.bits() >>> 8) / 2 ** 24);
}

/** Where in the pool the stretches of steps `start … start + steps − 1` begin, `[steps, stretches]`. */
export function poolOffsets(
  seed: number,
  start: number,
  steps: number,
  limits: readonly number[],
): BigInt64Array {
  const offsets = new BigInt64Array(steps * limits.length);
  for (let step = 0; step < steps; step++) {
    const random = Random.from(seed, `training/offsets ${start + step}`);
    limits.forEach((limit, index) => {
      offsets[step * limits.length + index] = BigInt(random.integer(limit));
    });
  }
  return offsets;
}
