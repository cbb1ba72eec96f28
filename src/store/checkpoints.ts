/**
 * State of stages that are under way, by key.
 *
 * A checkpoint's file begins with the SHA-256 of what follows, so that a damaged one is never continued from.
 *
 * @module
 */

import { join } from "../base/path.ts";
import { digestOf } from "./digest.ts";
import type { StoreFiles } from "./files.ts";
import type { Key } from "./key.ts";

const DIGEST_BYTES = 64;

/** Checkpoints of one stage key. */
export class StageCheckpoints {
  readonly #files: StoreFiles;
  readonly #folder: string;
  readonly #warn: (message: string) => void;

  constructor(files: StoreFiles, key: Key, warn: (message: string) => void) {
    this.#files = files;
    this.#folder = files.layout.checkpoints(key);
    this.#warn = warn;
  }

  /** What was saved under a name; `undefined` if nothing was, or if it is damaged. */
  async load(name: string): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await Deno.readFile(this.#path(name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const content = bytes.subarray(DIGEST_BYTES);
    if (new TextDecoder().decode(bytes.subarray(0, DIGEST_BYTES)) === digestOf(content)) {
      return content;
    }
    this.#warn(`Checkpoint "${name}" is damaged; the stage starts without it`);
    return undefined;
  }

  /** Saves atomically: after a kill, either the old or the new state is there. */
  async save(name: string, content: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(DIGEST_BYTES + content.length);
    bytes.set(new TextEncoder().encode(digestOf(content)));
    bytes.set(content, DIGEST_BYTES);
    await this.#files.write(this.#path(name), bytes);
  }

  /** Removes all of them. */
  async clear(): Promise<void> {
    try {
      await Deno.remove(this.#folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #path(name: string): string {
    return join(this.#folder, encodeURIComponent(name).replaceAll(".", "%2E"));
  }
}
