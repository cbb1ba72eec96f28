/**
 * JSON with one spelling for each value (RFC 8785), so that its digest identifies the value.
 *
 * @module
 */

import canonicalize from "canonicalize";

/** A value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * The canonical JSON text of a value: object keys sorted, no white space, shortest numbers.
 *
 * Object members that are `undefined` are left out, as JSON does.
 *
 * @throws {TypeError} If something in it has no JSON form (a bigint, NaN, a class instance, `undefined` in an
 *   array, a lone surrogate), because two such values could get the same text.
 */
export function canonicalJson(value: JsonValue): string {
  const problem = problemOf(value);
  if (problem !== undefined) throw new TypeError(`$${problem.path} ${problem.text}`);
  return canonicalize(value)!;
}

/** What has no JSON form in a value, and where in it that is. */
interface Problem {
  readonly path: string;
  readonly text: string;
}

function problemOf(value: unknown): Problem | undefined {
  switch (typeof value) {
    case "boolean":
      return undefined;
    case "string":
      return value.isWellFormed() ? undefined : { path: "", text: "holds a lone surrogate" };
    case "number":
      if (Number.isFinite(value)) return undefined;
      return { path: "", text: `is not a finite number: ${value}` };
    case "object":
      break;
    default:
      return { path: "", text: `has no JSON form: ${typeof value}` };
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const problem = problemOf(value[index]);
      if (problem !== undefined) return { ...problem, path: `[${index}]${problem.path}` };
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { path: "", text: `has no JSON form: ${prototype?.constructor?.name ?? "object"}` };
  }
  for (const name of Object.keys(value)) {
    if (!name.isWellFormed()) return { path: "", text: "holds a key with a lone surrogate" };
    const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
    const problem = member === undefined ? undefined : problemOf(member);
    if (problem !== undefined) return { ...problem, path: `.${name}${problem.path}` };
  }
  return undefined;
}
