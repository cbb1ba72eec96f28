/**
 * How users name a value of a pipeline: `seed`, `inputs.test.take`, `stages.w4.with.weights.bits`.
 *
 * A stage is named by its id or its number from 0, and `stages.` may be left out before an id.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { didYouMean } from "../base/suggest.ts";
import type { Path } from "./source_text.ts";

/** The keys that a pipeline may have at the top. */
export const PIPELINE_KEYS = [
  "name",
  "description",
  "seed",
  "inputs",
  "matrix",
  "stages",
  "plugins",
  "store",
] as const;

/** What a stage's id, and the name of an input, look like. */
export const NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_-]*$";

type JsonObject = { readonly [name: string]: JsonValue };

/** The ids of the stages of a pipeline that is not checked yet, by index: given ones, and names made unique. */
export function stageIds(pipeline: JsonValue): string[] {
  const stages = isObject(pipeline) && Array.isArray(pipeline.stages) ? pipeline.stages : [];
  const given = stages.map((stage) => stringMember(stage, "id"));
  const taken = new Set(given.filter((id) => id !== undefined));
  return stages.map((stage, index) => {
    const id = given[index];
    if (id !== undefined) return id;
    const base = stringMember(stage, "uses") ?? `stages[${index}]`;
    let free = base;
    for (let number = 2; taken.has(free); number++) free = `${base}-${number}`;
    taken.add(free);
    return free;
  });
}

/** A path that could not be read: what is wrong with it, as the rest of a sentence, and the way out. */
export class PathError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Reads a path up to where its names are free.
 *
 * @throws {PathError} If its first part names nothing, or it names a stage or input that is not there.
 */
export function parsePath(text: string, pipeline: JsonValue): Path {
  const steps = text.trim().replace(/\[(\d+)\]/g, ".$1").split(".");
  if (steps.some((step) => step === "")) {
    throw new PathError("is not a path", 'Write it like "stages.w4.with.weights.bits"');
  }
  const [first, ...rest] = steps as [string, ...string[]];
  const ids = stageIds(pipeline);
  if (ids.includes(first) && !isPipelineKey(first)) return stagePath(first, rest, ids);
  if (!isPipelineKey(first)) {
    throw new PathError(
      `begins with "${first}", which is no part of the pipeline`,
      didYouMean(first, [...PIPELINE_KEYS, ...ids]),
    );
  }
  if (first === "stages" && rest.length > 0) return stagePath(rest[0]!, rest.slice(1), ids);
  if (first === "inputs" && rest.length > 0) {
    const inputs = isObject(pipeline) && isObject(pipeline.inputs) ? pipeline.inputs : {};
    if (!Object.hasOwn(inputs, rest[0]!)) {
      throw new PathError(
        `names the input "${rest[0]}", which is not there`,
        didYouMean(rest[0]!, Object.keys(inputs)),
      );
    }
  }
  return [first, ...rest.map(asStep)];
}

function stagePath(name: string, rest: readonly string[], ids: string[]): Path {
  const byId = ids.indexOf(name);
  const index = byId >= 0 ? byId : /^\d+$/.test(name) ? Number(name) : -1;
  if (index < 0 || index >= ids.length) {
    throw new PathError(
      `names the stage "${name}", which is not there`,
      didYouMean(name, ids),
    );
  }
  return ["stages", index, ...rest.map(asStep)];
}

function asStep(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function isPipelineKey(name: string): boolean {
  return (PIPELINE_KEYS as readonly string[]).includes(name);
}

function stringMember(value: JsonValue, name: string): string | undefined {
  const member = isObject(value) ? value[name] : undefined;
  return typeof member === "string" ? member : undefined;
}

/** Whether a value is a map. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
