/**
 * Pauses in long computations: to say how far they are, and to hear that they are to end.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { ValueNumber } from "../network/network.ts";
import type { RowView } from "./graphs/backward.ts";

/** Which rows are being bounded, and how many of them are. */
export interface RowProgress {
  readonly target: ValueNumber;
  readonly view: RowView;
  readonly done: number;
  readonly total: number;
}

/** Who wants to know. */
export interface Watch {
  /** Throws to end the computation. */
  readonly check?: () => void;
  readonly progress?: (rows: RowProgress) => void;
}

/** Milliseconds of work without a pause. */
const PAUSE = 50;

/** The pauses of one thread. */
export class Pauses {
  readonly #watch: Watch;
  #last = performance.now();

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** Whether it is time for a pause. */
  get isDue(): boolean {
    return performance.now() - this.#last > PAUSE;
  }

  /** Lets signals and messages in, and says how far rows are. */
  async take(rows: RowProgress): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#watch.check?.();
    this.#watch.progress?.(rows);
    this.#last = performance.now();
  }
}
