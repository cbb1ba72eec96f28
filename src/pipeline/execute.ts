/**
 * Runs what a plan says has to run.
 *
 * @module
 */

import type { RunEvent, StageEndEvent } from "./events.ts";
import type { Plan } from "./plan.ts";

/** How a plan is executed; nothing of it changes a result. */
export interface ExecuteOptions {
  /** How many stages may run at once; the number of processors unless told. */
  readonly jobs?: number;
  /** Threads that the stages share; the number of processors unless told. */
  readonly threads?: number;
  /** Bytes of memory that the stages' large intermediate data should stay under, together. */
  readonly memory?: number;
  /** Whether stages that do not depend on a failed one go on. */
  readonly keepGoing?: boolean;
  /** Interrupts the run. */
  readonly signal?: AbortSignal;
  /** Told of everything that happens. */
  readonly onEvent?: (event: RunEvent) => void;
  /** `workers`, unless told: each stage in a thread of its own. `inline`: all in this thread, one at a time. */
  readonly executor?: "workers" | "inline";
}

/** How a stage came out. */
export type StageOutcome = Omit<StageEndEvent, "v" | "type" | "time" | "run">;

/** How a run came out. */
export interface RunOutcome {
  /** The run's id, under which the store keeps its record. */
  readonly run: string;
  readonly status: "done" | "failed" | "expectation-failed" | "interrupted";
  /** 0 done, 1 a stage failed, 3 a gate is not met, 130 interrupted. */
  readonly exitCode: 0 | 1 | 3 | 130;
  readonly seconds: number;
  /** In the order of execution. */
  readonly stages: readonly StageOutcome[];
}

/**
 * Executes a plan. A stage that fails is part of the outcome, not an exception.
 *
 * @throws {UserError} If the store cannot be used at all.
 */
export declare function executePlan(plan: Plan, options?: ExecuteOptions): Promise<RunOutcome>;
