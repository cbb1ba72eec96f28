/**
 * The part of JSON Schema that parameters of stages use: what TypeBox makes for plain data.
 *
 * Two rules differ from JSON Schema, because they are what a pipeline's author expects: an object takes only the
 * keys it declares, unless it says otherwise, and a key with a default need not be given.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";

/** A schema, as plain JSON. */
export interface Schema {
  readonly type?: SchemaType;
  readonly const?: JsonValue;
  readonly enum?: readonly JsonValue[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** A list of schemas is a tuple. */
  readonly items?: Schema | readonly Schema[];
  readonly additionalItems?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly examples?: readonly JsonValue[];
}

/** The types of JSON. */
export type SchemaType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

const KEYWORDS = new Set<string>(
  [
    "type",
    "const",
    "enum",
    "anyOf",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "minProperties",
    "maxProperties",
    "items",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "title",
    "description",
    "default",
    "examples",
  ] satisfies (keyof Schema)[],
);

/** Schemas that were found to be right: they are declared once and taken often. */
const checked = new WeakSet<object>();

/**
 * Takes a TypeBox schema as plain data.
 *
 * @throws {TypeError} If it uses a keyword that is not part of {@linkcode Schema}; names it and where.
 */
export function asSchema(value: unknown, path = "parameters"): Schema {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`Schema ${path} must be an object`);
  }
  if (checked.has(value)) return value as Schema;
  for (const keyword of Object.keys(value)) {
    if (!KEYWORDS.has(keyword)) {
      throw new TypeError(`Schema ${path} uses "${keyword}", which is not supported`);
    }
  }
  const schema = value as Schema;
  schema.anyOf?.forEach((branch, index) => asSchema(branch, `${path}.anyOf[${index}]`));
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    asSchema(member, `${path}.${name}`);
  }
  for (const [pattern, member] of Object.entries(schema.patternProperties ?? {})) {
    asSchema(member, `${path}.<${pattern}>`);
  }
  if (typeof schema.additionalProperties === "object") {
    asSchema(schema.additionalProperties, `${path}.*`);
  }
  if (isTuple(schema.items)) {
    schema.items.forEach((item, index) => asSchema(item, `${path}[${index}]`));
  } else if (schema.items !== undefined) asSchema(schema.items, `${path}[]`);
  checked.add(value);
  return schema;
}

/** Whether `items` is a list of schemas, one for each position. */
export function isTuple(items: Schema["items"]): items is readonly Schema[] {
  return Array.isArray(items);
}

/** The type of a value, `integer` before `number`. */
export function typeOf(value: JsonValue): SchemaType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "string":
      return "string";
    case "number":
      return Number.isInteger(value) ? "integer" : "number";
    default:
      return "object";
  }
}

/** Whether a value is of a type; every integer is a number. */
export function hasType(value: JsonValue, type: SchemaType): boolean {
  const actual = typeOf(value);
  return actual === type || (type === "number" && actual === "integer");
}

/** The values that a schema allows, if it is a plain choice. */
export function choices(schema: Schema): readonly JsonValue[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  if (schema.enum !== undefined) return schema.enum;
  if (schema.anyOf === undefined) return undefined;
  const all: JsonValue[] = [];
  for (const branch of schema.anyOf) {
    const some = choices(branch);
    if (some === undefined) return undefined;
    all.push(...some);
  }
  return all;
}

/** What a schema expects, in words: `an integer from 2 to 16`, `"mse" or "minmax"`. */
export function describe(schema: Schema): string {
  const list = choices(schema);
  if (list !== undefined) return alternatives(list.map((value) => JSON.stringify(value)));
  if (schema.anyOf !== undefined) {
    const isMap = (branch: Schema) => branch.type === "object" && requiredKeys(branch).length === 1;
    const words = new Set(schema.anyOf.filter((branch) => !isMap(branch)).map(describe));
    const keys = schema.anyOf.filter(isMap).flatMap(requiredKeys);
    if (keys.length > 0) {
      words.add(`a map with ${alternatives(keys.map((key) => JSON.stringify(key)))}`);
    }
    const list = [...words];
    return list.length < 2 ? list.join() : `${list.slice(0, -1).join(", ")}, or ${list.at(-1)}`;
  }
  switch (schema.type) {
    case "integer":
      return `an integer${describeInterval(schema)}`;
    case "number":
      return `a number${describeInterval(schema)}`;
    case "string":
      return "a string";
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      return describeArray(schema);
    case "object":
      return describeMap(schema);
    default:
      return "a value";
  }
}

function describeInterval(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const parts: string[] = [];
  if (minimum !== undefined && maximum !== undefined) parts.push(`from ${minimum} to ${maximum}`);
  else if (minimum !== undefined) parts.push(`of at least ${minimum}`);
  else if (maximum !== undefined) parts.push(`of at most ${maximum}`);
  if (exclusiveMinimum !== undefined) parts.push(`greater than ${exclusiveMinimum}`);
  if (exclusiveMaximum !== undefined) parts.push(`less than ${exclusiveMaximum}`);
  if (multipleOf !== undefined) parts.push(`that is a multiple of ${multipleOf}`);
  return parts.length === 0 ? "" : ` ${parts.join(" and ")}`;
}

/** A map by the keys that tell it from others. */
function describeMap(schema: Schema): string {
  const keys = requiredKeys(schema).map((key) => JSON.stringify(key));
  return keys.length === 0 ? "a map" : `a map with ${keys.join(" and ")}`;
}

/** The keys that have to be given: required, and without a default. */
export function requiredKeys(schema: Schema): string[] {
  return (schema.required ?? []).filter((key) => schema.properties?.[key]?.default === undefined);
}

function describeArray(schema: Schema): string {
  const { items, minItems, maxItems } = schema;
  if (isTuple(items)) return `a list of ${items.length} values (${items.map(describe).join(", ")})`;
  const of = items === undefined ? "" : `, each ${describe(items)}`;
  if (minItems !== undefined && minItems === maxItems) return `a list of ${minItems} values${of}`;
  if (minItems === 1) return `a list that is not empty${of}`;
  if (minItems !== undefined && minItems > 1) return `a list of at least ${minItems} values${of}`;
  return `a list${of}`;
}

/** `a, b or c` */
export function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "nothing";
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
