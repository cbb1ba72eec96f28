/**
 * What earlier runs of a pipeline tell about its stages.
 *
 * @module
 */

import type { Key, Store } from "../store/store.ts";

/** The last time that a stage succeeded. */
export interface LastTime {
  readonly key: Key | undefined;
  /** The run in which it had this key. */
  readonly run: string;
  /** How long it took to make that result. */
  readonly seconds: number | undefined;
}

/** By stage id. */
export type History = ReadonlyMap<string, LastTime>;

/**
 * Reads the records of a pipeline's runs, as far back as needed.
 *
 * @param wanted The ids of the stages that are asked for.
 * @param except The id of a run that is left out.
 */
export async function readHistory(
  store: Store,
  pipeline: string,
  wanted: Iterable<string>,
  except?: string,
): Promise<History> {
  const history = new Map<string, LastTime>();
  const open = new Set(wanted);
  for await (const run of store.runs.newestFirst()) {
    if (open.size === 0) break;
    if (run.pipeline !== pipeline || run.id === except) continue;
    for (const { id, status, key, seconds } of run.stages) {
      if (status !== "ran" && status !== "hit") continue;
      if (open.delete(id)) history.set(id, { key, run: run.id, seconds });
    }
  }
  return history;
}
