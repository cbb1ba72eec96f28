/**
 * Timing sessions in turns.
 *
 * @module
 */

import { openSession, type Session } from "../../engine/session.ts";
import { zeros } from "../../engine/zeros.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** A session and what it is fed. */
interface Timed {
  readonly session: Session;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** A sample takes at least this long, so that the clock's steps do not matter. */
const SAMPLE_MS = 0.5;

/**
 * The median time of one run of each session, in microseconds. Sessions take turns, so that what slows the machine
 * down slows all of them.
 */
async function medianTimes(
  timed: readonly Timed[],
  runs: number,
  signal: AbortSignal,
): Promise<number[]> {
  const counts: number[] = [];
  for (const { session, feeds } of timed) {
    await session.run(feeds);
    const start = performance.now();
    await session.run(feeds);
    const once = performance.now() - start;
    counts.push(Math.max(1, Math.ceil(SAMPLE_MS / Math.max(once, 1e-3))));
  }
  const samples: number[][] = timed.map(() => []);
  for (let run = 0; run < runs; run++) {
    signal.throwIfAborted();
    for (const [index, { session, feeds }] of timed.entries()) {
      const count = counts[index]!;
      const start = performance.now();
      for (let each = 0; each < count; each++) await session.run(feeds);
      samples[index]!.push((performance.now() - start) / count * 1000);
    }
  }
  return samples.map((all) => all.sort((a, b) => a - b)[all.length >> 1]!);
}

/** Sessions that are open at the same time, and take turns when they are timed. */
export class TimedSessions implements AsyncDisposable {
  readonly #all: Timed[] = [];

  /**
   * Opens a model, as it is deployed.
   *
   * @param shapes Of inputs whose own shape is not fixed.
   * @returns Its place among the medians.
   */
  async open(
    model: Model,
    threads: number,
    shapes: ReadonlyMap<string, readonly number[]> = new Map(),
  ): Promise<number> {
    const session = await openSession(model, { arithmetic: "integer", threads });
    const feeds: Record<string, Tensor> = {};
    for (const { name, type, dims } of session.inputs) {
      feeds[name] = zeros(type!, shapes.get(name) ?? (dims ?? []).map((dim) => Number(dim)));
    }
    return this.#all.push({ session, feeds }) - 1;
  }

  /** The median time of one run of each session, in microseconds. */
  medians(runs: number, signal: AbortSignal): Promise<number[]> {
    return medianTimes(this.#all, runs, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.#all) await session[Symbol.asyncDispose]();
  }
}
