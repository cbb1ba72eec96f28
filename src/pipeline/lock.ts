/**
 * The lock file of a pipeline: everything that its results depended on, and the results' digests. A later run can prove
 * by it that nothing moved.
 *
 * Its lines are sorted and each stage stands for itself, so that changes to different stages merge.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { type Problem, UserError } from "../base/errors.ts";
import { shortDigest } from "../store/digest.ts";
import type { Digest, Key, KeyManifest, RunRecord, Store } from "../store/store.ts";
import { listChanges } from "./changes.ts";
import { LockError } from "./lock_error.ts";
import { isObject } from "./paths.ts";
import type { Plan } from "./plan.ts";

/** A stage that succeeded. */
interface LockedStage {
  readonly key: Key;
  readonly manifest: KeyManifest;
  /** Digests by port. */
  readonly outputs: Readonly<Record<string, Digest>>;
}

/** The file. */
export interface PipelineLock {
  readonly version: 1;
  readonly pipeline: string;
  /** Digests by name. */
  readonly inputs: Readonly<Record<string, Digest>>;
  /** By id. */
  readonly stages: Readonly<Record<string, LockedStage>>;
}

/** Where the lock file of a pipeline file is: `digits.lock.json` beside `digits.yaml`. */
export function lockPath(file: string): string {
  return `${file.replace(/\.ya?ml$/i, "")}.lock.json`;
}

/**
 * What a run that succeeded used and made.
 *
 * @throws {LockError} If a stage did not succeed, or its result is deleted already.
 */
export async function lockOf(record: RunRecord, store: Store): Promise<PipelineLock> {
  const stages: Record<string, LockedStage> = {};
  for (const { id, key, outputs } of record.stages) {
    const manifest = key === undefined ? undefined : (await store.lookup(key)).action?.manifest;
    if (key === undefined || manifest === undefined || outputs === undefined) {
      throw new LockError({
        message: `Stage "${id}" has no result to lock`,
        hint: "Mend what failed, and run again",
      });
    }
    stages[id] = { key, manifest, outputs: digestsOf(outputs) };
  }
  return { version: 1, pipeline: record.pipeline, inputs: digestsOf(record.inputs), stages };
}

function digestsOf(all: Readonly<Record<string, { readonly digest: Digest }>>) {
  return Object.fromEntries(Object.entries(all).map(([name, { digest }]) => [name, digest]));
}

/** What a lock file is called until it is whole. */
export function temporaryOfLock(path: string): string {
  return `${path}.${Deno.pid}`;
}

/** The text of a lock file. */
export function lockText(lock: PipelineLock): string {
  return `${JSON.stringify(sorted(lock as unknown as JsonValue), null, 2)}\n`;
}

/**
 * Writes a lock file; it is there whole, or as it was before.
 *
 * @throws {UserError} If it cannot be written.
 */
export async function writeLock(path: string, lock: PipelineLock): Promise<void> {
  const temporary = temporaryOfLock(path);
  try {
    await Deno.writeTextFile(temporary, lockText(lock));
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new UserError({
      message: `Lock file "${path}" cannot be written: ${(error as Error).message}`,
      hint: "Mend the permissions of its folder, or leave out --lock",
    }, { cause: error });
  }
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((each: JsonValue) => sorted(each));
  if (!isObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name]!)]));
}

/**
 * Reads a lock file.
 *
 * @throws {LockError} If there is none, or it is not one.
 */
export async function readLock(path: string): Promise<PipelineLock> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LockError({
      message: `Lock file "${path}" does not exist`,
      hint: "Run once with --lock to write it, and commit it beside the pipeline",
    }, { cause: error });
  }
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch (error) {
    throw notALock(path, (error as Error).message);
  }
  if (!isLock(lock)) throw notALock(path, "it has not the form of one, version 1");
  return lock;
}

function isLock(value: unknown): value is PipelineLock {
  const lock = value as JsonValue;
  return isObject(lock) && lock.version === 1 && isOfStrings(lock.inputs) &&
    isObject(lock.stages) &&
    Object.values(lock.stages).every((stage) =>
      isObject(stage) && typeof stage.key === "string" && isOfStrings(stage.outputs) &&
      isObject(stage.manifest) && Array.isArray(stage.manifest.inputs) &&
      stage.manifest.inputs.every((input: JsonValue) =>
        isObject(input) && typeof input.port === "string"
      )
    );
}

function isOfStrings(value: JsonValue | undefined): boolean {
  return isObject(value) && Object.values(value).every((each) => typeof each === "string");
}

function notALock(path: string, why: string): LockError {
  return new LockError({
    message: `"${path}" is not a lock file: ${why}`,
    hint: "Take it from version control again, or run with --lock to write it anew",
  });
}

/** What a plan shows already to be other than locked. */
export function planChanges({ pipeline, inputs, stages }: Plan, lock: PipelineLock): Problem[] {
  const problems: Problem[] = [];
  for (const [name, { record }] of inputs) {
    const locked = Object.hasOwn(lock.inputs, name) ? lock.inputs[name] : undefined;
    if (locked === record.digest) continue;
    const what = locked === undefined
      ? "is not locked"
      : `changed: ${shortDigest(locked)} → ${shortDigest(record.digest)}`;
    problems.push({
      message: `Input "${name}" ${what}`,
      place: pipeline.placeOf(["inputs", name]),
    });
  }
  const known = new Set(
    stages.filter(({ action }) => action !== undefined).map(({ stage }) => stage.id),
  );
  for (const { stage, manifest } of stages) {
    const locked = Object.hasOwn(lock.stages, stage.id) ? lock.stages[stage.id] : undefined;
    if (locked === undefined) {
      problems.push({ message: `Stage "${stage.id}" is not locked`, place: stage.place });
      continue;
    }
    const unknown = [...stage.inputs].filter(([, from]) =>
      from.from === "stage" && !known.has(from.id)
    ).map(([port]) => port);
    const before = {
      ...locked.manifest,
      inputs: locked.manifest.inputs.filter(({ port }) => !unknown.includes(port)),
    };
    for (const { text } of listChanges(before, manifest)) {
      problems.push({ message: `Stage "${stage.id}": ${text}`, place: stage.place });
    }
  }
  const ids = new Set(stages.map(({ stage }) => stage.id));
  for (const id of Object.keys(lock.stages)) {
    if (!ids.has(id)) problems.push({ message: `Stage "${id}" is locked, but not there any more` });
  }
  for (const name of Object.keys(lock.inputs)) {
    if (!inputs.has(name)) {
      problems.push({ message: `Input "${name}" is locked, but not there any more` });
    }
  }
  return problems;
}

/** What a run made otherwise than locked, though its plan was the same. */
export function resultChanges(now: PipelineLock, lock: PipelineLock): Problem[] {
  const problems: Problem[] = [];
  for (const [id, { outputs }] of Object.entries(now.stages)) {
    for (const [port, digest] of Object.entries(outputs)) {
      const locked = lock.stages[id]?.outputs[port];
      if (locked === digest) continue;
      const old = locked === undefined ? "nothing" : shortDigest(locked);
      problems.push({
        message: `Output "${id}.${port}" is ${shortDigest(digest)}, locked is ${old}`,
      });
    }
  }
  return problems;
}

/** The error for what differs. */
export function lockError(path: string, problems: readonly Problem[]): LockError {
  const hint = `Run with --lock to accept it: "${path}" would change`;
  return new LockError(
    problems.map((problem, index) =>
      index === problems.length - 1 ? { ...problem, hint } : problem
    ),
  );
}
