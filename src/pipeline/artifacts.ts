/**
 * The artifacts that are known at some moment of planning or running, and the keys that follow from them.
 *
 * @module
 */

import { engineIdentity } from "../engine/identity.ts";
import type { ArtifactRecord } from "../registry/kinds.ts";
import { type Keyed, keyOf, type Store, type StoredAction } from "../store/store.ts";
import { type Processor, rememberedProcessor } from "./processor.ts";
import { type PipelineStage, type Source, sourceName } from "./pipeline.ts";

/** The artifacts that are known so far, by source. */
export class Artifacts {
  /** Asked only for stages that use integer kernels. */
  readonly processor: Processor;
  readonly #store: Pick<Store, "blobPath">;
  readonly #records = new Map<string, ArtifactRecord>();
  readonly #stages = new Set<string>();

  constructor(
    store: Pick<Store, "blobPath" | "root">,
    processor: Processor = rememberedProcessor(store.root),
  ) {
    this.#store = store;
    this.processor = processor;
  }

  add(source: Source, record: ArtifactRecord): void {
    this.#records.set(sourceName(source), record);
  }

  /** Adds the outputs of a stage that is done. */
  addOutputs(id: string, outputs: StoredAction["outputs"]): void {
    this.#stages.add(id);
    for (const [output, { kind, digest }] of Object.entries(outputs)) {
      const source: Source = { from: "stage", id, output };
      this.add(source, {
        kind: kind as ArtifactRecord["kind"],
        digest,
        origin: sourceName(source),
        path: this.#store.blobPath(digest),
      });
    }
  }

  get(source: Source): ArtifactRecord | undefined {
    return this.#records.get(sourceName(source));
  }

  /** Whether a stage's outputs are known. */
  hasAllOf(id: string): boolean {
    return this.#stages.has(id);
  }
}

/** The key of a stage; `undefined` while one of its inputs is not known. */
export async function keyOfStage(
  stage: PipelineStage,
  artifacts: Artifacts,
  seed: number,
): Promise<Keyed | undefined> {
  for (const source of stage.inputs.values()) {
    if (artifacts.get(source) === undefined) return undefined;
  }
  return await keyOfKnown(stage, artifacts, seed);
}

/** A key with only those inputs that are known: to compare with another one, not to look anything up. */
export async function keyOfKnown(
  { stage: { definition, plugin }, parameters, inputs }: PipelineStage,
  artifacts: Artifacts,
  seed: number,
): Promise<Keyed> {
  const keyInputs = [...inputs].flatMap(([port, source]) => {
    const record = artifacts.get(source);
    return record === undefined ? [] : [{ port, kind: record.kind, digest: record.digest }];
  });
  const engine = {
    ...(definition.engine && engineIdentity()),
    ...(definition.usesIntegerKernels?.(parameters) && {
      processor: { ...await artifacts.processor() },
    }),
  };
  return keyOf({
    stage: definition.name,
    version: definition.version,
    parameters,
    inputs: keyInputs,
    seed,
    ...(plugin !== undefined && { code: plugin.digest }),
    ...(Object.keys(engine).length > 0 && { engine }),
  });
}
