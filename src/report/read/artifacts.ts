/**
 * The artifacts of a run: where each is, and what it was made from.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { ArtifactKind, ArtifactValues } from "../../registry/artifact.ts";
import { type ArtifactRecord, openArtifact } from "../../registry/kinds.ts";
import type { RunRecord, Store } from "../../store/store.ts";

/** An artifact of a run. */
export interface RunArtifact extends ArtifactRecord {
  /** The stage that made it; absent for an input of the pipeline. */
  readonly stage?: string;
  readonly port: string;
}

/** Finds and reads the artifacts of one run. */
export class RunArtifacts {
  /** What could not be read, one sentence each. */
  readonly missing: string[] = [];
  readonly #store: Store;
  readonly #all = new Map<string, RunArtifact>();
  /** What each stage takes, by stage and port. */
  readonly #inputs = new Map<string, Readonly<Record<string, string>>>();
  readonly #values = new Map<string, Promise<unknown>>();

  constructor(store: Store, record: RunRecord) {
    this.#store = store;
    for (const [port, { kind, digest, path, external }] of Object.entries(record.inputs)) {
      this.#add({
        kind: kind as ArtifactKind,
        digest,
        origin: `inputs.${port}`,
        path: path ?? store.blobPath(digest),
        ...(external !== undefined && { external }),
        port,
      });
    }
    for (const { id, inputs, outputs = {} } of record.stages) {
      this.#inputs.set(id, inputs);
      for (const [port, { kind, digest }] of Object.entries(outputs)) {
        const path = store.blobPath(digest);
        const origin = `${id}.${port}`;
        this.#add({ kind: kind as ArtifactKind, digest, origin, path, stage: id, port });
      }
    }
  }

  #add(artifact: RunArtifact): void {
    this.#all.set(artifact.origin, artifact);
  }

  /** What stages made, in the order of the stages. */
  made(kind: ArtifactKind): RunArtifact[] {
    return [...this.#all.values()].filter((each) => each.kind === kind && each.stage !== undefined);
  }

  /** What a stage takes, by port. */
  inputsOf(stage: string): Readonly<Record<string, string>> {
    return this.#inputs.get(stage) ?? {};
  }

  /**
   * The artifact of a kind that one was made from: by the stage that made it, else by the one that made what that
   * stage changed.
   */
  origin(artifact: RunArtifact, kind: ArtifactKind): RunArtifact | undefined {
    const sources = Object.values(this.#inputs.get(artifact.stage ?? "") ?? {})
      .map((source) => this.#all.get(source)).filter((source) => source !== undefined);
    const found = sources.find((source) => source.kind === kind);
    if (found !== undefined) return found;
    const before = sources.find((source) => source.kind === artifact.kind);
    return before === undefined ? undefined : this.origin(before, kind);
  }

  /** An artifact's value; `undefined`, and noted as missing, if it is not in the store any more. */
  async load<K extends ArtifactKind>(
    artifact: RunArtifact | undefined,
    _kind: K,
  ): Promise<ArtifactValues[K] | undefined> {
    if (artifact === undefined) return undefined;
    const { digest } = artifact;
    let value = this.#values.get(digest);
    if (value === undefined) this.#values.set(digest, value = this.#read(artifact));
    return await value as ArtifactValues[K] | undefined;
  }

  async #read(artifact: RunArtifact): Promise<unknown> {
    try {
      return await openArtifact(artifact, (digest) => this.#store.blobPath(digest)).load();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.missing.push(artifact.origin);
      return undefined;
    }
  }
}
