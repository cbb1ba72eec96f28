/**
 * A stage's parameters as a flat list, for help and documentation.
 *
 * @module
 */

import { isTuple, type Schema } from "./schema.ts";

/** One parameter. */
export interface ParameterDescription {
  /** As in `--set`: `weights.bits`; `overrides[].match` for the items of a list. */
  readonly path: string;
  /** Such as `integer from 2 to 8` or `"symmetric" or "asymmetric"`. */
  readonly type: string;
  readonly required: boolean;
  /** The default as YAML would write it; `undefined` if there is none. */
  readonly fallback: string | undefined;
  readonly description: string;
}

/** All parameters of a schema, those of an object after the object itself. */
export function describeParameters(schema: object): ParameterDescription[] {
  return [...members(schema as Schema, "")];
}

function* members(schema: Schema, prefix: string): Generator<ParameterDescription> {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const required = schema.required?.includes(name) === true && member.default === undefined;
    yield {
      path,
      type: describeType(member),
      required,
      fallback: member.default === undefined ? undefined : JSON.stringify(member.default),
      description: member.description ?? "",
    };
    yield* inner(member, path);
  }
}

function* inner(schema: Schema, path: string): Generator<ParameterDescription> {
  yield* members(schema, path);
  for (const branch of schema.anyOf ?? []) yield* inner(branch, path);
  if (schema.items !== undefined && !isTuple(schema.items)) yield* inner(schema.items, `${path}[]`);
  for (const values of Object.values(schema.patternProperties ?? {})) {
    yield* inner(values, `${path}.*`);
  }
  if (typeof schema.additionalProperties === "object") {
    yield* inner(schema.additionalProperties, `${path}.*`);
  }
}

/** What values a schema allows, in words. */
export function describeType(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return either(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.anyOf !== undefined) return either([...new Set(schema.anyOf.map(describeType))]);
  switch (schema.type) {
    case "array":
      if (schema.items === undefined) return "list";
      return isTuple(schema.items)
        ? `list [${schema.items.map(describeType).join(", ")}]`
        : `list of ${describeType(schema.items)}`;
    case "integer":
    case "number":
      return schema.type + describeLimits(schema);
    case undefined:
      return "any value";
    default:
      return schema.type;
  }
}

function describeLimits(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const limits = [
    minimum === undefined ? undefined : `at least ${minimum}`,
    exclusiveMinimum === undefined ? undefined : `above ${exclusiveMinimum}`,
    maximum === undefined ? undefined : `at most ${maximum}`,
    exclusiveMaximum === undefined ? undefined : `below ${exclusiveMaximum}`,
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? "" : ` ${limits.join(" and ")}`;
}

function either(choices: readonly string[]): string {
  if (choices.length < 2) return choices.join("");
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
