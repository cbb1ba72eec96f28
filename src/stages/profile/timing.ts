/**
 * Timing sessions in turns.
 *
 * @module
 */

import type { Session } from "../../engine/session.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** A session and what it is fed. */
export interface Timed {
  readonly session: Session;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** A sample takes at least this long, so that the clock's steps do not matter. */
const SAMPLE_MS = 0.5;

/**
 * The median time of one run of each session, in microseconds. Sessions take turns, so that what slows the machine
 * down slows all of them.
 */
export async function medianTimes(
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
