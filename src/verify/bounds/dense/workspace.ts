/**
 * Memory that the kernels of a thread work in.
 *
 * @module
 */

import { type Kernels, kernelsOn } from "./kernels.ts";

const PAGE = 65536;

/** Places that pages are asked for at least, so that views are renewed rarely. */
const LEAST_GROWTH = 64 * PAGE;

/** A memory that is handed out from the bottom, and taken back all at once. */
export class Workspace {
  readonly kernels: Kernels;
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  #numbers: Float64Array;
  #integers: Int32Array;
  #used = 0;

  constructor() {
    this.kernels = kernelsOn(this.#memory);
    this.#numbers = new Float64Array(this.#memory.buffer);
    this.#integers = new Int32Array(this.#memory.buffer);
  }

  /** The memory as numbers. Getting more memory ends the view. */
  get numbers(): Float64Array {
    return this.#numbers;
  }

  /** The memory as integers. Getting more memory ends the view. */
  get integers(): Int32Array {
    return this.#integers;
  }

  /** How much is handed out. */
  get mark(): number {
    return this.#used;
  }

  /** Takes back all that was handed out since a mark. */
  release(mark: number): void {
    this.#used = mark;
  }

  /** The address of some bytes, a multiple of 16; what stands there is left over from earlier use. */
  take(bytes: number): number {
    const address = this.#used;
    this.#used += Math.ceil(bytes / 16) * 16;
    const { byteLength } = this.#memory.buffer;
    if (this.#used > byteLength) {
      const missing = Math.max(this.#used - byteLength, LEAST_GROWTH);
      this.#memory.grow(Math.ceil(missing / PAGE));
      this.#numbers = new Float64Array(this.#memory.buffer);
      this.#integers = new Int32Array(this.#memory.buffer);
    }
    return address;
  }
}
