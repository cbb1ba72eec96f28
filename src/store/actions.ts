/**
 * Results of stages by key.
 *
 * @module
 */

import { join } from "../base/path.ts";
import { type Digest, shortDigest } from "./digest.ts";
import type { StoreFiles } from "./files.ts";
import type { Key, Keyed, KeyManifest } from "./key.ts";
import { readResultFile, resultFile } from "./result_file.ts";

/** One output of a stage. */
export interface StoredOutput {
  readonly kind: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** What is kept of a stage that succeeded. */
export interface Action {
  /** By port. */
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  /** How long the stage took. */
  readonly seconds: number;
  /** The run that made it. */
  readonly run: string;
  /** When it was made, ISO 8601. */
  readonly finished: string;
}

/** An {@linkcode Action} as it is read back. */
export interface StoredAction extends Action {
  readonly key: Key;
  readonly manifest: KeyManifest;
}

/** The actions of a store. */
export class Actions {
  readonly #files: StoreFiles;
  readonly #warn: (message: string) => void;

  /** @param warn Told of each damaged record. */
  constructor(files: StoreFiles, warn: (message: string) => void) {
    this.#files = files;
    this.#warn = warn;
  }

  async write({ key, manifest }: Keyed, result: Action): Promise<StoredAction> {
    const { outputs, metrics, warnings, seconds, run, finished } = result;
    const action = { key, manifest, outputs, metrics, warnings, seconds, run, finished };
    await this.#files.write(this.#files.layout.action(key), resultFile(action));
    return action;
  }

  /** The action of a key; one whose file is damaged is set aside and counts as not there. */
  async read(key: Key, warn = this.#warn): Promise<StoredAction | undefined> {
    const path = this.#files.layout.action(key);
    let text: string;
    try {
      // Waiting for a thread to read so little takes ten times as long as reading it.
      text = Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const action = readResultFile(text, key)?.action;
    if (action === undefined) await this.#setAside(key, path, warn);
    return action;
  }

  /** Every readable action, in no particular order. */
  async *all(): AsyncIterable<StoredAction> {
    for (const key of await this.keys()) {
      const action = await this.read(key);
      if (action !== undefined) yield action;
    }
  }

  /** The keys that have an action, sorted. */
  async keys(): Promise<Key[]> {
    const { actions } = this.#files.layout;
    const keys: Key[] = [];
    for (const prefix of await names(actions)) {
      for (const name of await names(join(actions, prefix))) {
        if (name.endsWith(".json")) keys.push(prefix + name.slice(0, -".json".length));
      }
    }
    return keys.sort();
  }

  async #setAside(key: Key, path: string, warn: (message: string) => void): Promise<void> {
    const { damaged } = this.#files.layout;
    const kept = join(damaged, `${key}-${crypto.randomUUID().slice(0, 8)}.json`);
    try {
      await Deno.mkdir(damaged, { recursive: true });
      await Deno.rename(path, kept);
      warn(`Result ${shortDigest(key)} was damaged; it is set aside as "${kept}"`);
    } catch {
      warn(`Result ${shortDigest(key)} is damaged, and could not be set aside`);
    }
  }
}

/** The names in a folder; none if there is no such folder. */
export async function names(folder: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) found.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
  return found.sort();
}
