/**
 * Counting how often small integers occur.
 *
 * @module
 */

/** Counts in 16-bit integers, over any number of arrays. */
export class Counter {
  readonly #totals: Float64Array;
  readonly #scratch: Uint32Array;
  readonly #length: number;

  /** @param length How many integers there are: all are below. */
  constructor(length: number) {
    this.#length = length;
    this.#totals = new Float64Array(length);
    this.#scratch = new Uint32Array(4 * length);
  }

  /**
   * Counts in some integers.
   *
   * @throws {RangeError} If one of them is too large.
   */
  add(values: Uint16Array): void {
    const length = this.#length;
    const scratch = this.#scratch.fill(0);
    // Four tables, because counting equal integers in a row in one table waits for memory each time.
    const a = scratch.subarray(0, length);
    const b = scratch.subarray(length, 2 * length);
    const c = scratch.subarray(2 * length, 3 * length);
    const d = scratch.subarray(3 * length);
    const even = values.byteOffset % 4 === 0 ? values.length & ~3 : 0;
    const pairs = new Uint32Array(values.buffer, even > 0 ? values.byteOffset : 0, even / 2);
    for (let index = 0; index < pairs.length; index += 2) {
      const first = pairs[index]!;
      const second = pairs[index + 1]!;
      a[first & 0xffff]!++;
      b[first >>> 16]!++;
      c[second & 0xffff]!++;
      d[second >>> 16]!++;
    }
    for (let index = even; index < values.length; index++) a[values[index]!]!++;
    let counted = 0;
    for (let value = 0; value < length; value++) {
      const count = a[value]! + b[value]! + c[value]! + d[value]!;
      this.#totals[value]! += count;
      counted += count;
    }
    if (counted !== values.length) {
      throw new RangeError(`${values.length - counted} integers are not below ${length}`);
    }
  }

  /** How often each integer occurred. */
  counts(): number[] {
    return [...this.#totals];
  }
}
