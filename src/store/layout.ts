/**
 * Where things are in a store's folder.
 *
 * @module
 */

import { join } from "../base/path.ts";
import type { Digest } from "./digest.ts";
import type { Key } from "./key.ts";

/** Raised when folders or file forms change so that older stores cannot be read. */
export const STORE_VERSION = 1;

/** The paths of a store. Blobs and actions are spread over 256 folders each. */
export class Layout {
  readonly root: string;
  readonly version: string;
  readonly blobs: string;
  readonly actions: string;
  readonly allCheckpoints: string;
  readonly runs: string;
  readonly locks: string;
  readonly damaged: string;
  readonly temporary: string;
  readonly fileDigests: string;
  readonly memos: string;
  /** Held shared by whatever uses the store, exclusively by what deletes from it. */
  readonly useLock: string;

  constructor(root: string) {
    this.root = root;
    this.version = join(root, "version");
    this.blobs = join(root, "blobs");
    this.actions = join(root, "actions");
    this.allCheckpoints = join(root, "checkpoints");
    this.runs = join(root, "runs");
    this.locks = join(root, "locks");
    this.damaged = join(root, "damaged");
    this.temporary = join(root, "temporary");
    this.fileDigests = join(root, "file-digests.json");
    this.memos = join(root, "memos");
    this.useLock = join(root, "in-use.lock");
  }

  blob(digest: Digest): string {
    return join(this.blobs, digest.slice(0, 2), digest.slice(2));
  }

  action(key: Key): string {
    return join(this.actions, key.slice(0, 2), `${key.slice(2)}.json`);
  }

  checkpoints(key: Key): string {
    return join(this.allCheckpoints, key);
  }

  run(id: string): string {
    return join(this.runs, `${id}.json`);
  }

  memo(name: Digest): string {
    return join(this.memos, `${name}.json`);
  }

  lock(key: Key): string {
    return join(this.locks, `${key}.lock`);
  }
}
