/**
 * The part of TypeBox that declares plain data, without loading TypeBox.
 *
 * The types are TypeBox's own, and so are the schemas that come out, to the order of their keys; a test compares them.
 * TypeBox itself is 250 modules, which take longer to load than all of a cached run.
 *
 * @module
 */

import type { JavaScriptTypeBuilder } from "@sinclair/typebox";

export type { Static, TObject, TProperties, TSchema } from "@sinclair/typebox";

/** TypeBox finds out by these what a schema is, so that its functions take ours. */
const KIND = Symbol.for("TypeBox.Kind");
const OPTIONAL = Symbol.for("TypeBox.Optional");

/** The pattern of keys that can be any string. */
const ANY_KEY = "^(.*)$";

/** A schema that is being made. */
interface Made {
  readonly [KIND]?: string;
  readonly [OPTIONAL]?: "Optional";
  readonly [keyword: string]: unknown;
}

type Properties = Readonly<Record<string, Made>>;

function made(kind: string, schema: Made, options?: Made): Made {
  return { ...options, [KIND]: kind, ...schema };
}

function object(properties: Properties, options?: Made): Made {
  const required = Object.keys(properties).filter((name) => !(OPTIONAL in properties[name]!));
  return made("Object", {
    type: "object",
    ...(required.length > 0 && { required }),
    properties,
  }, options);
}

/** An object schema with other properties, and options that override its own. */
function mapped(schema: Made, properties: Properties, options?: Made): Made {
  const { required: _required, properties: _properties, ...rest } = schema;
  return { ...object(properties, rest), ...options };
}

const builder = {
  String: (options?: Made) => made("String", { type: "string" }, options),
  Number: (options?: Made) => made("Number", { type: "number" }, options),
  Integer: (options?: Made) => made("Integer", { type: "integer" }, options),
  Boolean: (options?: Made) => made("Boolean", { type: "boolean" }, options),
  Null: (options?: Made) => made("Null", { type: "null" }, options),
  Unknown: (options?: Made) => made("Unknown", {}, options),
  Literal: (value: unknown, options?: Made) =>
    made("Literal", { const: value, type: typeof value }, options),
  Array: (items: Made, options?: Made) => made("Array", { type: "array", items }, options),
  Tuple: (items: readonly Made[], options?: Made) =>
    made("Tuple", {
      type: "array",
      items,
      additionalItems: false,
      minItems: items.length,
      maxItems: items.length,
    }, options),
  Object: object,
  Record: (key: Made, value: Made, options?: Made) => {
    const pattern = typeof key.pattern === "string" ? key.pattern : ANY_KEY;
    return made("Record", { type: "object", patternProperties: { [pattern]: value } }, options);
  },
  Union: (branches: readonly Made[], options?: Made) =>
    branches.length === 1
      ? { ...options, ...branches[0]! }
      : made("Union", { anyOf: branches }, options),
  Optional: (schema: Made) => ({ ...schema, [OPTIONAL]: "Optional" }),
  Partial: (schema: Made, options?: Made) => {
    const properties = Object.entries(schema.properties as Properties)
      .map(([name, property]) => [name, builder.Optional(property)]);
    return mapped(schema, Object.fromEntries(properties), options);
  },
  Omit: (schema: Made, names: readonly string[], options?: Made) => {
    const properties = Object.entries(schema.properties as Properties)
      .filter(([name]) => !names.includes(name));
    return mapped(schema, Object.fromEntries(properties), options);
  },
  Unsafe: (schema: Made) => made(schema[KIND] ?? "Unsafe", schema),
};

/** Declares schemas, as TypeBox's `Type` does; `Union` and `Tuple` need at least one member, `Record` keys that are strings. */
export const Type = builder as unknown as Pick<JavaScriptTypeBuilder, keyof typeof builder>;
