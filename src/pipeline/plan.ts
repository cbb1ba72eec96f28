/**
 * What a run would do: per stage, whether its result is in the store already.
 *
 * @module
 */

import type { Key, Store, StoredAction } from "../store/store.ts";
import type { Artifact } from "../registry/artifact.ts";
import type { Pipeline, PipelineStage } from "./pipeline.ts";

/** What is known of a stage before anything ran. */
export interface PlannedStage {
  readonly stage: PipelineStage;
  /**
   * `hit`: its result is in the store. `run`: it has to run. `blocked`: an earlier stage has to run first, and only
   * then its key, and so whether it has to run, is known.
   */
  readonly status: "hit" | "run" | "blocked";
  /** One line for people. */
  readonly reason: string;
  /** Known once all inputs are. */
  readonly key?: Key;
  /** The stored result of a hit. */
  readonly action?: StoredAction;
  /** Seconds that it took last time, where known. */
  readonly expected?: number;
}

/** A plan. */
export interface Plan {
  readonly pipeline: Pipeline;
  readonly store: Store;
  /** The pipeline's inputs by name, with their digests. */
  readonly inputs: ReadonlyMap<string, Artifact>;
  /** In the order of execution. */
  readonly stages: readonly PlannedStage[];
}

/** How a plan is made. */
export interface PlanOptions {
  /** Ids of stages that are to run even if their results are there. */
  readonly force?: readonly string[];
}

/**
 * Digests the pipeline's inputs and looks every stage up in the store.
 *
 * @throws {UserError} With every problem of the inputs: missing files, wrong formats.
 */
export declare function planPipeline(
  pipeline: Pipeline,
  store: Store,
  options?: PlanOptions,
): Promise<Plan>;
