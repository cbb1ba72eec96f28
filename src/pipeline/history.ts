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
  /** How long it took when it last really ran. */
  readonly seconds: number | undefined;
}

/** By stage id. */
export type History = ReadonlyMap<string, LastTime>;

/**
 * Reads the records of a pipeline's runs.
 *
 * @param except The id of a run that is left out.
 */
export async function readHistory(
  store: Store,
  pipeline: string,
  except?: string,
): Promise<History> {
  const history = new Map<string, LastTime>();
  for (const run of await store.runs.list()) {
    if (run.pipeline !== pipeline || run.id === except) continue;
    for (const { id, status, key, seconds } of run.stages) {
      if (status !== "ran" && status !== "hit") continue;
      const known = history.get(id);
      history.set(id, {
        key: known?.key ?? key,
        run: known?.key === undefined ? run.id : known.run,
        seconds: known?.seconds ?? (status === "ran" ? seconds : undefined),
      });
    }
  }
  return history;
}
