/**
 * The record of each run: history, expected times, and what garbage collection keeps.
 *
 * @module
 */

import type { Unit } from "../base/units.ts";
import type { JsonValue } from "../base/canonical_json.ts";
import { names, type StoredOutput } from "./actions.ts";
import { type Digest, digestOf } from "./digest.ts";
import type { StoreFiles } from "./files.ts";
import type { Key } from "./key.ts";

/** How an expectation of a stage's metric came out. */
export interface RunGate {
  readonly metric: string;
  /** As the pipeline says it, such as `"<= 0.01"`. */
  readonly condition: string;
  readonly met: boolean;
  /** Absent if it was not measured. */
  readonly value?: number;
  readonly message: string;
}

/** A file that was copied out of the store. */
export interface RunPublication {
  /** The stage's output. */
  readonly output: string;
  readonly path: string;
  /** Whether the file was not there yet with these bytes. */
  readonly changed: boolean;
}

/** How a metric of a plugin's stage is shown; that of other stages is known. */
export interface RunMetric {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly better?: "higher" | "lower";
  readonly column?: boolean;
  readonly reference?: string;
}

/** A stage of a run. */
export interface RunStage {
  readonly id: string;
  /** The stage's name in the registry. */
  readonly uses: string;
  readonly status: "pending" | "running" | "hit" | "ran" | "failed" | "skipped" | "blocked";
  /** What it takes, by port, as users write it: `"w4.model"`, `"inputs.test"`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Why it had to run, or did not. */
  readonly reason: string;
  /** Known once its inputs are. */
  readonly key?: Key;
  /** When it began to work, ISO 8601; absent if it did not work in this run. */
  readonly started?: string;
  /** How long the work took, in this run or, for a hit, in the one that made the result. */
  readonly seconds?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly outputs?: Readonly<Record<string, StoredOutput>>;
  readonly expects?: readonly RunGate[];
  readonly warnings?: readonly string[];
  readonly published?: readonly RunPublication[];
  /** Why it failed; the stack of a defect is in `stack`. */
  readonly error?: string;
  readonly stack?: string;
}

/** An input of a run. */
export interface RunInput extends StoredOutput {
  /** As the pipeline says it, such as `{ images: "photographs", take: 100 }`. */
  readonly spec?: { readonly [name: string]: JsonValue };
  /** The user's file, where it is one; else the bytes are in the store. */
  readonly path?: string;
  /** For a model with tensors in files beside it: the digest of each, by the name that the model uses. */
  readonly external?: Readonly<Record<string, Digest>>;
}

/** A run of a pipeline. */
export interface RunRecord {
  readonly version: 2;
  /** Made by {@linkcode Runs.newId}. */
  readonly id: string;
  /** The pipeline's name. */
  readonly pipeline: string;
  readonly description?: string;
  /** Its file, as it was given. */
  readonly file: string;
  /** The text of that file; absent for a pipeline that a program made. */
  readonly source?: string;
  /** Changes to the file from the command line, `"path=value"` each. */
  readonly settings: readonly string[];
  readonly seed: number;
  /** Versions of what ran it, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly started: string;
  readonly finished?: string;
  readonly status: "running" | "done" | "failed" | "expectation-failed" | "interrupted";
  /** The pipeline's inputs by name; garbage collection keeps those that are blobs. */
  readonly inputs: Readonly<Record<string, RunInput>>;
  readonly stages: readonly RunStage[];
  /** Metrics of plugins' stages, by the stage's name in the registry. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, RunMetric>>>>;
}

/** Length of the part of an id that says in which second the run started. */
const SECOND = "20260131-235959".length;

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

  /** Writes a record, replacing the one with the same id. It is not worth the time that flushing it to the disk takes. */
  async save(record: RunRecord): Promise<void> {
    const text = JSON.stringify(record);
    await this.#files.writeLosable(
      this.#files.layout.run(record.id),
      `{"checksum":"${digestOf(text)}","record":${text}}\n`,
    );
  }

  /** A record by its id, or by a beginning that only one id has; `undefined` if there is none. */
  async read(id: string): Promise<RunRecord | undefined> {
    const matches = (await this.#ids()).filter((each) => each.startsWith(id));
    const found = matches.includes(id) ? id : matches.length === 1 ? matches[0]! : undefined;
    return found === undefined ? undefined : this.#load(found);
  }

  /** All records, newest first; ones that cannot be read are left out. */
  async list(): Promise<RunRecord[]> {
    return await Array.fromAsync(this.newestFirst());
  }

  /** The records, newest first, each read when it is asked for; ones that cannot be read are left out. */
  async *newestFirst(): AsyncIterable<RunRecord> {
    // Ids begin with the second in which the run started; what started in one second is told apart by the records.
    const seconds = Map.groupBy((await this.#ids()).toReversed(), (id) => id.slice(0, SECOND));
    for (const ids of seconds.values()) {
      yield* ids.map((id) => this.#load(id)).filter((record) => record !== undefined)
        .sort((a, b) => b.started.localeCompare(a.started) || b.id.localeCompare(a.id));
    }
  }

  async #ids(): Promise<string[]> {
    return (await names(this.#files.layout.runs))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
  }

  #load(id: string): RunRecord | undefined {
    try {
      const text = Deno.readTextFileSync(this.#files.layout.run(id));
      const file = JSON.parse(text) as { checksum?: Digest; record?: RunRecord } | null;
      const record = file?.record;
      const isWhole = record?.version === 2 && digestOf(JSON.stringify(record)) === file!.checksum;
      return isWhole ? record : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}
