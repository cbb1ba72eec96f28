/**
 * Runs by what users call them.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import type { RunRecord, Store } from "../store/store.ts";

/**
 * The run with an id, or with an id that begins so; `latest` for the newest, `latest~1` for the one before, and so on.
 *
 * @throws {UserError} If there is none, or several.
 */
export async function runOf(name: string, store: Store): Promise<RunRecord> {
  const latest = /^latest(?:~(\d+))?$/.exec(name);
  if (latest !== null) {
    const runs = await store.runs.list();
    const found = runs[Number(latest[1] ?? 0)];
    if (found !== undefined) return found;
    throw new UserError({
      message: runs.length === 0
        ? `No run is recorded in the store "${store.root}"`
        : `There is no run "${name}": ${runs.length} are recorded`,
      hint: runs.length === 0
        ? "Run a pipeline first: bitbound run FILE; --store DIR names another store"
        : "bitbound runs lists them",
    });
  }
  const found = await store.runs.read(name);
  if (found !== undefined) return found;
  const ids = (await store.runs.list()).map(({ id }) => id);
  const several = ids.filter((id) => id.startsWith(name));
  const close = didYouMean(name, ["latest", ...ids]);
  throw new UserError({
    message: several.length > 1
      ? `"${name}" could be ${several.length} runs: ${several.slice(0, 4).join(", ")}`
      : `There is no run "${name}" in the store "${store.root}"`,
    hint: several.length > 1
      ? "Give more of the id"
      : close?.startsWith("Did") === true
      ? close
      : "bitbound runs lists them",
  });
}
