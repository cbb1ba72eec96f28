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
  requireJson(value, "$");
  return canonicalize(value)!;
}

function requireJson(value: unknown, path: string): void {
  switch (typeof value) {
    case "boolean":
      return;
    case "string":
      if (!value.isWellFormed()) throw new TypeError(`${path} holds a lone surrogate`);
      return;
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${path} is not a finite number: ${value}`);
      return;
    case "object":
      break;
    default:
      throw new TypeError(`${path} has no JSON form: ${typeof value}`);
  }
  if (value === null) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      requireJson(value[index], `${path}[${index}]`);
    }
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path} has no JSON form: ${prototype?.constructor?.name ?? "object"}`);
  }
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) throw new TypeError(`A key of ${path} holds a lone surrogate`);
    if (member !== undefined) requireJson(member, `${path}.${name}`);
  }
}
