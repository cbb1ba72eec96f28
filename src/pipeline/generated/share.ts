/**
 * Writes what a schema repeats only once.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { isObject } from "../paths.ts";

type JsonObject = { readonly [name: string]: JsonValue };

/** Shorter parts are easier to read in place. */
const LEAST_CHARACTERS = 300;

/** Moves the properties that occur several times into `definitions`, under the property's name. */
export function shareRepeated(schema: JsonObject): JsonObject {
  const counts = new Map<string, { name: string; count: number }>();
  visitProperties(schema, (name, value) => {
    const text = JSON.stringify(value);
    if (text.length < LEAST_CHARACTERS) return value;
    counts.set(text, { name, count: (counts.get(text)?.count ?? 0) + 1 });
    return value;
  });
  const definitions: Record<string, JsonValue> = {};
  const names = new Map<string, string>();
  for (const [text, { name, count }] of counts) {
    if (count < 2) continue;
    let free = name;
    for (let number = 2; isTaken(schema, definitions, free); number++) free = `${name}-${number}`;
    names.set(text, free);
    definitions[free] = JSON.parse(text);
  }
  const replace = (value: JsonObject) =>
    visitProperties(value, (_, member) => {
      const name = names.get(JSON.stringify(member));
      return name === undefined ? undefined : { $ref: `#/definitions/${name}` };
    }) as JsonObject;
  const shared = replace(schema);
  for (const [name, definition] of Object.entries(definitions)) {
    definitions[name] = replace(definition as JsonObject);
  }
  return { ...shared, definitions: { ...shared.definitions as JsonObject, ...definitions } };
}

function isTaken(schema: JsonObject, definitions: JsonObject, name: string): boolean {
  return name in definitions || name in (schema.definitions as JsonObject ?? {});
}

/**
 * Copies a schema, with each member of `properties` replaced by what `replace` gives; by a copy of itself, if it
 * gives nothing or the member.
 */
function visitProperties(
  value: JsonValue,
  replace: (name: string, value: JsonObject) => JsonObject | undefined,
): JsonValue {
  if (Array.isArray(value)) {
    return value.map((item: JsonValue) => visitProperties(item, replace));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (key !== "properties" || !isObject(member)) {
        return [key, visitProperties(member, replace)];
      }
      const properties = Object.entries(member).map(([name, property]) => {
        const replaced = isObject(property) ? replace(name, property) : undefined;
        return [
          name,
          replaced === undefined || replaced === property
            ? visitProperties(property, replace)
            : replaced,
        ];
      });
      return [key, Object.fromEntries(properties)];
    }),
  );
}
