/**
 * The content-addressed store: blobs by digest, results of stages by key.
 *
 * A result is recorded only after all its blobs are on disk, everything is written to a temporary file first,
 * and failures are never recorded: whatever moment a process is killed at, the store is whole.
 *
 * @module
 */

import type { Digest } from "../registry/artifact.ts";
import type { Checkpoints } from "../registry/stage.ts";
import type { Key, Keyed } from "./key.ts";
import type { Action, StoredAction } from "./actions.ts";
import type { Runs } from "./runs.ts";

export type { Action, StoredAction, StoredOutput } from "./actions.ts";
export type { Key, Keyed, KeyIngredients, KeyInput, KeyManifest } from "./key.ts";
export type { RunRecord, RunStage } from "./runs.ts";
export { keyOf } from "./key.ts";

/** What the store knows of some bytes. */
export interface BlobInfo {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** The answer to whether a stage has run before. */
export interface Lookup {
  /** The result, if it is there and every blob of it is whole. */
  readonly action: StoredAction | undefined;
  /** What was found damaged or missing, one sentence each; the stage has to run again. */
  readonly damage: readonly string[];
}

/** Checkpoints of one stage key. */
export interface StageCheckpoints extends Checkpoints {
  /** Removes all of them; {@linkcode Store.record} does so by itself. */
  clear(): Promise<void>;
}

/** How a store is opened. */
export interface StoreOptions {
  /** Told of damage that was found and set aside. */
  readonly onWarning?: (message: string) => void;
}

/**
 * A store. Any number of processes and threads may use one folder at the same time.
 *
 * Everything that writes throws a {@linkcode UserError} when the disk is full or the folder is not writable.
 */
export interface Store extends AsyncDisposable {
  /** The store's folder, absolute. */
  readonly root: string;
  /** The records of runs. */
  readonly runs: Runs;

  /** Keeps some bytes. Bytes that are there already are not written again. */
  putBlob(content: Uint8Array | ReadableStream<Uint8Array>): Promise<BlobInfo>;
  /** Keeps a copy of a file. */
  putFile(path: string): Promise<BlobInfo>;
  /** Where a blob is, or would be. */
  blobPath(digest: Digest): string;
  /** Whether a blob is there and whole. One that is damaged is set aside, and counts as not there. */
  hasBlob(digest: Digest): Promise<boolean>;
  /**
   * A blob's bytes, checked against the digest.
   *
   * @throws {UserError} If it is missing or damaged.
   */
  readBlob(digest: Digest): Promise<Uint8Array>;

  /** The result under a key. */
  lookup(key: Key): Promise<Lookup>;
  /** Records a stage's result, after its blobs are kept, and drops the stage's checkpoints. */
  record(keyed: Keyed, action: Action): Promise<void>;
  /** State that lets a stage continue after a kill. */
  checkpoints(key: Key): StageCheckpoints;
  /**
   * Waits for the right to execute a key. A process that was killed holds nothing.
   *
   * After getting it, look the key up once more: another process may just have recorded it.
   *
   * @param options `onWait` is called once if another process or thread has it.
   * @throws The signal's reason, if aborted.
   */
  lock(
    key: Key,
    options?: { readonly signal?: AbortSignal; readonly onWait?: () => void },
  ): Promise<AsyncDisposable>;

  /**
   * The digest of any file, such as a pipeline's input. A file that did not change since it was last asked for
   * is not read again.
   */
  fileDigest(path: string): Promise<BlobInfo>;

  /** Saves what is kept in memory, such as the digests of files; disposing does it too. */
  flush(): Promise<void>;
}

/** Opens the store in a folder. Nothing is created before the first write. */
export declare function openStore(root: string, options?: StoreOptions): Store;
