/**
 * What a run would do: per stage, whether its result is in the store already.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { ArtifactRecord } from "../registry/kinds.ts";
import type { Key, KeyManifest, Lookup, Store, StoredAction } from "../store/store.ts";
import { Artifacts, keyOfKnown } from "./artifacts.ts";
import { describeChanges } from "./changes.ts";
import { chooseStages } from "./choose.ts";
import { type History, type LastTime, readHistory } from "./history.ts";
import { type ResolvedInput, resolveInputs } from "./inputs.ts";
import { someOf } from "./names.ts";
import { isResultOf } from "./outputs.ts";
import { dependencies, type Pipeline, type PipelineStage } from "./pipeline.ts";
import { publishingProblems } from "./publish.ts";

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
  /** What the key is made of; without what is not known yet. */
  readonly manifest: KeyManifest;
  /** The last result of a stage with this id in a run of this pipeline, where it did not have the same key. */
  readonly last?: LastTime;
  /** The stored result of a hit. */
  readonly action?: StoredAction;
  /** Seconds that it took last time, where known. */
  readonly expected?: number;
}

/** An input of the pipeline, found and digested. */
export interface PlannedInput extends ResolvedInput {
  readonly record: ArtifactRecord;
}

/** A plan. */
export interface Plan {
  readonly pipeline: Pipeline;
  readonly store: Store;
  /** The pipeline's inputs by name. */
  readonly inputs: ReadonlyMap<string, PlannedInput>;
  /** In the order of execution. */
  readonly stages: readonly PlannedStage[];
  /** Stages that run whatever is in the store. */
  readonly forced: ReadonlySet<string>;
}

/** How a plan is made. */
export interface PlanOptions {
  /** Stages that are to run even if their results are there: ids, or addresses of items. */
  readonly force?: readonly string[];
  /** Only look: what is in the remote store is left there, so that the plan cannot be executed. */
  readonly peek?: boolean;
}

/**
 * Digests the pipeline's inputs and looks every stage up in the store.
 *
 * @throws {UserError} With every problem of the inputs: missing files, wrong formats.
 */
export async function planPipeline(
  pipeline: Pipeline,
  store: Store,
  options: PlanOptions = {},
): Promise<Plan> {
  const message = (text: string) => `There is no stage "${text}" to force`;
  const { ids: forced, problems: unknown } = chooseStages(
    pipeline.stages,
    options.force ?? [],
    message,
  );
  if (unknown.length > 0) throw new UserError(unknown);
  const { inputs: resolved, problems } = await resolveInputs(
    pipeline.inputs.values(),
    pipeline.directory,
    (path) => store.fileDigest(path),
    pipeline.placeOf,
  );
  const all = [...problems, ...publishingProblems(pipeline, resolved)];
  if (all.length > 0) throw new UserError(all);
  const inputs = new Map([...resolved].map(([name, input]) => {
    const path = input.record.path ?? store.blobPath(input.record.digest);
    return [name, { ...input, record: { ...input.record, path } }];
  }));
  const artifacts = new Artifacts(store);
  for (const [name, { record }] of inputs) artifacts.add({ from: "inputs", name }, record);
  const stages = await planStages(pipeline, artifacts, {
    forced,
    lookup: (key) => store.lookup(key, { peek: options.peek ?? false }),
    history: () => readHistory(store, pipeline.name, pipeline.stages.map(({ id }) => id)),
  });
  return { pipeline, store, inputs, stages, forced };
}

/** What {@linkcode planStages} asks the outside. */
export interface PlanningContext {
  readonly forced: ReadonlySet<string>;
  readonly lookup: (key: Key) => Promise<Lookup>;
  readonly history: () => Promise<History>;
}

/** Plans stages in the order of execution, and adds the outputs of hits to the artifacts. */
export async function planStages(
  pipeline: Pipeline,
  artifacts: Artifacts,
  context: PlanningContext,
): Promise<PlannedStage[]> {
  let history: Promise<History> | undefined;
  const planned: PlannedStage[] = [];
  for (const stage of pipeline.stages) {
    const { key, manifest } = await keyOfKnown(stage, artifacts, pipeline.seed);
    const waiting = dependencies(stage).filter((id) => !artifacts.hasAllOf(id));
    if (waiting.length > 0) {
      const last = (await (history ??= context.history())).get(stage.id);
      planned.push({
        stage,
        status: "blocked",
        reason: `waits for ${someOf(waiting)}; its key is known after that`,
        manifest,
        ...(last !== undefined && { last }),
        ...(last?.seconds !== undefined && { expected: last.seconds }),
      });
      continue;
    }
    const { action, damage, isRemote } = await context.lookup(key);
    const isWrong = action !== undefined && !isResultOf(stage, action);
    if (action !== undefined && !isWrong && !context.forced.has(stage.id)) {
      artifacts.addOutputs(stage.id, action.outputs);
      planned.push({
        stage,
        status: "hit",
        reason: isRemote === true ? "result is in the remote store" : "result is in the store",
        key,
        manifest,
        action,
      });
      continue;
    }
    const last = (await (history ??= context.history())).get(stage.id);
    const reason = isWrong
      ? "result in the store has other outputs than the stage makes"
      : action !== undefined
      ? "forced"
      : damage.length > 0
      ? damage.join("; ")
      : last?.key === undefined
      ? "has not run before"
      : describeChanges((await context.lookup(last.key)).action?.manifest, manifest);
    planned.push({
      stage,
      status: "run",
      reason,
      key,
      manifest,
      ...(last !== undefined && { last }),
      ...(last?.seconds !== undefined && { expected: last.seconds }),
    });
  }
  return planned;
}
