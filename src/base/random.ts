/**
 * Seeded pseudo-random numbers that are the same on every machine.
 *
 * The generator is xoshiro128** (Blackman and Vigna, 2018), seeded through SplitMix32.
 *
 * @module
 */

/** A stream of pseudo-random numbers; its whole state is four 32-bit words. */
export class Random {
  readonly #state: Uint32Array;

  private constructor(state: Uint32Array) {
    this.#state = state;
  }

  /**
   * A stream for a seed and, so that independent uses never share numbers, a purpose.
   *
   * @param seed Any safe integer.
   * @param purpose Names what the numbers are for, such as `"shuffle"`.
   */
  static from(seed: number, purpose = ""): Random {
    if (!Number.isSafeInteger(seed)) {
      throw new RangeError(`seed must be a safe integer: current value is ${seed}`);
    }
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(`${seed}\u0000${purpose}`)) {
      hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    }
    const state = new Uint32Array(4);
    for (let word = 0; word < 4; word++) {
      hash = (hash + 0x9e3779b9) >>> 0;
      let mixed = hash;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      state[word] = (mixed ^ (mixed >>> 16)) >>> 0;
    }
    if (state.every((word) => word === 0)) state[0] = 1;
    return new Random(state);
  }

  /** Continues a stream from a saved {@linkcode Random.state}. */
  static restore(state: readonly number[]): Random {
    if (state.length !== 4) {
      throw new RangeError(`state must have 4 words: current value has ${state.length}`);
    }
    return new Random(Uint32Array.from(state));
  }

  /** The state, to be saved in a checkpoint. */
  get state(): number[] {
    return [...this.#state];
  }

  /** The next 32 random bits as an unsigned integer. */
  bits(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const product = Math.imul(s[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 0x4000000 + (this.bits() >>> 6)) / 0x20000000000000;
  }

  /** An integer in [0, limit), without bias. */
  integer(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 0x100000000) {
      throw new RangeError(`limit must be an integer from 1 to 2³²: current value is ${limit}`);
    }
    const reject = 0x100000000 % limit;
    for (;;) {
      const bits = this.bits();
      if (bits >= reject) return bits % limit;
    }
  }

  /** A standard normal number (Box–Muller, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The numbers 0 … count − 1 in random order (Fisher–Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const kept = order[last]!;
      order[last] = order[other]!;
      order[other] = kept;
    }
    return order;
  }
}
