/**
 * Fills in what a pipeline leaves to the defaults, so that a cache key does not depend on what was spelled out.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { isTuple, type Schema, typeOf } from "./schema.ts";
import { fits, patterned } from "./validate.ts";

type JsonObject = { readonly [name: string]: JsonValue };

/** A valid value with every default of its schema filled in, at every depth; the value itself stays as it is. */
export function fillDefaults(schema: Schema, value: JsonValue): JsonValue {
  if (schema.anyOf !== undefined) {
    const branch = schema.anyOf.find((each) => fits(each, value));
    return branch === undefined ? value : fillDefaults(branch, value);
  }
  switch (typeOf(value)) {
    case "object":
      return fillObject(schema, value as JsonObject);
    case "array": {
      const { items } = schema;
      if (items === undefined) return value;
      return (value as readonly JsonValue[]).map((item, index) =>
        fillDefaults(isTuple(items) ? items[index]! : items, item)
      );
    }
    default:
      return value;
  }
}

function fillObject(schema: Schema, value: JsonObject): JsonObject {
  const filled: Record<string, JsonValue> = {};
  const properties = schema.properties ?? {};
  for (const [name, property] of Object.entries(properties)) {
    const given = Object.hasOwn(value, name) ? value[name] : property.default;
    if (given !== undefined) filled[name] = fillDefaults(property, given);
  }
  for (const [name, member] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) continue;
    const rest = patterned(schema, name);
    filled[name] = rest === undefined ? member : fillDefaults(rest, member);
  }
  return filled;
}
