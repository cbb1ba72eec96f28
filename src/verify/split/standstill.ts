/**
 * Whether splitting still helps.
 *
 * Where activations are rounded, parts of a box are hardly tighter than the whole of it until they are so small that
 * nearly all neurons stay on one level: there are more such parts than any machine can look at.
 *
 * @module
 */

/** How far a search was when it last got on. */
export type Mark = readonly [boxes: number, excess: number, settled: number];

/** Boxes that a search may have at least. */
const LEAST = 2 ** 15;

/**
 * How many times the boxes that it had when it last got on a search may have. Some get on after five times as many: ACAS Xu
 * 4_2 on property 3, with 8-bit weights.
 */
const PATIENCE = 16;

/** To get on is to make the worst excess smaller by such a share, or the volume that is not settled. */
const STEP = 0.01;

/** Looks on. */
export class Standstill {
  #mark: Mark;

  constructor(mark: Mark = [0, Infinity, 0]) {
    this.#mark = mark;
  }

  get mark(): Mark {
    return this.#mark;
  }

  /**
   * Notes how far a search is.
   *
   * @param excess How many times its goal the worst bound is.
   * @param settled The share of the volume that is done.
   */
  note(boxes: number, excess: number, settled: number): void {
    const [, worst, done] = this.#mark;
    if (excess < (1 - STEP) * worst || 1 - settled < (1 - STEP) * (1 - done)) {
      this.#mark = [boxes, excess, settled];
    }
  }

  /** Whether a search of so many boxes has not got on for long. */
  is(boxes: number): boolean {
    return boxes >= Math.max(LEAST, PATIENCE * this.#mark[0]);
  }
}
