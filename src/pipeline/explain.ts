/**
 * Why stages will run, or did: which ingredient of the key is not what it was when the stage last succeeded.
 *
 * @module
 */

import { parseAddress } from "../base/address.ts";
import { UserError } from "../base/errors.ts";
import type { Key, KeyManifest, RunRecord, RunStage, Store } from "../store/store.ts";
import { chooseStages } from "./choose.ts";
import { type KeyChange, listChanges } from "./changes.ts";
import type { Item } from "./matrix.ts";
import { sourceName } from "./pipeline.ts";
import type { Plan, PlannedStage } from "./plan.ts";

/** A change, and where the input that changed comes from. */
export interface ExplainedChange extends KeyChange {
  /** For an input: `"w4.model"`, `"inputs.test"`. */
  readonly source?: string;
}

/** What is known of one stage. */
export interface Explanation {
  readonly id: string;
  readonly uses: string;
  readonly status: PlannedStage["status"] | RunStage["status"];
  /** One line. */
  readonly reason: string;
  readonly key?: Key;
  /** The result that it is compared with; absent if there is none to compare with. */
  readonly since?: { readonly key: Key; readonly run: string };
  readonly changes: readonly ExplainedChange[];
  /** For a result that was there: the run that made it, and when. */
  readonly made?: { readonly run: string; readonly finished: string };
  /** Stages that have to run before more can be known. */
  readonly waits: readonly string[];
  /** Seconds that it took last time. */
  readonly expected?: number;
}

/**
 * Explains what a plan says.
 *
 * @param ids The stages to explain, by id or address; all of them if there are none.
 * @param against The run to compare with, instead of the last that succeeded.
 */
export async function explainPlan(
  { pipeline, stages, store }: Plan,
  ids: readonly string[],
  against?: RunRecord,
): Promise<Explanation[]> {
  const wanted = wantedOf(ids, pipeline.stages, `pipeline "${pipeline.name}"`);
  const explanations: Explanation[] = [];
  const known = new Set(
    stages.filter(({ status }) => status === "hit").map(({ stage }) => stage.id),
  );
  for (const planned of stages) {
    const { stage: { id, stage, inputs }, status, reason, key, expected, action } = planned;
    if (!wanted.has(id)) continue;
    const sources = Object.fromEntries(
      Array.from(inputs, ([port, from]) => [port, sourceName(from)]),
    );
    const unknown = [...inputs].filter(([, from]) => from.from === "stage" && !known.has(from.id));
    const since = against === undefined
      ? await resultBefore(planned, store)
      : await resultIn(against, id, store);
    const before = since === undefined
      ? undefined
      : withoutInputs(since.manifest, unknown.map(([port]) => port));
    const changes = before === undefined ? [] : listChanges(before, planned.manifest);
    explanations.push({
      id,
      uses: stage.definition.name,
      status,
      reason,
      ...(key !== undefined && { key }),
      ...(since !== undefined && { since: { key: since.key, run: since.run } }),
      changes: withSources(changes, sources),
      ...(action !== undefined && { made: { run: action.run, finished: action.finished } }),
      waits: [...new Set(unknown.map(([, from]) => from.from === "stage" ? from.id : ""))],
      ...(expected !== undefined && { expected }),
    });
  }
  return explanations;
}

/**
 * Explains what a run did, by comparing it with the run before in which each stage succeeded.
 *
 * @param ids The stages to explain, by id or address; all of them if there are none.
 */
export async function explainRun(
  record: RunRecord,
  ids: readonly string[],
  store: Store,
  against?: RunRecord,
): Promise<Explanation[]> {
  const wanted = wantedOf(ids, record.stages.map(asNamed), `run ${record.id}`);
  const earlier = (await store.runs.list())
    .filter(({ pipeline, started }) => pipeline === record.pipeline && started < record.started);
  const explanations: Explanation[] = [];
  for (const { id, uses, status, reason, key, inputs, seconds } of record.stages) {
    if (!wanted.has(id)) continue;
    const action = key === undefined ? undefined : (await store.lookup(key)).action;
    const since = against === undefined
      ? await firstResult(earlier, id, store)
      : await resultIn(against, id, store);
    const changes = action === undefined || since === undefined
      ? []
      : listChanges(since.manifest, action.manifest);
    explanations.push({
      id,
      uses,
      status,
      reason,
      ...(key !== undefined && { key }),
      ...(since !== undefined && { since: { key: since.key, run: since.run } }),
      changes: withSources(changes, inputs),
      ...(status === "hit" && action !== undefined && {
        made: { run: action.run, finished: action.finished },
      }),
      waits: [],
      ...(seconds !== undefined && { expected: seconds }),
    });
  }
  return explanations;
}

/** A result to compare with. */
interface Result {
  readonly key: Key;
  readonly run: string;
  readonly manifest: KeyManifest;
}

async function resultBefore({ last }: PlannedStage, store: Store): Promise<Result | undefined> {
  if (last?.key === undefined) return undefined;
  return await resultOf(last.key, last.run, store);
}

async function resultIn(run: RunRecord, id: string, store: Store): Promise<Result | undefined> {
  const stage = run.stages.find((each) => each.id === id);
  return stage?.key === undefined ? undefined : await resultOf(stage.key, run.id, store);
}

async function firstResult(
  runs: readonly RunRecord[],
  id: string,
  store: Store,
): Promise<Result | undefined> {
  for (const run of runs) {
    const found = await resultIn(run, id, store);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function resultOf(key: Key, run: string, store: Store): Promise<Result | undefined> {
  const manifest = (await store.lookup(key)).action?.manifest;
  return manifest === undefined ? undefined : { key, run, manifest };
}

function withoutInputs(manifest: KeyManifest, ports: readonly string[]): KeyManifest {
  return { ...manifest, inputs: manifest.inputs.filter(({ port }) => !ports.includes(port)) };
}

function withSources(
  changes: readonly KeyChange[],
  sources: Readonly<Record<string, string>>,
): ExplainedChange[] {
  return changes.map((change) => {
    const source = change.ingredient === "input" ? sources[change.name] : undefined;
    return { ...change, ...(source !== undefined && { source }) };
  });
}

/** The ids of the stages that are asked for; of all of them if none are. */
function wantedOf(
  texts: readonly string[],
  stages: readonly { readonly id: string; readonly entry: string; readonly item: Item }[],
  where: string,
): Set<string> {
  if (texts.length === 0) return new Set(stages.map(({ id }) => id));
  const message = (text: string) => `There is no stage "${text}" in ${where}`;
  const { ids, problems } = chooseStages(stages, texts, message);
  if (problems.length > 0) throw new UserError(problems);
  return ids;
}

/** A recorded stage: of an item, its address is all that is known. */
function asNamed({ id }: RunStage): { id: string; entry: string; item: Item } {
  const { id: entry, axes } = parseAddress(id);
  const item = new Map(Array.from(axes, ([axis, label]) => [axis, { label, value: label }]));
  return { id, entry, item };
}
