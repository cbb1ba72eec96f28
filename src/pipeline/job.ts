/**
 * The work of one stage, in whatever thread it happens.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { UserError } from "../base/errors.ts";
import type { Artifact, ArtifactKind } from "../registry/artifact.ts";
import { type ArtifactRecord, encodeArtifact, openArtifact } from "../registry/kinds.ts";
import type { Plugin } from "../registry/registry.ts";
import type {
  AnyStage,
  InputArtifacts,
  Progress,
  StageContext,
  StageResult,
} from "../registry/stage.ts";
import type { Digest, Key, Store, StoredOutput } from "../store/store.ts";
import type { StageFailure } from "./events.ts";
import { outputsMade } from "./outputs.ts";
import { portOf } from "./pipeline.ts";

/** A stage to be run, as data that another thread can be sent. */
export interface Job {
  /** The stage's name in the registry. */
  readonly stage: string;
  readonly plugin?: Plugin;
  readonly key: Key;
  readonly parameters: { readonly [name: string]: JsonValue };
  /** By port. */
  readonly inputs: readonly (readonly [port: string, record: ArtifactRecord])[];
  /** Files that inputs refer to, by digest. */
  readonly files: ReadonlyMap<Digest, string>;
  readonly seed: number;
  readonly threads: number;
  /** In bytes. */
  readonly memory: number;
  /** The store's folder. */
  readonly store: string;
}

/** What a stage made; its outputs are in the store. */
export interface JobResult {
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

/** What a stage tells while it works. */
export interface JobHooks {
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  warn(message: string): void;
}

/** Runs a stage and keeps its outputs in the store. */
export async function runJob(
  job: Job,
  definition: AnyStage,
  store: Store,
  hooks: JobHooks,
): Promise<JobResult> {
  const warnings: string[] = [];
  const resolve = (digest: Digest) => job.files.get(digest) ?? store.blobPath(digest);
  const inputs = openInputs(job.inputs, definition, resolve);
  const context: StageContext = {
    seed: job.seed,
    threads: job.threads,
    memory: job.memory,
    signal: hooks.signal,
    checkpoints: store.checkpoints(job.key),
    progress: (progress) => hooks.progress(progress),
    warn(message) {
      if (warnings.includes(message)) return;
      warnings.push(message);
      hooks.warn(message);
    },
  };
  const { run } = await definition.load();
  const result = await run(job.parameters, inputs, context);
  hooks.signal.throwIfAborted();
  const metrics = checkedMetrics(definition, result);
  const outputs = await keepOutputs(definition, job.parameters, result, store);
  return { outputs, metrics, warnings };
}

/** By port; for a port that takes many, whose entries say which, by what is in the brackets. */
function openInputs(
  given: Job["inputs"],
  { inputs: ports }: AnyStage,
  resolve: (digest: Digest) => string,
): InputArtifacts<AnyStage["inputs"]> {
  const many = new Map(
    Object.keys(ports).filter((port) => ports[port]!.many === true)
      .map((port) => [port, new Map<string, Artifact>()]),
  );
  const inputs: Record<string, Artifact | ReadonlyMap<string, Artifact>> = Object.fromEntries(many);
  for (const [port, record] of given) {
    const artifact = openArtifact(record, resolve);
    const all = many.get(portOf(port));
    if (all === undefined) inputs[port] = artifact;
    else all.set(port.slice(portOf(port).length + 1, -1), artifact);
  }
  // Which ports take many is known only here, not to the compiler.
  return inputs as InputArtifacts<AnyStage["inputs"]>;
}

async function keepOutputs(
  definition: AnyStage,
  parameters: Job["parameters"],
  { outputs }: StageResult,
  store: Store,
): Promise<Record<string, StoredOutput>> {
  const { name, outputs: ports } = definition;
  const made = outputsMade(definition, parameters);
  const unknown = Object.keys(outputs).find((port) => !Object.hasOwn(ports, port));
  if (unknown !== undefined) {
    throw new TypeError(`Stage "${name}" returned "${unknown}", which is none of its outputs`);
  }
  const stored: Record<string, StoredOutput> = {};
  for (const [port, { kind }] of Object.entries(ports)) {
    const value = outputs[port];
    if (!made.includes(port)) {
      if (value === undefined) continue;
      throw new TypeError(`Stage "${name}" returned "${port}", which it says that it omits`);
    }
    if (value === undefined) {
      throw new TypeError(`Stage "${name}" did not return its output "${port}"`);
    }
    const bytes = await encodeArtifact<ArtifactKind>(kind, value);
    stored[port] = { kind, ...await store.putBlob(bytes) };
  }
  return stored;
}

function checkedMetrics(
  { name, metrics: declared }: AnyStage,
  { metrics }: StageResult,
): Record<string, number> {
  for (const [metric, value] of Object.entries(metrics ?? {})) {
    if (!Object.hasOwn(declared ?? {}, metric)) {
      throw new TypeError(`Stage "${name}" reported "${metric}", which is none of its metrics`);
    }
    if (!Number.isFinite(value)) {
      throw new RangeError(`Stage "${name}" reported the metric "${metric}" as ${value}`);
    }
  }
  return { ...metrics };
}

/** What a stage threw, as data. */
export function failureOf(thrown: unknown): StageFailure {
  if (thrown instanceof UserError) {
    return { problems: thrown.problems.map(copyOfProblem), defect: false };
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const message = error.message === "" ? error.name : `${error.name}: ${error.message}`;
  return {
    problems: [{ message }],
    defect: true,
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}

/** Problems may carry more than can be sent to another thread. */
function copyOfProblem(
  { message, place, hint }: UserError["problems"][number],
): StageFailure["problems"][number] {
  return {
    message,
    ...(place !== undefined && { place: { ...place } }),
    ...(hint !== undefined && { hint }),
  };
}
