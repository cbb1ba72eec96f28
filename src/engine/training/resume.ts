/**
 * Running a training to its end with its state saved now and then.
 *
 * @module
 */

import type { ChunkResult, Trainer } from "./trainer.ts";

/** Where states are kept; what was saved last is what is loaded. */
export interface StateStore {
  load(name: string): Promise<Uint8Array | undefined>;
  save(name: string, bytes: Uint8Array): Promise<void>;
}

/** How a run is watched and saved. */
export interface ResumeOptions {
  /** Under which its state is kept. */
  readonly name: string;
  readonly store: StateStore;
  readonly signal: AbortSignal;
  readonly onChunk: (result: ChunkResult) => void;
}

/** Milliseconds between states. */
const INTERVAL = 10_000;

/**
 * Goes on where the saved state was, to the end.
 *
 * @throws {DivergenceError} If the loss is no number.
 */
export async function runResumed(
  trainer: Trainer,
  { name, store, signal, onChunk }: ResumeOptions,
): Promise<void> {
  const saved = await store.load(name);
  if (saved !== undefined) trainer.restore(saved);
  let lastSave = performance.now();
  await trainer.run(undefined, {
    signal,
    async onChunk(result) {
      onChunk(result);
      if (performance.now() - lastSave < INTERVAL && !signal.aborted) return;
      await store.save(name, trainer.checkpoint());
      lastSave = performance.now();
    },
  });
}
