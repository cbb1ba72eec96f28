/**
 * What is done with a unit, one thing after another, each kept only if it helps.
 *
 * @module
 */

import type { Model } from "../../onnx/model.ts";
import { correctBiases } from "./bias_correction.ts";
import type { UnitChanges } from "./changes.ts";
import { roundByColumns } from "./gptq/round.ts";
import { learnRoundings, learnSteps } from "./learn.ts";
import type { ItemValues } from "./item_values.ts";
import type { ReconstructionOptions } from "./options.ts";
import type { Prefix } from "./prefix.ts";
import type { TrainingRun } from "./run_training.ts";
import type { Task } from "./selection.ts";

/** Everything that work on a unit takes. */
export interface UnitJob {
  /** The quantized model so far. */
  readonly model: Model;
  readonly reference: Model;
  readonly task: Task;
  readonly own: Prefix;
  readonly float: Prefix;
  /** The loss as the unit was given. */
  readonly loss: number;
  /** Weights of the errors of the unit's output; all alike unless given. */
  readonly importance: ItemValues | undefined;
  /** Biases that may change, by layer. */
  readonly biases: ReadonlyMap<string, Float32Array>;
  readonly seed: number;
  readonly options: ReconstructionOptions;
  readonly signal: AbortSignal;
  /** Where a part of the work that learns reports to. */
  run(part: string): TrainingRun;
}

/** What came of a phase. */
export interface UnitOutcome {
  readonly changes: UnitChanges;
  /** Share of roundings that were undecided at the end. */
  readonly soft?: number;
  readonly steps: number;
}

/** A phase; `undefined` where there is nothing to do. */
export type Phase = (job: UnitJob) => Promise<UnitOutcome | undefined>;

/** The phases of a reconstruction. */
export function phasesOf({ solver, learning }: ReconstructionOptions): Phase[] {
  if (solver === "bias") return [correctBiases];
  if (solver === "gptq") {
    return learning.biasRate > 0 ? [roundByColumns, correctBiases] : [roundByColumns];
  }
  return learning.activations === "after" ? [learnRoundings, learnSteps] : [learnRoundings];
}

/**
 * How many steps of learning a unit has at most.
 *
 * @param hasSteps Whether activations have steps that can be learned.
 */
export function stepsOf({ solver, learning }: ReconstructionOptions, hasSteps: boolean): number {
  if (solver !== "learn") return 0;
  const after = hasSteps && learning.activations === "after" ? learning.activationSteps : 0;
  return learning.steps + after;
}
