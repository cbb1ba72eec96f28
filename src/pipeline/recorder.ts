/**
 * Keeps the record of a run in the store up to date.
 *
 * @module
 */

import { resolve } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { RUNTIME_VERSION } from "../engine/identity.ts";
import type { RunInput, RunMetric, RunPublication, RunRecord, RunStage } from "../store/store.ts";
import type { EventBody } from "./events.ts";
import type { StageOutcome } from "./execute.ts";
import { type Pipeline, sourceName } from "./pipeline.ts";
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
      plan.stages.map(({ stage: { id, stage, inputs }, reason }) => [id, {
        id,
        uses: stage.definition.name,
        status: "pending",
        inputs: Object.fromEntries(Array.from(inputs, ([port, from]) => [port, sourceName(from)])),
        reason,
      }]),
    );
    this.#record = {
      version: 2,
      id: run,
      pipeline: pipeline.name,
      ...(pipeline.description !== undefined && { description: pipeline.description }),
      file: pipeline.file,
      ...(pipeline.source !== undefined && { source: pipeline.source }),
      settings: pipeline.settings,
      seed: pipeline.seed,
      versions: { bitbound: VERSION, deno: Deno.version.deno, onnxruntime: RUNTIME_VERSION },
      started: new Date().toISOString(),
      status: "running",
      inputs: inputsOf(plan),
      stages: [...this.#stages.values()],
      metrics: metricsOfPlugins(pipeline),
    };
  }

  /** The record as it is now. */
  get record(): RunRecord {
    return { ...this.#record, stages: [...this.#stages.values()] };
  }

  /** Notes that a stage begins to work. */
  async begin(id: string, key: string): Promise<void> {
    this.#stages.set(id, {
      ...this.#stages.get(id)!,
      status: "running",
      key,
      started: new Date().toISOString(),
    });
    await this.#save();
  }

  /** Notes how a stage came out; a hit alone is not worth a write. */
  async end(outcome: StageOutcome): Promise<void> {
    const { stage: id, status, seconds, metrics, key, error } = outcome;
    const { expects, warnings, published } = outcome;
    const outputs = Object.fromEntries(
      Object.entries(outcome.outputs).map(([port, { kind, digest, size }]) => [
        port,
        { kind, digest, size },
      ]),
    );
    this.#stages.set(id, {
      ...this.#stages.get(id)!,
      status,
      seconds,
      metrics,
      outputs,
      expects,
      warnings,
      published,
      ...(key !== undefined && { key }),
      ...(error !== undefined && {
        error: error.problems.map(({ message }) => message).join("\n"),
        ...(error.stack !== undefined && { stack: error.stack }),
      }),
    });
    if (status === "ran" || status === "failed") await this.#save();
  }

  /** Notes what was published of a stage after its end. */
  publish(id: string, publication: RunPublication): void {
    const stage = this.#stages.get(id)!;
    this.#stages.set(id, { ...stage, published: [...stage.published ?? [], publication] });
  }

  async finish(status: RunRecord["status"]): Promise<void> {
    this.#record = { ...this.#record, status, finished: new Date().toISOString() };
    await this.#save();
  }

  /** One write after the other, so that the last one stays. */
  async #save(): Promise<void> {
    const { record } = this;
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

function inputsOf({ inputs, pipeline }: Plan): Record<string, RunInput> {
  return Object.fromEntries(
    Array.from(inputs, ([name, { record, size, bytes }]) => {
      const { kind, digest, path, external } = record;
      return [name, {
        kind,
        digest,
        size,
        spec: pipeline.inputs.get(name)!.spec,
        ...(bytes === undefined && { path: resolve(path) }),
        ...(external !== undefined && { external }),
      }];
    }),
  );
}

/** Definitions that nothing but the plugins know. */
function metricsOfPlugins({ stages }: Pipeline): Record<string, Record<string, RunMetric>> {
  return Object.fromEntries(
    stages.flatMap(({ stage: { definition, plugin } }) =>
      plugin === undefined ? [] : [[definition.name, { ...definition.metrics }]]
    ),
  );
}
