/**
 * Deleting what is no longer wanted from a store.
 *
 * What is wanted follows from the runs that are kept: every result they used or made, and everything those
 * results consist of. While anything else uses the store, nothing is deleted.
 *
 * @module
 */

import { join } from "../base/path.ts";
import { Actions, names, type StoredAction } from "./actions.ts";
import type { Digest } from "./digest.ts";
import { explainWrite, StoreError } from "./explain.ts";
import { FileDigests } from "./file_digests.ts";
import { StoreFiles } from "./files.ts";
import type { Key } from "./key.ts";
import { Layout } from "./layout.ts";
import { tryLockFile } from "./locks.ts";
import { type RunRecord, Runs } from "./runs.ts";

/** What to keep. Without limits, every run is kept and only what no result needs is deleted. */
export interface GarbageOptions {
  /** Keep the newest runs of each pipeline, this many. */
  readonly keepRuns?: number;
  /** Keep runs and results younger than this many milliseconds. With both limits, either is reason to keep. */
  readonly olderThan?: number;
  /** Only say what would be deleted. */
  readonly dryRun?: boolean;
  /** Milliseconds since 1970; given by tests only. */
  readonly now?: number;
}

/** What was deleted, or would be. */
export interface GarbageReport {
  readonly runs: number;
  readonly results: number;
  readonly blobs: number;
  /** Sets of checkpoints. */
  readonly checkpoints: number;
  /** Leftovers of killed processes, and damaged files that were set aside. */
  readonly leftovers: number;
  /** Disk space given back, in bytes. */
  readonly bytes: number;
  readonly keptRuns: number;
  readonly keptResults: number;
}

/**
 * Deletes what the options do not keep.
 *
 * @throws {UserError} If a run or another command is using the store, or it is not writable.
 */
export async function collectGarbage(
  root: string,
  options: GarbageOptions = {},
): Promise<GarbageReport> {
  const layout = new Layout(root);
  const files = new StoreFiles(layout);
  if (!files.checkVersion()) return new Plan().report(0, 0);
  try {
    await using lock = await tryLockFile(layout.useLock, "exclusive");
    if (lock === undefined) {
      throw new StoreError({
        message: `Store "${root}" is in use by a run`,
        hint: "Wait until it ends, or interrupt it, and try again",
      });
    }
    return await collect(layout, files, options);
  } catch (error) {
    throw explainWrite(error, root);
  }
}

async function collect(
  layout: Layout,
  files: StoreFiles,
  options: GarbageOptions,
): Promise<GarbageReport> {
  const runs = await new Runs(files).list();
  const actions: StoredAction[] = [];
  for await (const action of new Actions(files, () => {}).all()) actions.push(action);

  const kept = keptRuns(runs, options);
  const wanted = wantedResults(runs, kept, actions, options);
  const blobs = wantedBlobs(kept, wanted);
  const plan = new Plan();

  // Results go before their blobs, so that a kill in between leaves no result without its bytes.
  for (const { key } of actions) {
    if (!wanted.has(key)) await plan.delete("results", layout.action(key));
  }
  for (const prefix of await names(layout.blobs)) {
    for (const rest of await names(join(layout.blobs, prefix))) {
      if (!blobs.has(prefix + rest)) await plan.delete("blobs", layout.blob(prefix + rest));
    }
  }
  const states = keptCheckpoints(runs, kept, options);
  for (const key of await names(layout.allCheckpoints)) {
    if (states !== undefined && !states.has(key)) {
      await plan.delete("checkpoints", layout.checkpoints(key));
    }
  }
  for (const folder of [layout.temporary, layout.damaged, layout.locks, layout.memos]) {
    for (const name of await names(folder)) await plan.delete("leftovers", join(folder, name));
  }
  for (const run of runs) {
    if (!kept.has(run)) await plan.delete("runs", layout.run(run.id));
  }
  if (options.dryRun !== true) {
    await plan.execute();
    await new FileDigests(files).prune();
  }
  return plan.report(kept.size, wanted.size);
}

function keptRuns(runs: readonly RunRecord[], options: GarbageOptions): Set<RunRecord> {
  const { keepRuns, olderThan } = options;
  if (keepRuns === undefined && olderThan === undefined) return new Set(runs);
  const oldest = oldestKept(options);
  const seen = new Map<string, number>();
  return new Set(runs.filter((run) => {
    const newer = seen.get(run.pipeline) ?? 0;
    seen.set(run.pipeline, newer + 1);
    if (keepRuns !== undefined && newer < keepRuns) return true;
    return Date.parse(run.finished ?? run.started) >= oldest;
  }));
}

function wantedResults(
  runs: readonly RunRecord[],
  kept: ReadonlySet<RunRecord>,
  actions: readonly StoredAction[],
  options: GarbageOptions,
): Map<Key, StoredAction> {
  const keys = new Set<Key>();
  const keptIds = new Set<string>();
  for (const run of kept) {
    keptIds.add(run.id);
    for (const stage of run.stages) if (stage.key !== undefined) keys.add(stage.key);
  }
  const known = new Set(runs.map((run) => run.id));
  const limited = options.keepRuns !== undefined || options.olderThan !== undefined;
  const oldest = oldestKept(options);
  return new Map(
    actions.filter((action) =>
      keys.has(action.key) || keptIds.has(action.run) || Date.parse(action.finished) >= oldest ||
      (!limited && !known.has(action.run))
    ).map((action) => [action.key, action]),
  );
}

function wantedBlobs(
  kept: ReadonlySet<RunRecord>,
  wanted: ReadonlyMap<Key, StoredAction>,
): Set<Digest> {
  const blobs = new Set<Digest>();
  for (const action of wanted.values()) {
    for (const { digest } of Object.values(action.outputs)) blobs.add(digest);
    for (const { digest } of action.manifest.inputs) blobs.add(digest);
  }
  for (const run of kept) {
    for (const { digest } of Object.values(run.inputs)) blobs.add(digest);
    for (const { outputs } of run.stages) {
      for (const { digest } of Object.values(outputs ?? {})) blobs.add(digest);
    }
  }
  return blobs;
}

/** The keys whose checkpoints stay; `undefined` means all. */
function keptCheckpoints(
  runs: readonly RunRecord[],
  kept: ReadonlySet<RunRecord>,
  options: GarbageOptions,
): Set<Key> | undefined {
  if (options.keepRuns === undefined && options.olderThan === undefined) return undefined;
  const keys = runs.filter((run) => kept.has(run)).flatMap((run) =>
    run.stages.map(({ key }) => key)
  );
  return new Set(keys.filter((key) => key !== undefined));
}

function oldestKept({ olderThan, now = Date.now() }: GarbageOptions): number {
  return olderThan === undefined ? Infinity : now - olderThan;
}

type Counted = "runs" | "results" | "blobs" | "checkpoints" | "leftovers";

/** What is to be deleted. */
class Plan {
  readonly #paths: string[] = [];
  readonly #counts = { runs: 0, results: 0, blobs: 0, checkpoints: 0, leftovers: 0 };
  #bytes = 0;

  async delete(what: Counted, path: string): Promise<void> {
    this.#paths.push(path);
    this.#counts[what]++;
    this.#bytes += await bytesOf(path);
  }

  async execute(): Promise<void> {
    for (const path of this.#paths) {
      await Deno.remove(path, { recursive: true }).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  }

  report(keptRuns: number, keptResults: number): GarbageReport {
    return { ...this.#counts, bytes: this.#bytes, keptRuns, keptResults };
  }
}

/** The size of a file, or of everything in a folder, in bytes. */
async function bytesOf(path: string): Promise<number> {
  const info = await Deno.lstat(path);
  if (!info.isDirectory) return info.size;
  let bytes = 0;
  for (const name of await names(path)) bytes += await bytesOf(join(path, name));
  return bytes;
}
