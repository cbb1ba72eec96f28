/**
 * What the stage says while it works.
 *
 * @module
 */

import type { StageContext } from "../../registry/stage.ts";
import type { SearchProgress } from "../../verify/split/options.ts";
import type { WholeProgress } from "../../verify/whole_progress.ts";

/** What is being done. */
type Part = WholeProgress["part"] | "attacking" | "bounding margins";

/** Milliseconds between two reports. */
const LEAST_PAUSE = 50;

/** Reports how far the boxes of a domain are. */
export class Reporter {
  readonly #context: StageContext;
  readonly #boxes: number;
  #box = 0;
  #last = -Infinity;

  constructor(context: StageContext, boxes: number) {
    this.#context = context;
    this.#boxes = boxes;
  }

  /** Goes on to a box; all of them are done where it is one more than there are. */
  begin(box: number): void {
    this.#box = box;
    this.search();
  }

  /** A search that splits the box: the share of its volume that is done. */
  search(state?: SearchProgress): void {
    this.#context.progress({
      phase: "bounding",
      done: this.#box + (state?.settled ?? 0),
      total: this.#boxes,
      unit: "domains",
      ...(state && { values: { bound: state.proven, found: state.found } }),
    });
  }

  /** A part of the work on the box, from 0 to 1. */
  part(part: Part, share: number): void {
    if (this.#isSoon()) return;
    const which = this.#boxes === 1 ? "" : `, domain ${this.#box + 1} of ${this.#boxes}`;
    this.#context.progress({ ...percent(share), phase: part + which });
  }

  /** One of the networks that the largest bound is decomposed by. */
  decomposing(share: number, network: number, of: number): void {
    if (this.#isSoon()) return;
    this.#context.progress({
      ...percent(share),
      phase: of === 1 ? "decomposing" : `decomposing, network ${network} of ${of}`,
    });
  }

  /** The certificate: of a box that is not split, how much is done, else how many parts. */
  certifying(box: number, most: number, parts: number, share: number): void {
    if (this.#isSoon()) return;
    const whole = { phase: "certifying", total: this.#boxes, unit: "domains" };
    if (most === 1) this.#context.progress({ ...whole, done: round(box + share) });
    else this.#context.progress({ ...whole, done: box, values: { parts } });
  }

  /** Whether something was said just before: work that is told in small steps need not be told more often. */
  #isSoon(): boolean {
    const now = performance.now();
    if (now - this.#last < LEAST_PAUSE) return true;
    this.#last = now;
    return false;
  }
}

/** In tenths, so that a rate can be told of slow parts. */
function percent(share: number) {
  return { done: Math.round(1000 * share) / 10, total: 100, unit: "%" };
}

function round(count: number): number {
  return Math.round(1000 * count) / 1000;
}
