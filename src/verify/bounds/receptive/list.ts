/**
 * A list of numbers that grows, for lists that are made over and over.
 *
 * @module
 */

/** Numbers of one kind. */
export class List<Numbers extends Int32Array | Float64Array> {
  length = 0;
  readonly #make: new (length: number) => Numbers;
  #held: Numbers;

  constructor(make: new (length: number) => Numbers) {
    this.#make = make;
    this.#held = new make(1024);
  }

  /** The numbers; valid until the list grows. */
  get items(): Numbers {
    return this.#held.subarray(0, this.length) as Numbers;
  }

  push(number: number): void {
    if (this.length === this.#held.length) {
      const larger = new this.#make(2 * this.length);
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held[this.length++] = number;
  }

  clear(): void {
    this.length = 0;
  }
}
