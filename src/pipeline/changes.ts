/**
 * Why a stage has to run again: which ingredients of its key are not what they were.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { pathText } from "../registry/validate.ts";
import { shortDigest } from "../store/digest.ts";
import type { KeyManifest } from "../store/store.ts";
import { isObject } from "./paths.ts";
import type { Path } from "./source_text.ts";

/** One ingredient of a key that is not what it was. */
export interface KeyChange {
  readonly ingredient:
    | "stage"
    | "version"
    | "code"
    | "parameter"
    | "input"
    | "seed"
    | "engine"
    | "schema";
  /** Which parameter, input or property of the engine; else the ingredient itself. */
  readonly name: string;
  /** Absent if it was not there. */
  readonly before?: JsonValue;
  /** Absent if it is gone. */
  readonly after?: JsonValue;
  /** The change in words. */
  readonly text: string;
}

/** The differences between two manifests; the most telling ones first. */
export function listChanges(before: KeyManifest, after: KeyManifest): KeyChange[] {
  const changes: KeyChange[] = [];
  const add = (
    ingredient: KeyChange["ingredient"],
    name: string,
    old: JsonValue | undefined,
    now: JsonValue | undefined,
    text: string,
  ) => {
    changes.push({
      ingredient,
      name,
      ...(old !== undefined && { before: old }),
      ...(now !== undefined && { after: now }),
      text,
    });
  };
  if (before.stage !== after.stage) {
    add("stage", "stage", before.stage, after.stage, `stage ${before.stage} → ${after.stage}`);
  } else if (before.version !== after.version) {
    const text = `version ${before.version} → ${after.version} of "${after.stage}"`;
    add("version", "version", before.version, after.version, text);
  }
  if (before.code !== after.code) {
    add("code", "code", before.code, after.code, "the plugin's code changed");
  }
  for (const [path, old, now] of differences(before.parameters, after.parameters, [])) {
    const name = pathText(path);
    add("parameter", name, old, now, `${name}: ${show(old)} → ${show(now)}`);
  }
  const ports = new Set([...before.inputs, ...after.inputs].map(({ port }) => port));
  for (const port of ports) {
    const old = before.inputs.find((input) => input.port === port);
    const now = after.inputs.find((input) => input.port === port);
    if (old !== undefined && now !== undefined && old.digest === now.digest) {
      if (old.kind === now.kind) continue;
      add("input", port, old.kind, now.kind, `input "${port}": ${old.kind} → ${now.kind}`);
      continue;
    }
    const what = old === undefined ? "is new" : now === undefined ? "is gone" : "changed";
    add("input", port, old?.digest, now?.digest, `input "${port}" ${what}`);
  }
  if (before.seed !== after.seed) {
    add("seed", "seed", before.seed, after.seed, `seed: ${before.seed} → ${after.seed}`);
  }
  for (const [path, old, now] of differences(before.engine ?? {}, after.engine ?? {}, [])) {
    const name = pathText(path);
    add("engine", name, old, now, `engine's ${name}: ${show(old)} → ${show(now)}`);
  }
  if (before.schema !== after.schema) {
    add("schema", "schema", before.schema, after.schema, "the form of cache keys changed");
  }
  return changes;
}

/** The differences as one line. */
export function describeChanges(before: KeyManifest | undefined, after: KeyManifest): string {
  if (before === undefined) return "its last result was deleted, or was made from something else";
  const changes = listChanges(before, after).map(({ text }) => text);
  if (changes.length === 0) return "its result is not in the store";
  const shown = changes.slice(0, 3).join("; ");
  return changes.length > 3 ? `${shown}; and ${changes.length - 3} more` : shown;
}

/** A value before or after a change, as people read it. */
export function showIngredient({ ingredient }: KeyChange, value: JsonValue | undefined): string {
  const isDigest = ingredient === "code" || ingredient === "input";
  return isDigest && typeof value === "string" ? shortDigest(value) : show(value);
}

type Difference = [path: Path, before: JsonValue | undefined, after: JsonValue | undefined];

function differences(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path: Path,
): Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => differences(before[name], after[name], [...path, name]));
  }
  const same = before !== undefined && after !== undefined &&
    canonicalJson(before) === canonicalJson(after);
  return same || before === after ? [] : [[path, before, after]];
}

function show(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
