/**
 * The content-addressed store: blobs by digest, results of stages by key.
 *
 * A result is recorded only after all its blobs are on disk, everything is written to a temporary file first,
 * and failures are never recorded: whatever moment a process is killed at, the store is whole.
 *
 * @module
 */

import { resolve } from "../base/path.ts";
import { type Action, Actions, type StoredAction } from "./actions.ts";
import { type BlobInfo, Blobs } from "./blobs.ts";
import { StageCheckpoints } from "./checkpoints.ts";
import { type Digest, shortDigest } from "./digest.ts";
import { explainWrite } from "./explain.ts";
import { FileDigests } from "./file_digests.ts";
import { StoreFiles } from "./files.ts";
import type { Key, Keyed } from "./key.ts";
import { Layout } from "./layout.ts";
import type { LocalSide, RemoteStore } from "./remote/remote.ts";
import { isLocked, type Lock, lockFile, type LockOptions, waitForLock } from "./locks.ts";
import { Runs } from "./runs.ts";

export type { Action, StoredAction, StoredOutput } from "./actions.ts";
export type { BlobInfo } from "./blobs.ts";
export type { StageCheckpoints } from "./checkpoints.ts";
export type { Digest } from "./digest.ts";
export type { Key, Keyed, KeyIngredients, KeyInput, KeyManifest } from "./key.ts";
export type {
  RunGate,
  RunInput,
  RunMetric,
  RunPublication,
  RunRecord,
  Runs,
  RunStage,
} from "./runs.ts";
export { keyOf } from "./key.ts";

/** The answer to whether a stage has run before. */
export interface Lookup {
  /** The result, if it is there and every blob of it is whole. */
  readonly action: StoredAction | undefined;
  /** What was found damaged or missing, one sentence each; the stage has to run again. */
  readonly damage: readonly string[];
  /** Whether the result is in the remote store, and its blobs were left there. */
  readonly isRemote?: true;
}

/** How a store is opened. */
export interface StoreOptions {
  /** Told of damage that was found and set aside. */
  readonly onWarning?: (message: string) => void;
  /** Where results are looked for that are not here, and to which, if it is opened so, new ones are given. */
  readonly remote?: RemoteStore;
}

/**
 * A store. Any number of processes and threads may use one folder at the same time.
 *
 * Everything that writes throws a `UserError` when the disk is full or the folder is not writable.
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

  /**
   * The result under a key. One that only the remote store has is brought here.
   *
   * @param options.peek Leave what is in the remote store where it is, and only say that it is there.
   */
  lookup(key: Key, options?: { readonly peek?: boolean }): Promise<Lookup>;
  /** Records a stage's result, after its blobs are kept, and drops the stage's checkpoints. */
  record(keyed: Keyed, action: Action): Promise<void>;
  /** Every recorded result, in the order of keys. */
  actions(): AsyncIterable<StoredAction>;
  /** State that lets a stage continue after a kill. */
  checkpoints(key: Key): StageCheckpoints;
  /**
   * Waits for the right to execute a key. A process that was killed holds nothing.
   *
   * After getting it, look the key up once more: another process may just have recorded it.
   *
   * @throws The signal's reason, if aborted.
   */
  lock(key: Key, options?: LockOptions): Promise<Lock>;
  /** Whether somebody is executing a key right now. */
  isLocked(key: Key): Promise<boolean>;

  /**
   * The digest of any file, such as a pipeline's input. A file that did not change since it was last asked for
   * is not read again.
   *
   * @throws {Deno.errors.NotFound} If there is none.
   */
  fileDigest(path: string): Promise<BlobInfo>;

  /** Saves what is kept in memory, such as the digests of files; disposing does it too. */
  flush(): Promise<void>;
}

/** Opens the store in a folder. Nothing is created before the first write. */
export function openStore(root: string, options: StoreOptions = {}): Store {
  return new FolderStore(resolve(root), options.onWarning ?? (() => {}), options.remote);
}

class FolderStore implements Store {
  readonly root: string;
  readonly runs: Runs;
  readonly #layout: Layout;
  readonly #files: StoreFiles;
  readonly #blobs: Blobs;
  readonly #actions: Actions;
  readonly #fileDigests: FileDigests;
  readonly #warn: (message: string) => void;
  readonly #remote: RemoteStore | undefined;
  readonly #local: LocalSide;
  #use: Promise<Lock | undefined> | undefined;

  constructor(root: string, warn: (message: string) => void, remote: RemoteStore | undefined) {
    this.root = root;
    this.#layout = new Layout(root);
    this.#files = new StoreFiles(this.#layout);
    this.#blobs = new Blobs(this.#files, warn);
    this.#actions = new Actions(this.#files, warn);
    this.#fileDigests = new FileDigests(this.#files);
    this.#warn = warn;
    this.#remote = remote;
    this.#local = {
      keep: (content, expected) => this.#blobs.receive(content, expected),
      read: (digest) => this.#blobs.read(digest),
    };
    this.runs = new Runs(this.#files);
  }

  async putBlob(content: Uint8Array | ReadableStream<Uint8Array>): Promise<BlobInfo> {
    await this.#beginUse(true);
    return await this.#blobs.put(content);
  }

  async putFile(path: string): Promise<BlobInfo> {
    await this.#beginUse(true);
    const known = await this.#fileDigests.get(path);
    if ((await this.#blobs.check(known.digest, known.size)) === "whole") return known;
    return await this.#blobs.put((await Deno.open(path)).readable);
  }

  blobPath(digest: Digest): string {
    return this.#blobs.path(digest);
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    await this.#beginUse(false);
    return (await this.#blobs.check(digest)) === "whole";
  }

  async readBlob(digest: Digest): Promise<Uint8Array> {
    await this.#beginUse(false);
    return await this.#blobs.read(digest);
  }

  async lookup(key: Key, options: { readonly peek?: boolean } = {}): Promise<Lookup> {
    const found = await this.#lookup(key);
    if (this.#remote === undefined) return found;
    if (found.action !== undefined) {
      this.#remote.offer(found.action, this.#local);
      return found;
    }
    const action = await this.#remote.result(key);
    if (action === undefined) return found;
    if (options.peek === true) return { action, damage: found.damage, isRemote: true };
    return await this.#fetch(action, this.#remote) ? { action, damage: found.damage } : found;
  }

  /** Brings a result here, without what is here already; says whether all of it came. */
  async #fetch(action: StoredAction, remote: RemoteStore): Promise<boolean> {
    await this.#beginUse(true);
    const missing = new Map<Digest, BlobInfo>();
    for (const { digest, size } of Object.values(action.outputs)) {
      const state = await this.#blobs.check(digest, size);
      if (state !== "whole") missing.set(digest, { digest, size });
    }
    if (!(await remote.fetchBlobs(action, [...missing.values()], this.#local))) return false;
    await this.#actions.write(action, action);
    return true;
  }

  async #lookup(key: Key): Promise<Lookup> {
    await this.#beginUse(false);
    const damage: string[] = [];
    const action = await this.#actions.read(key, (message) => {
      damage.push(message);
      this.#warn(message);
    });
    for (const [port, { digest, size }] of Object.entries(action?.outputs ?? {})) {
      const state = await this.#blobs.check(digest, size);
      if (state !== "whole") damage.push(`Output "${port}" (${shortDigest(digest)}) is ${state}`);
    }
    return { action: damage.length === 0 ? action : undefined, damage };
  }

  async record(keyed: Keyed, action: Action): Promise<void> {
    await this.#beginUse(true);
    for (const [port, { digest, size }] of Object.entries(action.outputs)) {
      if ((await this.#blobs.check(digest, size)) === "whole") continue;
      throw new TypeError(`Output "${port}" was recorded before its blob was kept: ${digest}`);
    }
    const stored = await this.#actions.write(keyed, action);
    await this.checkpoints(keyed.key).clear();
    this.#remote?.offer(stored, this.#local);
  }

  async *actions(): AsyncIterable<StoredAction> {
    await this.#beginUse(false);
    yield* this.#actions.all();
  }

  checkpoints(key: Key): StageCheckpoints {
    return new StageCheckpoints(this.#files, key, this.#warn);
  }

  async lock(key: Key, options?: LockOptions): Promise<Lock> {
    await this.#beginUse(true);
    try {
      await Deno.mkdir(this.#layout.locks, { recursive: true });
      return await lockFile(this.#layout.lock(key), options);
    } catch (error) {
      throw explainWrite(error, this.root);
    }
  }

  async isLocked(key: Key): Promise<boolean> {
    return await isLocked(this.#layout.lock(key));
  }

  async fileDigest(path: string): Promise<BlobInfo> {
    return await this.#fileDigests.get(path);
  }

  async flush(): Promise<void> {
    await this.#fileDigests.save();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#remote?.settle();
      await this.flush();
    } finally {
      const lock = await this.#use?.catch(() => undefined);
      this.#use = undefined;
      await lock?.release();
    }
  }

  /** From here on, until disposal or the end of the process, nothing is deleted from the store. */
  async #beginUse(writes: boolean): Promise<void> {
    this.#use ??= this.#takeUse(writes);
    try {
      if ((await this.#use) === undefined) this.#use = undefined;
    } catch (error) {
      this.#use = undefined;
      throw error;
    }
  }

  async #takeUse(writes: boolean): Promise<Lock | undefined> {
    if (writes) await this.#files.prepare();
    else if (!this.#files.checkVersion()) return undefined;
    try {
      return await waitForLock(this.#layout.useLock, "shared");
    } catch (error) {
      if (writes) throw explainWrite(error, this.root);
      // A store that one may only read, and that was never locked: nobody can delete from it either.
      return undefined;
    }
  }
}
