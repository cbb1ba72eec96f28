/**
 * References to the values of a stage's axes: `${matrix.bits}`.
 *
 * They mean another value in each item, so they are followed when the items of a stage are made, after all other
 * references.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Item } from "./matrix.ts";
import { isObject } from "./paths.ts";
import type { Path } from "./source_text.ts";

const REFERENCE = /\$\$\{matrix\b|\$\{ *matrix((?:\.[^{}.]+)*) *\}/g;
const WHOLE = /^\$\{ *matrix((?:\.[^{}.]+)*) *\}$/;

/** Whether what stands in a reference names an axis. */
export function namesAxis(name: string): boolean {
  return /^ *matrix(?![^. ])/.test(name);
}

/** The axes that the strings of a value refer to, with where they do. */
export function axesNamedIn(value: JsonValue, path: Path = []): [axis: string, path: Path][] {
  if (typeof value === "string") {
    return [...value.matchAll(REFERENCE)].flatMap(([, steps]): [string, Path][] =>
      steps === undefined ? [] : [[stepsOf(steps)[0] ?? "", path]]
    );
  }
  if (Array.isArray(value)) {
    return value.flatMap((member: JsonValue, index) => axesNamedIn(member, [...path, index]));
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => axesNamedIn(member, [...path, name]));
}

/** A value with the values of an item in the place of references to its axes. */
export function withItem(
  value: JsonValue,
  item: Item,
  report: (path: Path, message: string) => void,
  path: Path = [],
): JsonValue {
  const inside = (member: JsonValue, step: string | number) =>
    withItem(member, item, report, [...path, step]);
  if (typeof value === "string") return ofString(value, item, (text) => report(path, text));
  if (Array.isArray(value)) return value.map((member: JsonValue, index) => inside(member, index));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, inside(member, name)]),
  );
}

function ofString(text: string, item: Item, report: (message: string) => void): JsonValue {
  if (!text.includes("${")) return text;
  const whole = WHOLE.exec(text);
  if (whole !== null) return follow(whole[1]!, item, report) ?? text;
  return text.replace(REFERENCE, (found, steps: string | undefined) => {
    if (steps === undefined) return found.slice(1);
    const value = follow(steps, item, report);
    if (value === undefined) return found;
    if (typeof value !== "object" || value === null) return String(value);
    report(`Reference "${found}" names more than fits into a string`);
    return found;
  });
}

function follow(
  steps: string,
  item: Item,
  report: (message: string) => void,
): JsonValue | undefined {
  const [axis, ...rest] = stepsOf(steps);
  // That there is no such axis is said once for all items.
  let value: JsonValue | undefined = axis === undefined ? undefined : item.get(axis)?.value;
  if (value === undefined) return undefined;
  for (const step of rest) {
    const above: JsonValue | undefined = value;
    value = isObject(above) && Object.hasOwn(above, step)
      ? above[step]
      : Array.isArray(above)
      ? (above as readonly JsonValue[])[Number(step)]
      : undefined;
    if (value === undefined) {
      report(`Reference "\${matrix${steps}}" names nothing for ${axis}=${item.get(axis!)!.label}`);
      return undefined;
    }
  }
  return value;
}

function stepsOf(steps: string): string[] {
  return steps.split(".").slice(1);
}
