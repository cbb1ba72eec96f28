/**
 * The record of each run: history, expected times, and what garbage collection keeps.
 *
 * @module
 */

import type { StoredOutput } from "./actions.ts";
import type { Key } from "./key.ts";

/** A stage of a run. */
export interface RunStage {
  readonly id: string;
  /** The stage's name in the registry. */
  readonly uses: string;
  readonly status: "pending" | "running" | "hit" | "ran" | "failed" | "skipped" | "blocked";
  /** Known once its inputs are. */
  readonly key?: Key;
  readonly seconds?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly outputs?: Readonly<Record<string, StoredOutput>>;
  /** Why it failed; the stack of a defect is in `stack`. */
  readonly error?: string;
  readonly stack?: string;
}

/** A run of a pipeline. */
export interface RunRecord {
  readonly version: 1;
  /** Made by {@linkcode Runs.newId}; ids sort by time. */
  readonly id: string;
  /** The pipeline's name. */
  readonly pipeline: string;
  /** Its file. */
  readonly file: string;
  /** ISO 8601. */
  readonly started: string;
  readonly finished?: string;
  readonly status: "running" | "done" | "failed" | "expectation-failed" | "interrupted";
  /** The pipeline's inputs by name; garbage collection keeps those that are blobs. */
  readonly inputs: Readonly<Record<string, StoredOutput>>;
  readonly stages: readonly RunStage[];
}

/** The run records of a store. */
export interface Runs {
  /** An id for a run that starts now. */
  newId(): string;
  /** Writes a record, replacing the one with the same id. */
  save(record: RunRecord): Promise<void>;
  /** A record by its id or the beginning of one; `undefined` if there is none. */
  read(id: string): Promise<RunRecord | undefined>;
  /** All records, newest first; ones that cannot be read are left out. */
  list(): Promise<RunRecord[]>;
}
