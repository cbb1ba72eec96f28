/**
 * Pipelines from programs: define, run, read what came out.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { didYouMean } from "../base/suggest.ts";
import type { Artifact, ArtifactKind } from "../registry/artifact.ts";
import { openArtifact } from "../registry/kinds.ts";
import { type ExecuteOptions, executePlan, type RunOutcome } from "./execute.ts";
import { type DefineOptions, definePipelineValue, loadPipeline } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";
import { openPipelineStore, type RemoteMode } from "./pipeline_store.ts";
import { type PlanOptions, planPipeline } from "./plan.ts";
import type { PipelineDefinition } from "./typed_spec.ts";

/** How a pipeline is run from a program. */
export interface RunOptions extends ExecuteOptions, PlanOptions {
  /** The store's folder; what the pipeline says, or `.bitbound` in the current folder, unless told. */
  readonly store?: string;
  /** The address of a remote store, instead of what the pipeline says; `"none"` for none. */
  readonly remote?: string;
  /** Whether that store is also written to, instead of what the pipeline says. */
  readonly remoteMode?: RemoteMode;
  /** Variables by which remote stores know who asks, such as `AWS_ACCESS_KEY_ID`; none unless told. */
  readonly environment?: (name: string) => string | undefined;
  /** Told of damage that was found in a store, and of a remote store that cannot be used. */
  readonly onWarning?: (message: string) => void;
  /** For a pipeline in a file: changes to it, `"path=value"` each. */
  readonly set?: readonly string[];
}

/** A run that is over. */
export interface Run extends RunOutcome {
  /**
   * An output of a stage, such as `"w4.model"`, or an input of the pipeline, such as `"inputs.test"`.
   *
   * @throws {RangeError} If there is none: the stage failed, or has no such output.
   */
  artifact<K extends ArtifactKind = ArtifactKind>(name: string): Artifact<K>;
}

/**
 * Checks a pipeline that is written in TypeScript.
 *
 * @throws {UserError} With every problem that the compiler could not see.
 */
export async function definePipeline(
  definition: PipelineDefinition,
  options: Omit<DefineOptions, "stages"> = {},
): Promise<Pipeline> {
  return await definePipelineValue(JSON.parse(JSON.stringify(definition)) as JsonValue, options);
}

/**
 * Runs a pipeline, or a pipeline file.
 *
 * A stage that fails, or a gate that is not met, is part of the result; see `status`.
 *
 * @throws {UserError} If the pipeline or its inputs are wrong.
 */
export async function run(pipeline: Pipeline | string, options: RunOptions = {}): Promise<Run> {
  const loaded = typeof pipeline === "string"
    ? await loadPipeline(pipeline, { set: options.set ?? [] })
    : pipeline;
  await using opened = await openPipelineStore(loaded, {
    usual: () => ".bitbound",
    ...(options.store !== undefined && { folder: options.store }),
    ...(options.remote !== undefined && { remote: options.remote }),
    ...(options.remoteMode !== undefined && { mode: options.remoteMode }),
    ...(options.environment !== undefined && { environment: options.environment }),
    ...(options.onWarning !== undefined && { onWarning: options.onWarning }),
  });
  const { store } = opened;
  const plan = await planPipeline(loaded, store, options);
  const outcome = await executePlan(plan, options);
  const records = new Map(
    [...plan.inputs.values()].map(({ record }) => [record.origin, record]),
  );
  for (const { stage, outputs } of outcome.stages) {
    for (const [output, { kind, digest, path }] of Object.entries(outputs)) {
      const origin = `${stage}.${output}`;
      records.set(origin, { kind: kind as ArtifactKind, digest, origin, path });
    }
  }
  const files = new Map([...plan.inputs.values()].flatMap((input) => [...input.files]));
  const resolve = (digest: string) => files.get(digest) ?? store.blobPath(digest);
  return {
    ...outcome,
    artifact<K extends ArtifactKind>(name: string): Artifact<K> {
      const record = records.get(name);
      if (record !== undefined) return openArtifact(record, resolve) as Artifact<K>;
      const hint = didYouMean(name, records.keys());
      throw new RangeError(
        `There is no artifact "${name}"${hint === undefined ? "" : `: ${hint}`}`,
      );
    },
  };
}
