/**
 * Schemas as editors and other programs read them: JSON Schema, draft 7.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { isTuple, requiredKeys, type Schema } from "../../registry/schema.ts";
import { allowsOthers } from "../../registry/validate.ts";

type JsonObject = { readonly [name: string]: JsonValue };

/** The dialect that editors know best. */
export const DIALECT = "http://json-schema.org/draft-07/schema#";

/** What `${…}` looks like, in the place of any value. Without a text: editors would show it with every option's own. */
export const REFERENCE: JsonObject = {
  $comment: "A reference to another value of the pipeline",
  type: "string",
  pattern: "^\\$\\{[^{}]+\\}$",
};

/** How a schema is published. */
export interface PublishOptions {
  /** Whether a reference to another value can stand in the place of each value. */
  readonly references: boolean;
}

/** A schema with our rules on keys spelled out in JSON Schema's own. */
export function publishSchema(schema: Schema, options: PublishOptions): JsonObject {
  const { title, description, default: fallback, examples, ...rules } = schema;
  const notes = given({ title, description, default: fallback, examples });
  const published = publishRules(rules, options);
  if (!options.references || acceptsAnyString(schema)) return { ...notes, ...published };
  // One level only: inside a second one, editors lose the option's text.
  const { anyOf, ...others } = published;
  const branches = Array.isArray(anyOf) && Object.keys(others).length === 0 ? anyOf : [published];
  return { ...notes, anyOf: [...branches, { $ref: "#/definitions/reference" }] };
}

function publishRules(schema: Schema, options: PublishOptions): JsonObject {
  const publish = (member: Schema) => publishSchema(member, options);
  const { anyOf, properties, patternProperties, additionalProperties, items, ...rest } = schema;
  const { required: _required, ...plain } = rest;
  const required = requiredKeys(schema);
  const isObject = properties !== undefined || patternProperties !== undefined;
  return {
    ...given(plain as Record<string, JsonValue>),
    // Each branch stands for itself; references are allowed once, around them.
    ...(anyOf && { anyOf: anyOf.map((branch) => publishSchema(branch, { references: false })) }),
    ...(properties && { properties: mapValues(properties, publish) }),
    ...(patternProperties && { patternProperties: mapValues(patternProperties, publish) }),
    ...(typeof additionalProperties === "object"
      ? { additionalProperties: publish(additionalProperties) }
      : isObject && !allowsOthers(schema)
      ? { additionalProperties: false }
      : {}),
    ...(required.length > 0 && { required }),
    ...(items !== undefined && { items: isTuple(items) ? items.map(publish) : publish(items) }),
  };
}

/** Whether a reference is nothing special among the strings that a schema allows. */
function acceptsAnyString(schema: Schema): boolean {
  if (Object.keys(schema).length === 0) return true;
  return schema.type === "string" && schema.enum === undefined && schema.const === undefined &&
    schema.pattern === undefined && schema.maxLength === undefined;
}

function given(values: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Record<string, JsonValue>;
}

function mapValues(
  values: Readonly<Record<string, Schema>>,
  publish: (schema: Schema) => JsonObject,
): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, publish(value)]),
  );
}
