/**
 * What differs between two runs.
 *
 * @module
 */

import type { Assignment } from "../search/assignment.ts";
import type { RunRecord, RunStage, Store, StoredOutput } from "../store/store.ts";
import { type KeyChange, listChanges } from "./changes.ts";

/** A value in the first and in the second run; absent where one has none. */
export interface Pair<T> {
  readonly before?: T;
  readonly after?: T;
}

/** A stage in both runs. */
export interface StageDifference {
  readonly id: string;
  readonly uses: string;
  /** Whether only the first or only the second run has it. */
  readonly only?: "before" | "after";
  readonly status: Pair<RunStage["status"]>;
  /** Ingredients of the key that differ. */
  readonly changes: readonly KeyChange[];
  /** Metrics that differ, by name. */
  readonly metrics: Readonly<Record<string, Pair<number>>>;
  /** Outputs that differ, by port. */
  readonly outputs: Readonly<Record<string, Pair<StoredOutput>>>;
  /** Widths that differ, of a stage that chooses them: by layer. */
  readonly widths: Readonly<Record<string, Pair<number>>>;
  readonly seconds: Pair<number>;
}

/** Two runs side by side; only what differs. */
export interface RunDifference {
  readonly before: string;
  readonly after: string;
  readonly pipeline: Pair<string>;
  readonly seed: Pair<number>;
  readonly settings: Pair<readonly string[]>;
  /** Versions of the programs that ran them, by name. */
  readonly versions: Readonly<Record<string, Pair<string>>>;
  /** Digests of inputs, by name. */
  readonly inputs: Readonly<Record<string, Pair<string>>>;
  /** Stages in which something other than the time differs. */
  readonly stages: readonly StageDifference[];
  /** Ids of stages in which nothing does. */
  readonly same: readonly string[];
}

/** Compares two runs. */
export async function compareRuns(
  before: RunRecord,
  after: RunRecord,
  store: Store,
): Promise<RunDifference> {
  const first = new Map(before.stages.map((stage) => [stage.id, stage]));
  const second = new Map(after.stages.map((stage) => [stage.id, stage]));
  const stages: StageDifference[] = [];
  const same: string[] = [];
  for (const id of new Set([...first.keys(), ...second.keys()])) {
    const difference = await compareStages(id, first.get(id), second.get(id), store);
    if (difference === undefined) same.push(id);
    else stages.push(difference);
  }
  const digests = ({ inputs }: RunRecord) =>
    Object.fromEntries(Object.entries(inputs).map(([name, { digest }]) => [name, digest]));
  return {
    before: before.id,
    after: after.id,
    pipeline: pair(before.pipeline, after.pipeline),
    seed: pair(before.seed, after.seed),
    settings: pair(before.settings, after.settings),
    versions: pairs(before.versions, after.versions),
    inputs: pairs(digests(before), digests(after)),
    stages,
    same,
  };
}

async function compareStages(
  id: string,
  before: RunStage | undefined,
  after: RunStage | undefined,
  store: Store,
): Promise<StageDifference | undefined> {
  const [old, now] = await Promise.all([manifestOf(before, store), manifestOf(after, store)]);
  const status = pair(outcome(before), outcome(after));
  const changes = old === undefined || now === undefined ? [] : listChanges(old, now);
  const metrics = pairs(before?.metrics ?? {}, after?.metrics ?? {});
  const outputs = pairs(before?.outputs ?? {}, after?.outputs ?? {});
  const both = before !== undefined && after !== undefined;
  const isSame = both && before.uses === after.uses && before.key === after.key &&
    Object.keys(status).length + changes.length + Object.keys(metrics).length +
          Object.keys(outputs).length === 0;
  if (isSame) return undefined;
  return {
    id,
    uses: (after ?? before)!.uses,
    ...(!both && { only: after === undefined ? "before" as const : "after" as const }),
    status,
    changes,
    metrics,
    outputs,
    widths: await compareWidths(outputs, store),
    seconds: pair(before?.seconds, after?.seconds),
  };
}

/** Whether a result was there or was made tells nothing about the result. */
function outcome(stage: RunStage | undefined): RunStage["status"] | undefined {
  return stage?.status === "hit" ? "ran" : stage?.status;
}

async function manifestOf(stage: RunStage | undefined, store: Store) {
  return stage?.key === undefined ? undefined : (await store.lookup(stage.key)).action?.manifest;
}

async function compareWidths(
  outputs: Readonly<Record<string, Pair<StoredOutput>>>,
  store: Store,
): Promise<Record<string, Pair<number>>> {
  for (const { before, after } of Object.values(outputs)) {
    if (before?.kind !== "assignment" || after?.kind !== "assignment") continue;
    const [old, now] = await Promise.all([widthsOf(before, store), widthsOf(after, store)]);
    return pairs(old, now);
  }
  return {};
}

async function widthsOf({ digest }: StoredOutput, store: Store): Promise<Record<string, number>> {
  if (!(await store.hasBlob(digest))) return {};
  const text = new TextDecoder().decode(await store.readBlob(digest));
  const { layers } = JSON.parse(text) as Assignment;
  return Object.fromEntries(Object.entries(layers).map(([name, { weights }]) => [name, weights]));
}

function pair<T>(before: T | undefined, after: T | undefined): Pair<T> {
  if (JSON.stringify(before) === JSON.stringify(after)) return {};
  return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

function pairs<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): Record<string, Pair<T>> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...names].map((name) => [name, pair(before[name], after[name])] as const)
      .filter(([, each]) => Object.keys(each).length > 0),
  );
}
