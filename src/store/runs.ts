/**
 * The record of each run: history, expected times, and what garbage collection keeps.
 *
 * @module
 */

import { names, type StoredOutput } from "./actions.ts";
import type { StoreFiles } from "./files.ts";
import type { Key } from "./key.ts";

/** A stage of a run. */
export interface RunStage {
  readonly id: string;
  /** The stage's name in the registry. */
  readonly uses: string;
  readonly status: "pending" | "running" | "hit" | "ran" | "failed" | "skipped" | "blocked";
  /** Known once its inputs are. */
  readonly key?: Key;
  readonly seconds?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly outputs?: Readonly<Record<string, StoredOutput>>;
  /** Why it failed; the stack of a defect is in `stack`. */
  readonly error?: string;
  readonly stack?: string;
}

/** A run of a pipeline. */
export interface RunRecord {
  readonly version: 1;
  /** Made by {@linkcode Runs.newId}. */
  readonly id: string;
  /** The pipeline's name. */
  readonly pipeline: string;
  /** Its file. */
  readonly file: string;
  /** ISO 8601. */
  readonly started: string;
  readonly finished?: string;
  readonly status: "running" | "done" | "failed" | "expectation-failed" | "interrupted";
  /** The pipeline's inputs by name; garbage collection keeps those that are blobs. */
  readonly inputs: Readonly<Record<string, StoredOutput>>;
  readonly stages: readonly RunStage[];
}

/** The run records of a store. */
export class Runs {
  readonly #files: StoreFiles;

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** An id for a run that starts now, such as `20260131-235959-3fa9c1`; UTC. */
  newId(): string {
    const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
    return `${time}-${crypto.randomUUID().slice(0, 6)}`;
  }

  /** Writes a record, replacing the one with the same id. */
  async save(record: RunRecord): Promise<void> {
    await this.#files.write(this.#files.layout.run(record.id), JSON.stringify(record, null, 1));
  }

  /** A record by its id, or by a beginning that only one id has; `undefined` if there is none. */
  async read(id: string): Promise<RunRecord | undefined> {
    const matches = (await this.#ids()).filter((each) => each.startsWith(id));
    const found = matches.includes(id) ? id : matches.length === 1 ? matches[0]! : undefined;
    return found === undefined ? undefined : await this.#load(found);
  }

  /** All records, newest first; ones that cannot be read are left out. */
  async list(): Promise<RunRecord[]> {
    const records = await Promise.all((await this.#ids()).map((id) => this.#load(id)));
    return records.filter((record) => record !== undefined)
      .sort((a, b) => b.started.localeCompare(a.started) || b.id.localeCompare(a.id));
  }

  async #ids(): Promise<string[]> {
    return (await names(this.#files.layout.runs))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
  }

  async #load(id: string): Promise<RunRecord | undefined> {
    try {
      const record = JSON.parse(await Deno.readTextFile(this.#files.layout.run(id))) as RunRecord;
      return record.version === 1 && Array.isArray(record.stages) ? record : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}
