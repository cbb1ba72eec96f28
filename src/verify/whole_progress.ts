/**
 * How far a box is that is bounded as a whole.
 *
 * @module
 */

import type { RowView } from "./bounds/graphs/backward.ts";
import { rowWork, VIEW_WORK } from "./bounds/row_work.ts";
import type { RowProgress } from "./bounds/watch.ts";
import { type PairedNetwork, sizeOf, type ValueNumber } from "./network/network.ts";

/** What is being done with a box. */
export interface WholeProgress {
  readonly part: "bounding" | "choosing slopes" | "comparing with the merged network";
  /** Of its work, as if the signs of all neurons were open: from 0 to 1, and never less than before. */
  readonly share: number;
}

/** Rows of inner neurons by their view, in the order in which they are bounded. */
const VIEWS = ["z", "joint", "y"] as const;

/** The work of one pass over all neurons, by value and view. */
export class PassMeter {
  /** What is done when rows begin, and when they are done. */
  readonly #spans = new Map<string, readonly [from: number, to: number]>();
  #total = 0;

  /**
   * @param targets Values whose neurons have rows, in their order.
   * @param differences Whether differences have rows too.
   */
  constructor(network: PairedNetwork, targets: Iterable<ValueNumber>, differences: boolean) {
    for (const target of targets) {
      const work = sizeOf(network, target) * (1 + rowWork(network, target));
      for (const view of VIEWS) {
        if (view === "joint" && !differences) continue;
        const from = this.#total;
        this.#total += VIEW_WORK[view] * work;
        this.#spans.set(nameOf(target, view), [from, this.#total]);
      }
    }
  }

  /** The share of the pass that is done; rows of the output are what is left. */
  share({ target, view, done, total }: RowProgress): number {
    const span = this.#spans.get(nameOf(target, view));
    if (span === undefined) return 1;
    const [from, to] = span;
    return (from + (to - from) * Math.min(done / total, 1)) / this.#total;
  }
}

function nameOf(target: ValueNumber, view: RowView): string {
  return `${target} ${view}`;
}
