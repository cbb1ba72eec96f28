/**
 * Checks values against schemas and says what is wrong in words for people.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { didYouMean, suggest } from "../base/suggest.ts";
import {
  alternatives,
  choices,
  describe,
  hasType,
  isTuple,
  requiredKeys,
  type Schema,
  typeOf,
} from "./schema.ts";
import { validateUnion } from "./validate_union.ts";

/** Keys and indices from the checked value down. */
export type Path = readonly (string | number)[];

/** One thing that does not fit a schema: "«subject» «predicate»" is a sentence about it. */
export interface Issue {
  /** Where to point at. */
  readonly path: Path;
  /** Whether to point at the key at `path`, or at its value. */
  readonly at: "key" | "value";
  /** What it is about. */
  readonly subject: Path;
  /** What is wrong with it, such as `must be an integer: current value is "four"`. */
  readonly predicate: string;
  readonly hint?: string;
}

type JsonObject = { readonly [name: string]: JsonValue };

/** A path as people write it: `weights.bits`, `mean[0]`. */
export function pathText(path: Path): string {
  return path.map((step, index) =>
    typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`
  ).join("");
}

/** All that is wrong with a value; empty if it fits. */
export function validate(schema: Schema, value: JsonValue, path: Path = []): Issue[] {
  const list = choices(schema);
  if (list !== undefined) return validateChoice(list, value, path);
  if (schema.anyOf !== undefined) return validateUnion(schema, schema.anyOf, value, path);
  if (schema.type !== undefined && !hasType(value, schema.type)) {
    return [wrongValue(schema, value, path)];
  }
  switch (typeOf(value)) {
    case "object":
      return validateObject(schema, value as JsonObject, path);
    case "array":
      return validateArray(schema, value as readonly JsonValue[], path);
    case "string":
      return validateString(schema, value as string, path);
    case "integer":
    case "number":
      return isInInterval(schema, value as number) ? [] : [wrongValue(schema, value, path)];
    default:
      return [];
  }
}

/** Whether a value fits a schema. */
export function fits(schema: Schema, value: JsonValue): boolean {
  return validate(schema, value).length === 0;
}

export function wrongValue(schema: Schema, value: JsonValue, path: Path): Issue {
  const [key, more] = schema.type === "object" ? requiredKeys(schema) : [];
  const hint = key === undefined || more !== undefined || typeof value !== "string"
    ? undefined
    : `Write { ${key}: ${value} }`;
  return wrong(path, `must be ${describe(schema)}: current value is ${show(value)}`, hint);
}

export function validateChoice(list: readonly JsonValue[], value: JsonValue, path: Path): Issue[] {
  // A choice is among scalars, so that identity is equality.
  if (list.includes(value)) return [];
  const words = alternatives(list.map((each) => JSON.stringify(each)));
  const close = typeof value === "string"
    ? suggest(value, list.filter((each) => typeof each === "string"))
    : undefined;
  return [
    wrong(
      path,
      `must be ${words}: current value is ${show(value)}`,
      close === undefined ? undefined : `Did you mean "${close}"?`,
    ),
  ];
}

function validateObject(schema: Schema, value: JsonObject, path: Path): Issue[] {
  const issues: Issue[] = [];
  const properties = schema.properties ?? {};
  for (const key of requiredKeys(schema)) {
    if (Object.hasOwn(value, key)) continue;
    issues.push(lacksKey(path, key, properties[key]));
  }
  for (const [key, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : patterned(schema, key);
    if (property !== undefined) issues.push(...validate(property, member, [...path, key]));
    else if (!allowsOthers(schema)) {
      const left = Object.keys(properties).filter((name) => !Object.hasOwn(value, name));
      const given = suggest(key, Object.keys(properties).filter((name) => !left.includes(name)));
      const hint = given === undefined || suggest(key, left) !== undefined
        ? didYouMean(key, left)
        : `Did you mean "${given}", which is there already?`;
      issues.push(unknownKey(path, key, hint));
    }
  }
  const count = Object.keys(value).length;
  if (count < (schema.minProperties ?? 0)) {
    issues.push(wrongSize(path, `at least ${schema.minProperties} keys`, count));
  }
  if (count > (schema.maxProperties ?? Infinity)) {
    issues.push(wrongSize(path, `at most ${schema.maxProperties} keys`, count));
  }
  return issues;
}

/** The schema of keys that are not named but described. */
export function patterned(schema: Schema, key: string): Schema | undefined {
  for (const [pattern, member] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, "u").test(key)) return member;
  }
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** Whether an object takes keys that it does not declare; one that declares none at all does. */
export function allowsOthers(schema: Schema): boolean {
  if (schema.additionalProperties !== undefined) return schema.additionalProperties !== false;
  return schema.properties === undefined && schema.patternProperties === undefined;
}

function validateArray(schema: Schema, value: readonly JsonValue[], path: Path): Issue[] {
  const { items, minItems, maxItems } = schema;
  const tuple = isTuple(items) ? items : undefined;
  const least = tuple?.length ?? minItems ?? 0;
  const most = tuple?.length ?? maxItems ?? Infinity;
  if (value.length < least || value.length > most) {
    const wanted = least === most
      ? `${least} values`
      : value.length < least
      ? `at least ${least} ${least === 1 ? "value" : "values"}`
      : `at most ${most} values`;
    return [wrongSize(path, wanted, value.length)];
  }
  if (schema.uniqueItems === true) {
    const seen = value.map((item) => JSON.stringify(item));
    const twice = seen.findIndex((text, index) => seen.indexOf(text) !== index);
    if (twice >= 0) {
      return [{
        path: [...path, twice],
        at: "value",
        subject: path,
        predicate: `has ${seen[twice]} twice`,
      }];
    }
  }
  if (items === undefined) return [];
  return value.flatMap((item, index) =>
    validate(tuple?.[index] ?? items as Schema, item, [...path, index])
  );
}

function validateString(schema: Schema, value: string, path: Path): Issue[] {
  const length = [...value].length;
  if (length < (schema.minLength ?? 0) || length > (schema.maxLength ?? Infinity)) {
    return [wrong(path, length === 0 ? "must not be empty" : lengthRule(schema, length))];
  }
  if (schema.pattern === undefined || new RegExp(schema.pattern, "u").test(value)) return [];
  const rule = schema.examples === undefined
    ? `match ${schema.pattern}`
    : `be of the form ${alternatives(schema.examples.map((each) => JSON.stringify(each)))}`;
  return [wrong(path, `must ${rule}: current value is ${show(value)}`)];
}

function lengthRule(schema: Schema, length: number): string {
  const { minLength, maxLength } = schema;
  const wanted = length < (minLength ?? 0) ? `at least ${minLength}` : `at most ${maxLength}`;
  return `must have ${wanted} characters: current value has ${length}`;
}

function isInInterval(schema: Schema, value: number): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  return value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (exclusiveMaximum === undefined || value < exclusiveMaximum) &&
    (multipleOf === undefined || Number.isInteger(value / multipleOf));
}

function wrongSize(path: Path, wanted: string, count: number): Issue {
  return wrong(path, `must have ${wanted}: current value has ${count}`);
}

export function lacksKey(path: Path, key: string, property: Schema | undefined): Issue {
  return {
    path,
    at: "key",
    subject: path,
    predicate: `lacks the key "${key}"`,
    ...(property === undefined
      ? {}
      : { hint: `Give it ${describe(property)}${example(property)}` }),
  };
}

export function unknownKey(path: Path, key: string, hint: string | undefined): Issue {
  return {
    path: [...path, key],
    at: "key",
    subject: path,
    predicate: `has an unknown key "${key}"`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function wrong(path: Path, predicate: string, hint?: string): Issue {
  return { path, at: "value", subject: path, predicate, ...(hint === undefined ? {} : { hint }) };
}

function example(schema: Schema): string {
  return schema.examples === undefined || choices(schema) !== undefined
    ? ""
    : `, such as ${JSON.stringify(schema.examples[0])}`;
}

/** A value as short as a message can take. */
function show(value: JsonValue): string {
  switch (typeOf(value)) {
    case "array":
      return "a list";
    case "object":
      return "a map";
    default: {
      const text = JSON.stringify(value);
      return text.length > 60 ? `${text.slice(0, 57)}…` : text;
    }
  }
}
