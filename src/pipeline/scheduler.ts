/**
 * Starts each stage when what it takes is there, as many at once as may.
 *
 * @module
 */

import type { Keyed, StoredAction } from "../store/store.ts";
import { Artifacts, keyOfStage } from "./artifacts.ts";
import type { EventBody, GateResult, Published, RunStartEvent, StageFailure } from "./events.ts";
import type { StageOutcome } from "./execute.ts";
import type { Executor } from "./executor.ts";
import { evaluateGate } from "./gate.ts";
import { failureOf, type Job, type JobResult } from "./job.ts";
import { dependencies, type PipelineStage } from "./pipeline.ts";
import type { Plan, PlannedStage } from "./plan.ts";
import { isResultOf } from "./outputs.ts";
import { isPublishing, publish } from "./publish.ts";
import type { RunRecorder } from "./recorder.ts";
import { hindrances, judgesOf } from "./release.ts";
import { Slots } from "./slots.ts";

/** What a scheduler needs besides the plan. */
export interface SchedulerOptions {
  readonly run: string;
  readonly jobs: number;
  readonly threads: number;
  readonly memory: number;
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  readonly emit: (event: EventBody) => void;
  readonly recorder: RunRecorder;
  /** Made when first asked for: a run of hits needs none. */
  readonly executor: () => Executor;
}

/** How far a stage got. */
type Attempt =
  | { readonly status: "hit" | "ran"; readonly key: string; readonly seconds: number } & JobResult
  | {
    readonly status: "failed";
    readonly key?: string;
    readonly seconds: number;
    readonly error: StageFailure;
  }
  | { readonly status: "skipped" | "blocked"; readonly key?: string };

/** What is known of a stage before it publishes anything. */
interface Judged {
  readonly attempt: Attempt;
  readonly expects: GateResult[];
}

/** Carries out one plan. */
export class Scheduler {
  readonly #plan: Plan;
  readonly #options: SchedulerOptions;
  readonly #artifacts: Artifacts;
  readonly #slots: Slots;
  readonly #outcomes = new Map<string, StageOutcome>();
  /** Stages that have a result, and whose own gates are met. */
  readonly #met = new Set<string>();
  #hasFailed = false;
  #inputsKept: Promise<void> | undefined;

  constructor(plan: Plan, options: SchedulerOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#slots = new Slots(options.jobs);
    this.#artifacts = new Artifacts(plan.store);
    for (const [name, { record }] of plan.inputs) {
      this.#artifacts.add({ from: "inputs", name }, record);
    }
  }

  /** The stages as `run.start` tells them. */
  describe(): RunStartEvent["stages"] {
    return this.#plan.pipeline.stages.map((stage) => ({
      id: stage.id,
      uses: stage.stage.definition.name,
      after: dependencies(stage),
    }));
  }

  /** Runs everything; the outcomes are in the order of execution. */
  async run(): Promise<StageOutcome[]> {
    for (const { stage, status, reason, key, expected } of this.#plan.stages) {
      this.#options.emit({
        type: "stage.plan",
        stage: stage.id,
        status,
        reason,
        ...(key !== undefined && { key }),
        ...(expected !== undefined && { expected }),
      });
    }
    const ended: Promise<void>[] = [];
    // What a stage with judges made is there for others before they have spoken: they may wait for those others.
    const ready = new Map<string, Promise<unknown>>();
    for (const planned of this.#plan.stages) {
      const { stage } = planned;
      const before = dependencies(stage).map((id) => ready.get(id)!);
      const judges = judgesOf(stage, this.#plan.pipeline);
      const judged = Promise.all(before).then(() => this.#stage(planned));
      const end = judged.then(async (known) => {
        await this.#await(stage, judges, ready);
        await this.#finish(stage, known, judges);
      });
      ready.set(stage.id, judges.length === 0 ? end : judged);
      ended.push(end);
    }
    await Promise.all(ended);
    return this.#plan.stages.map(({ stage }) => this.#outcomes.get(stage.id)!);
  }

  async #stage(planned: PlannedStage): Promise<Judged> {
    const { stage } = planned;
    let attempt: Attempt;
    try {
      attempt = await this.#attempt(planned);
    } catch (error) {
      attempt = this.#options.signal.aborted
        ? { status: "skipped" }
        : { status: "failed", seconds: 0, error: failureOf(error) };
    }
    if (attempt.status === "failed") this.#hasFailed = true;
    if (!("outputs" in attempt)) return { attempt, expects: [] };
    this.#artifacts.addOutputs(stage.id, attempt.outputs);
    const { metrics } = attempt;
    const expects = stage.gates.map((gate) => evaluateGate(gate, metrics));
    if (expects.every(({ met }) => met)) this.#met.add(stage.id);
    return { attempt, expects };
  }

  async #await(
    { id }: PipelineStage,
    judges: readonly string[],
    ready: ReadonlyMap<string, Promise<unknown>>,
  ): Promise<void> {
    if (judges.length === 0) return;
    const total = judges.length;
    const phase = "waiting for expectations";
    this.#options.emit({
      type: "stage.progress",
      stage: id,
      phase,
      done: 0,
      total,
      unit: "stages",
    });
    await Promise.all(judges.map((judge) => ready.get(judge)));
  }

  async #finish(
    stage: PipelineStage,
    { attempt, expects }: Judged,
    judges: readonly string[],
  ): Promise<void> {
    let published: Published[] = [];
    if ("outputs" in attempt) {
      try {
        published = await this.#publish(stage, attempt, judges);
      } catch (error) {
        attempt = { ...attempt, status: "failed", error: failureOf(error) };
        this.#hasFailed = true;
      }
    }
    await this.#end(stage, attempt, expects, published);
  }

  /** Gets the stage's result, from the store or by running the stage. */
  async #attempt(planned: PlannedStage): Promise<Attempt> {
    const { stage, action, status } = planned;
    const { store, pipeline, forced } = this.#plan;
    const { signal, emit } = this.#options;
    if (action !== undefined) return hit(action);
    const keyed = await keyOfStage(stage, this.#artifacts, pipeline.seed);
    if (keyed === undefined) return { status: signal.aborted ? "skipped" : "blocked" };
    const lookup = async () =>
      forced.has(stage.id) ? undefined : fitting(stage, (await store.lookup(keyed.key)).action);
    if (status === "blocked") {
      const found = await lookup();
      if (found !== undefined) return hit(found);
    }
    using slot = await this.#slots.take(signal);
    if (this.#mayNotStart()) return { status: "skipped", key: keyed.key };
    await using _lock = await store.lock(keyed.key, {
      signal,
      onWait: () =>
        emit({
          type: "stage.warning",
          stage: stage.id,
          message: "Waiting for the same stage, which is running already",
        }),
    });
    const found = await lookup();
    if (found !== undefined) return hit(found);
    return await this.#execute(stage, keyed, slot.share);
  }

  #mayNotStart(): boolean {
    return this.#options.signal.aborted || (this.#hasFailed && !this.#options.keepGoing);
  }

  /** Runs the stage and records its result. */
  async #execute(stage: PipelineStage, keyed: Keyed, share: number): Promise<Attempt> {
    const { signal, emit, recorder, run, executor } = this.#options;
    const { key } = keyed;
    await (this.#inputsKept ??= this.#keepInputs());
    const job = this.#job(stage, keyed, share);
    emit({ type: "stage.start", stage: stage.id, key, threads: job.threads });
    await recorder.begin(stage.id, key);
    const started = performance.now();
    const outcome = await executor().run(job, {
      signal,
      progress: (progress) => emit({ type: "stage.progress", stage: stage.id, ...progress }),
      warn: (message) => emit({ type: "stage.warning", stage: stage.id, message }),
    });
    const seconds = (performance.now() - started) / 1000;
    if ("failure" in outcome) return { status: "failed", key, seconds, error: outcome.failure };
    const { result } = outcome;
    const finished = new Date().toISOString();
    await this.#plan.store.record(keyed, { ...result, seconds, run, finished });
    return { status: "ran", key, seconds, ...result };
  }

  #job(stage: PipelineStage, { key }: Keyed, share: number): Job {
    const { plugin, definition } = stage.stage;
    const { pipeline, store, inputs } = this.#plan;
    return {
      stage: definition.name,
      key,
      parameters: stage.parameters,
      inputs: [...stage.inputs].map(([port, source]) => [port, this.#artifacts.get(source)!]),
      files: new Map([...inputs.values()].flatMap(({ files }) => [...files])),
      seed: pipeline.seed,
      threads: Math.max(1, Math.floor(this.#options.threads / share)),
      memory: Math.max(1, Math.floor(this.#options.memory / share)),
      store: store.root,
      ...(plugin !== undefined && { plugin }),
    };
  }

  /** Inputs that are descriptions become files when the first stage runs. */
  async #keepInputs(): Promise<void> {
    for (const { bytes } of this.#plan.inputs.values()) {
      if (bytes !== undefined) await this.#plan.store.putBlob(bytes);
    }
  }

  /** Copies outputs to where users want them, unless a gate says that they are not good enough. */
  async #publish(
    stage: PipelineStage,
    { outputs }: JobResult,
    judges: readonly string[],
  ): Promise<Published[]> {
    const { pipeline, store } = this.#plan;
    if (!isPublishing(stage, pipeline)) return [];
    const [hindrance] = hindrances(stage, judges, pipeline, this.#met);
    if (hindrance === undefined) return await publish(stage, pipeline, outputs, store);
    if (!this.#options.signal.aborted) {
      const isJudged = (this.#outcomes.get(hindrance)?.expects ?? []).length > 0;
      const why = isJudged || hindrance === stage.id ? "is not as expected" : "has no result";
      const message = `Nothing is written: "${hindrance}" ${why}`;
      this.#options.emit({ type: "stage.warning", stage: stage.id, message });
    }
    return [];
  }

  async #end(
    { id, stage, place }: PipelineStage,
    attempt: Attempt,
    expects: GateResult[],
    published: Published[],
  ): Promise<void> {
    const { store } = this.#plan;
    const result = "outputs" in attempt ? attempt : undefined;
    const outcome: StageOutcome = {
      stage: id,
      uses: stage.definition.name,
      status: attempt.status,
      seconds: "seconds" in attempt ? attempt.seconds : 0,
      metrics: { ...result?.metrics },
      outputs: Object.fromEntries(
        Object.entries(result?.outputs ?? {}).map(([port, { kind, digest, size }]) => [
          port,
          { kind, digest, size, path: store.blobPath(digest) },
        ]),
      ),
      expects,
      warnings: [...result?.warnings ?? []],
      published,
      ...(attempt.key !== undefined && { key: attempt.key }),
      ...("error" in attempt && { error: placed(attempt.error, place) }),
    };
    this.#outcomes.set(id, outcome);
    await this.#options.recorder.end(outcome);
    this.#options.emit({ type: "stage.end", ...outcome });
  }
}

function fitting(
  stage: PipelineStage,
  action: StoredAction | undefined,
): StoredAction | undefined {
  return action !== undefined && isResultOf(stage, action) ? action : undefined;
}

function hit({ key, outputs, metrics, warnings, seconds }: StoredAction): Attempt {
  return { status: "hit", key, seconds, outputs, metrics, warnings };
}

/** What a stage complains of, or throws, without saying where is in the pipeline's entry for it. */
function placed(failure: StageFailure, place: PipelineStage["place"]): StageFailure {
  return {
    ...failure,
    problems: failure.problems.map((problem) => ({ ...problem, place: problem.place ?? place })),
  };
}
