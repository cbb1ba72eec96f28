/**
 * Runs what a plan says has to run.
 *
 * @module
 */

import { builtInStages } from "../stages/mod.ts";
import { type EventBody, EVENTS_VERSION, type RunEvent, type StageEndEvent } from "./events.ts";
import { type Executor, InlineExecutor, WorkerExecutor } from "./executor.ts";
import { UserError } from "../base/errors.ts";
import { importLater } from "../base/import_later.ts";
import type { SigningKey } from "../base/signature.ts";
import type { RunRecord } from "../store/store.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Plan } from "./plan.ts";
import { RunRecorder } from "./recorder.ts";
import { Scheduler } from "./scheduler.ts";

/** How a plan is executed; nothing of it changes a result. */
export interface ExecuteOptions {
  /** How many stages may run at once; the number of processors unless told. */
  readonly jobs?: number;
  /** Threads that the stages share; the number of processors unless told. */
  readonly threads?: number;
  /** Bytes of memory that the stages' large intermediate data should stay under, together; 1 GiB unless told. */
  readonly memory?: number;
  /** Whether stages that do not depend on a failed one go on. */
  readonly keepGoing?: boolean;
  /** Interrupts the run. */
  readonly signal?: AbortSignal;
  /** Signs the provenance of what is exported. */
  readonly key?: SigningKey;
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
  /** What the store keeps of the run. */
  readonly record: RunRecord;
}

const EXIT_CODES = { "done": 0, "failed": 1, "expectation-failed": 3, "interrupted": 130 } as const;

/**
 * Executes a plan. A stage that fails is part of the outcome, not an exception.
 *
 * @throws {UserError} If the store cannot be used at all.
 */
export async function executePlan(plan: Plan, options: ExecuteOptions = {}): Promise<RunOutcome> {
  const { pipeline, store } = plan;
  const processors = navigator.hardwareConcurrency;
  const inline = options.executor === "inline";
  if (!inline) requireSendable(pipeline);
  const jobs = inline ? 1 : positive("jobs", options.jobs ?? processors);
  const signal = options.signal ?? new AbortController().signal;
  const run = store.runs.newId();
  const started = performance.now();
  const emit = (event: EventBody) => {
    const time = new Date().toISOString();
    options.onEvent?.({ v: EVENTS_VERSION, time, run, ...event } as RunEvent);
  };
  const recorder = new RunRecorder(plan, run, emit);
  let executor: Executor | undefined;
  const scheduler = new Scheduler(plan, {
    run,
    jobs,
    threads: positive("threads", options.threads ?? processors),
    memory: positive("memory", options.memory ?? 2 ** 30),
    keepGoing: options.keepGoing ?? false,
    signal,
    emit,
    recorder,
    executor: () =>
      executor ??= inline ? new InlineExecutor(pipeline.registry, store) : new WorkerExecutor(),
  });
  emit({
    type: "run.start",
    pipeline: pipeline.name,
    file: pipeline.file,
    seed: pipeline.seed,
    jobs,
    stages: scheduler.describe(),
  });
  try {
    const outcomes = await scheduler.run();
    const { stages, isWritten } = await tellProvenance(
      plan,
      outcomes,
      options.key,
      recorder,
      emit,
    );
    const status = signal.aborted ? "interrupted" : isWritten ? statusOf(stages) : "failed";
    const seconds = (performance.now() - started) / 1000;
    await recorder.finish(status);
    emit({ type: "run.end", status, seconds });
    return { run, status, exitCode: EXIT_CODES[status], seconds, stages, record: recorder.record };
  } finally {
    executor?.close();
  }
}

/** Says beside each exported file what it was made from; the outcomes tell of it. */
async function tellProvenance(
  plan: Plan,
  stages: readonly StageOutcome[],
  key: SigningKey | undefined,
  recorder: RunRecorder,
  emit: (event: EventBody) => void,
): Promise<{ stages: readonly StageOutcome[]; isWritten: boolean }> {
  if (stages.every(({ published }) => published.length === 0)) return { stages, isWritten: true };
  try {
    const { stateProvenance } = await importLater<typeof import("./provenance/state.ts")>(
      import.meta.resolve("./provenance/state.ts"),
    );
    const written = await stateProvenance(plan, stages, key);
    for (const [id, published] of written) {
      recorder.publish(id, published);
      emit({ type: "stage.provenance", stage: id, ...published });
    }
    const told = stages.map((outcome) => {
      const more = written.get(outcome.stage);
      return more === undefined ? outcome : { ...outcome, published: [...outcome.published, more] };
    });
    return { stages: told, isWritten: true };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    emit({ type: "stage.warning", message: error.message });
    return { stages, isWritten: false };
  }
}

function statusOf(stages: readonly StageOutcome[]): "done" | "failed" | "expectation-failed" {
  if (stages.some(({ status }) => status !== "hit" && status !== "ran")) return "failed";
  const unmet = stages.some(({ expects }) => expects.some(({ met }) => !met));
  return unmet ? "expectation-failed" : "done";
}

/** A Worker finds stages by their name or their plugin; a definition that only this thread has is out of reach. */
function requireSendable({ stages }: Pipeline): void {
  for (const { stage: { definition, plugin } } of stages) {
    if (plugin !== undefined || builtInStages.includes(definition)) continue;
    throw new TypeError(
      `Stage "${definition.name}" is neither built in nor of a plugin: it can only run inline`,
    );
  }
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`${name} must be an integer of at least 1: current value is ${value}`);
}
