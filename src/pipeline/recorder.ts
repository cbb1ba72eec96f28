/**
 * Keeps the record of a run in the store up to date.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { RunRecord, RunStage } from "../store/store.ts";
import type { EventBody } from "./events.ts";
import type { StageOutcome } from "./execute.ts";
import type { Plan } from "./plan.ts";

/** The record of one run. Written when something begins to run, after each stage, and at the end. */
export class RunRecorder {
  readonly #plan: Plan;
  readonly #emit: (event: EventBody) => void;
  readonly #stages: Map<string, RunStage>;
  #record: RunRecord;
  #writing: Promise<void> = Promise.resolve();
  #isUnwritable = false;

  constructor(plan: Plan, run: string, emit: (event: EventBody) => void) {
    const { pipeline } = plan;
    this.#plan = plan;
    this.#emit = emit;
    this.#stages = new Map(
      pipeline.stages.map(({ id, stage }) => [
        id,
        { id, uses: stage.definition.name, status: "pending" },
      ]),
    );
    this.#record = {
      version: 1,
      id: run,
      pipeline: pipeline.name,
      file: pipeline.file,
      started: new Date().toISOString(),
      status: "running",
      inputs: Object.fromEntries(
        [...plan.inputs].map(([name, { record, size }]) => [
          name,
          { kind: record.kind, digest: record.digest, size },
        ]),
      ),
      stages: [],
    };
  }

  /** Notes that a stage begins to work. */
  async begin(id: string, key: string): Promise<void> {
    this.#stages.set(id, { ...this.#stages.get(id)!, status: "running", key });
    await this.#save();
  }

  /** Notes how a stage came out; a hit alone is not worth a write. */
  async end(outcome: StageOutcome): Promise<void> {
    const { id, uses, status, seconds, metrics, key, error } = { ...outcome, id: outcome.stage };
    const outputs = Object.fromEntries(
      Object.entries(outcome.outputs).map(([port, { kind, digest, size }]) => [
        port,
        { kind, digest, size },
      ]),
    );
    this.#stages.set(id, {
      id,
      uses,
      status,
      seconds,
      metrics,
      outputs,
      ...(key !== undefined && { key }),
      ...(error !== undefined && {
        error: error.problems.map(({ message }) => message).join("\n"),
        ...(error.stack !== undefined && { stack: error.stack }),
      }),
    });
    if (status === "ran" || status === "failed") await this.#save();
  }

  async finish(status: RunRecord["status"]): Promise<void> {
    this.#record = { ...this.#record, status, finished: new Date().toISOString() };
    await this.#save();
  }

  /** One write after the other, so that the last one stays. */
  async #save(): Promise<void> {
    const record = { ...this.#record, stages: [...this.#stages.values()] };
    this.#writing = this.#writing.then(() => this.#write(record));
    await this.#writing;
  }

  /** A store that one may only read still gives its results; the run goes without a record then. */
  async #write(record: RunRecord): Promise<void> {
    if (this.#isUnwritable) return;
    try {
      await this.#plan.store.runs.save(record);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#isUnwritable = true;
      this.#emit({ type: "stage.warning", message: `The run is not recorded: ${error.message}` });
    }
  }
}
