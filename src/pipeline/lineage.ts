/**
 * What an artifact was made from, down to the files of users.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { UserError } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import type { Digest, KeyManifest, RunRecord, Store, StoredAction } from "../store/store.ts";

/** An artifact and what it was made from. */
export interface Lineage {
  readonly digest: Digest;
  readonly kind: string;
  /** What the newest run that knows it calls it: `"w4.model"`, `"inputs.test"`. */
  readonly name?: string;
  /** In bytes, where known. */
  readonly size?: number;
  /** For an input that is a file: where it was. */
  readonly path?: string;
  /** For an input of a pipeline: as the pipeline says it. */
  readonly spec?: { readonly [name: string]: JsonValue };
  /** Absent for an input, and for what was made by a result that is deleted. */
  readonly made?: Making;
  /** Whether the same artifact stands further up already, with what it was made from. */
  readonly repeated?: true;
}

/** How an artifact was made. */
export interface Making {
  readonly key: string;
  readonly run: string;
  readonly finished: string;
  readonly seconds: number;
  readonly manifest: KeyManifest;
  readonly metrics: Readonly<Record<string, number>>;
  readonly from: readonly { readonly port: string; readonly artifact: Lineage }[];
}

/** What is known of artifacts besides their making. */
interface Known {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly path?: string;
  readonly spec?: { readonly [name: string]: JsonValue };
}

const SHORTEST_DIGEST = 6;

/** The store's artifacts, by digest. */
export class LineageIndex {
  readonly #makers = new Map<Digest, StoredAction>();
  readonly #known = new Map<Digest, Known>();
  /** By the names of the newest run that has each. */
  readonly #names = new Map<string, Digest>();

  private constructor() {}

  /** Reads every result and every run. */
  static async read(store: Store): Promise<LineageIndex> {
    const index = new LineageIndex();
    for await (const action of store.actions()) {
      for (const { digest } of Object.values(action.outputs)) {
        const known = index.#makers.get(digest);
        // The same bytes may have been made in several ways; the first one made them.
        if (known === undefined || action.finished < known.finished) {
          index.#makers.set(digest, action);
        }
      }
    }
    for (const run of await store.runs.list()) index.#addNames(run);
    return index;
  }

  #addNames({ inputs, stages }: RunRecord): void {
    const add = (name: string, digest: Digest, known: Known) => {
      if (!this.#names.has(name)) this.#names.set(name, digest);
      if (!this.#known.has(digest)) this.#known.set(digest, known);
    };
    for (const [name, { kind, digest, size, path, spec }] of Object.entries(inputs)) {
      const full = `inputs.${name}`;
      add(full, digest, {
        kind,
        name: full,
        size,
        ...(path !== undefined && { path }),
        ...(spec !== undefined && { spec }),
      });
    }
    for (const { id, outputs } of stages) {
      for (const [port, { kind, digest, size }] of Object.entries(outputs ?? {})) {
        add(`${id}.${port}`, digest, { kind, name: `${id}.${port}`, size });
      }
    }
  }

  /**
   * The digest that a name stands for: `w4.model` in the newest run that has it, or a digest, or its beginning.
   *
   * @throws {UserError} If it stands for nothing, or for several.
   */
  digestOf(name: string): Digest {
    const named = this.#names.get(name);
    if (named !== undefined) return named;
    const digests = new Set([...this.#makers.keys(), ...this.#known.keys()]);
    if (/^[0-9a-f]+$/.test(name) && name.length >= SHORTEST_DIGEST) {
      const found = [...digests].filter((digest) => digest.startsWith(name));
      if (found.length === 1) return found[0]!;
      if (found.length > 1) {
        throw new UserError({
          message: `"${name}" could be ${found.length} artifacts`,
          hint: "Give more of the digest",
        });
      }
    }
    const hint = didYouMean(name, this.#names.keys());
    throw new UserError({
      message: `There is no artifact "${name}" in the store`,
      hint: hint ??
        "Name it like w4.model, by the beginning of its digest, or by a file that was exported",
    });
  }

  /** Whether something with this digest is known. */
  has(digest: Digest): boolean {
    return this.#makers.has(digest) || this.#known.has(digest);
  }

  /** What an artifact was made from. */
  trace(digest: Digest): Lineage {
    return this.#trace(digest, "file", new Set());
  }

  #trace(digest: Digest, kind: string, seen: Set<Digest>): Lineage {
    const known = this.#known.get(digest);
    const maker = this.#makers.get(digest);
    const output = Object.values(maker?.outputs ?? {}).find((each) => each.digest === digest);
    const size = output?.size ?? known?.size;
    const facts = {
      digest,
      kind: output?.kind ?? known?.kind ?? kind,
      ...(known !== undefined && { name: known.name }),
      ...(size !== undefined && { size }),
      ...(known?.path !== undefined && { path: known.path }),
      ...(known?.spec !== undefined && { spec: known.spec }),
    };
    if (maker === undefined) return facts;
    if (seen.has(digest)) return { ...facts, repeated: true };
    seen.add(digest);
    const { key, run, finished, seconds, manifest, metrics } = maker;
    const from = manifest.inputs.map(({ port, kind, digest }) => ({
      port,
      artifact: this.#trace(digest, kind, seen),
    }));
    return { ...facts, made: { key, run, finished, seconds, manifest, metrics, from } };
  }
}
