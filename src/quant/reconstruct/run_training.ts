/**
 * Running a training to its end while everything else stays alive: progress, checkpoints, interruption.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { CheckpointClock } from "../../engine/training/checkpoint_clock.ts";
import type { TrainingOptions } from "../../engine/training/options.ts";
import { createTrainer, DivergenceError, type Trainer } from "../../engine/training/trainer.ts";
import { type EarlyStop, finishStep, standsStill, windowSteps } from "./early_stop.ts";
import type { SavedState } from "./reconstruct.ts";
import { ERROR } from "./unit_training.ts";

/** What a training run reports to. */
export interface TrainingRun {
  /** Under which its state is saved. */
  readonly name: string;
  /** What messages call it, such as `Unit "conv3..conv6"`. */
  readonly title: string;
  readonly saved: SavedState;
  readonly signal: AbortSignal;
  /** @param rate Steps a second. */
  progress(step: number, loss: number, rate: number): void;
  warn(message: string): void;
}

/** Seconds that the event loop may stand still. */
const CHUNK_SECONDS = 0.2;
/** Most steps a chunk. */
const MOST_STEPS = 200;

/**
 * Runs a training to its end; where it diverges, as far as it went well.
 *
 * @param stop When to go on with the last steps at once.
 * @throws {UserError} If it cannot be differentiated.
 */
export async function runTraining(
  training: TrainingOptions,
  run: TrainingRun,
  stop?: EarlyStop,
): Promise<Trainer> {
  const trainer = await createTrainer(training).catch((error) => {
    throw titled(run.title, error);
  });
  try {
    const saved = await run.saved.load(run.name);
    if (saved !== undefined) trainer.restore(saved);
    await learn(trainer, training.steps, run, stop);
    // What comes next may be interrupted too.
    await run.saved.save(run.name, trainer.checkpoint());
    return trainer;
  } catch (error) {
    if (error instanceof DivergenceError) {
      run.warn(
        `${run.title} stopped after ${trainer.step} of ${training.steps} steps: ` +
          `${error.message}. The best so far is kept; a smaller learning_rate may help`,
      );
      return trainer;
    }
    await trainer[Symbol.asyncDispose]();
    throw error;
  }
}

async function learn(
  trainer: Trainer,
  steps: number,
  run: TrainingRun,
  stop: EarlyStop | undefined,
): Promise<void> {
  const checkpoints = new CheckpointClock(() => run.saved.save(run.name, trainer.checkpoint()));
  let chunk = 2;
  const window = windowSteps(steps);
  const finish = finishStep(steps);
  while (trainer.step < steps) {
    const started = performance.now();
    const first = trainer.step;
    // Looked at after whole windows only, wherever chunks end: chunks depend on time.
    const looks = stop !== undefined && first < finish;
    if (looks && first % window === 0 && standsStill(trainer.history(ERROR), window, stop)) {
      trainer.skipTo(finish);
      continue;
    }
    const next = looks ? Math.min(finish, (Math.floor(first / window) + 1) * window) : steps;
    await trainer.run(Math.min(steps, next, first + chunk), {
      chunk,
      signal: run.signal,
      onChunk: ({ step, monitors }) => {
        const errors = monitors.get(ERROR)!;
        const seconds = (performance.now() - started) / 1000;
        const loss = errors.reduce((sum, value) => sum + value, 0) / errors.length;
        run.progress(step, loss, errors.length / seconds);
      },
    });
    const each = (performance.now() - started) / 1000 / (trainer.step - first);
    chunk = Math.max(1, Math.min(MOST_STEPS, 2 * chunk, Math.floor(CHUNK_SECONDS / each)));
    await checkpoints.tick();
  }
}

function titled(title: string, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(
    error.problems.map(({ message }) => ({
      message: `${title} cannot be reconstructed: ${message}`,
      hint:
        "Choose smaller units, unit: layer, leave its layers out with except, or say method: gptq",
    })),
    { cause: error },
  );
}
