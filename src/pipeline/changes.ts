/**
 * Why a stage has to run again: which ingredients of its key are not what they were.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { pathText } from "../registry/validate.ts";
import type { KeyManifest } from "../store/store.ts";
import { isObject } from "./paths.ts";
import type { Path } from "./source_text.ts";

/** The differences between two manifests, in words; the most telling ones first. */
export function listChanges(before: KeyManifest, after: KeyManifest): string[] {
  const changes: string[] = [];
  if (before.stage !== after.stage) changes.push(`stage ${before.stage} → ${after.stage}`);
  else if (before.version !== after.version) {
    changes.push(`version ${before.version} → ${after.version} of "${after.stage}"`);
  }
  if (before.code !== after.code) changes.push("the plugin's code changed");
  for (const [path, old, now] of differences(before.parameters, after.parameters, [])) {
    changes.push(`${pathText(path)}: ${show(old)} → ${show(now)}`);
  }
  const ports = new Set([...before.inputs, ...after.inputs].map(({ port }) => port));
  for (const port of ports) {
    const old = before.inputs.find((input) => input.port === port);
    const now = after.inputs.find((input) => input.port === port);
    if (old === undefined) changes.push(`input "${port}" is new`);
    else if (now === undefined) changes.push(`input "${port}" is gone`);
    else if (old.digest !== now.digest || old.kind !== now.kind) {
      changes.push(`input "${port}" changed`);
    }
  }
  if (before.seed !== after.seed) changes.push(`seed: ${before.seed} → ${after.seed}`);
  for (const [path, old, now] of differences(before.engine ?? {}, after.engine ?? {}, [])) {
    changes.push(`engine's ${pathText(path)}: ${show(old)} → ${show(now)}`);
  }
  if (before.schema !== after.schema) changes.push("the form of cache keys changed");
  return changes;
}

/** The differences as one line. */
export function describeChanges(before: KeyManifest | undefined, after: KeyManifest): string {
  if (before === undefined) return "its last result was deleted, or was made from something else";
  const changes = listChanges(before, after);
  if (changes.length === 0) return "its result is not in the store";
  const shown = changes.slice(0, 3).join("; ");
  return changes.length > 3 ? `${shown}; and ${changes.length - 3} more` : shown;
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
