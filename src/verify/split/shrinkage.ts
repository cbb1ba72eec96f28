/**
 * How much splits have helped so far, and how many boxes that leaves.
 *
 * @module
 */

/** Counts splits. */
export class Shrinkage {
  #count: number;
  #sum: number;

  /** @param state How many times a split made the excess smaller, and by what sum of logarithms. */
  constructor([count, sum]: readonly [count: number, sum: number] = [0, 0]) {
    this.#count = count;
    this.#sum = sum;
  }

  get state(): readonly [count: number, sum: number] {
    return [this.#count, this.#sum];
  }

  /** Notes the excess of a box and of one of its halves; 0 where there is none. */
  note(before: number, after: number): void {
    if (!(before > 1)) return;
    this.#count++;
    this.#sum += Math.log(before / Math.max(after, 1));
  }

  /**
   * How many boxes are left: each split makes the excess of a box smaller by what it did on average so far, and boxes
   * double with every one. Infinite where splitting has not helped yet.
   */
  left(excesses: Iterable<number>): number {
    let left = 0;
    for (const excess of excesses) {
      if (excess > 0) left += 2 * (2 ** (Math.log(excess) * this.#count / this.#sum) - 1);
    }
    return left > 0 && !(this.#sum > 0) ? Infinity : Math.round(left);
  }
}
