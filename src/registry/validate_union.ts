/**
 * Checks values against unions: one message about the alternative that was meant, not one for each there is.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { suggest } from "../base/suggest.ts";
import { alternatives, choices, hasType, requiredKeys, type Schema, typeOf } from "./schema.ts";
import {
  fits,
  type Issue,
  lacksKey,
  type Path,
  unknownKey,
  validate,
  validateChoice,
  wrongValue,
} from "./validate.ts";

type JsonObject = { readonly [name: string]: JsonValue };

/** All that is wrong with a value that should fit one of several schemas. */
export function validateUnion(
  schema: Schema,
  branches: readonly Schema[],
  value: JsonValue,
  path: Path,
): Issue[] {
  if (branches.some((branch) => fits(branch, value))) return [];
  const plausible = branches.flatMap(flatten).filter((branch) =>
    choices(branch)?.some((choice) => typeOf(choice) === typeOf(value)) ??
      (branch.type === undefined || hasType(value, branch.type))
  );
  // A lone list of words must not hide what else is allowed: `bits: four` needs to hear of the numbers.
  if (plausible.length === 1 && choices(plausible[0]!) === undefined) {
    return validate(plausible[0]!, value, path);
  }
  const isMap = typeOf(value) === "object";
  if (isMap && plausible.length > 1) {
    return validateVariants(schema, plausible, value as JsonObject, path);
  }
  const words = plausible.flatMap((branch) => choices(branch) ?? []).filter((each) =>
    typeof each === "string"
  );
  const close = typeof value === "string" ? suggest(value, words) : undefined;
  const issue = wrongValue(schema, value, path);
  return [close === undefined ? issue : { ...issue, hint: `Did you mean "${close}"?` }];
}

function flatten(schema: Schema): readonly Schema[] {
  return schema.anyOf === undefined || choices(schema) !== undefined
    ? [schema]
    : schema.anyOf.flatMap(flatten);
}

/** Of several kinds of map, finds the one that was meant by a key only it has, and says what that one lacks. */
function validateVariants(
  schema: Schema,
  variants: readonly Schema[],
  value: JsonObject,
  path: Path,
): Issue[] {
  const tag = discriminator(variants);
  if (tag !== undefined) {
    const all = variants.flatMap((variant) => choices(variant.properties![tag]!)!);
    if (value[tag] === undefined) return [lacksKey(path, tag, { enum: all })];
    const meant = variants.find((variant) => fits(variant.properties![tag]!, value[tag]!));
    if (meant !== undefined) return validate(meant, value, path);
    return validateChoice(all, value[tag], [...path, tag]);
  }
  const marks = variants.map(requiredKeys);
  const complete = variants.filter((_, index) =>
    marks[index]!.length > 0 && marks[index]!.every((key) => Object.hasOwn(value, key))
  );
  if (complete.length > 1) return [severalVariants(complete, path)];
  if (complete.length === 1) return validate(complete[0]!, value, path);
  const begun = variants.filter((_, index) =>
    marks[index]!.some((key) => Object.hasOwn(value, key))
  );
  if (begun.length > 0) return fewest(begun, value, path);
  const keys = [...new Set(marks.flat())];
  const unknown = Object.keys(value).find((key) =>
    !variants.some((variant) => Object.hasOwn(variant.properties ?? {}, key))
  );
  const close = unknown === undefined ? undefined : suggest(unknown, keys);
  if (unknown !== undefined && close !== undefined) {
    return [unknownKey(path, unknown, `Did you mean "${close}"?`)];
  }
  const list = alternatives(keys.map((key) => `"${key}"`));
  const predicate = `must have one of the keys ${list}`;
  return [{ path, at: "key", subject: path, predicate, ...insteadOfMap(schema) }];
}

/** What can be given instead of any map. */
function insteadOfMap(schema: Schema): { hint?: string } {
  const words = flatten(schema).flatMap((branch) => choices(branch) ?? []);
  if (words.length === 0) return {};
  const list = alternatives(words.map((each) => JSON.stringify(each)));
  return { hint: `Without a map it can be ${list}` };
}

function fewest(variants: readonly Schema[], value: JsonObject, path: Path): Issue[] {
  const results = variants.map((variant) => validate(variant, value, path));
  return results.reduce((best, next) => next.length < best.length ? next : best);
}

/** A key that every variant requires and each gives other constants. */
function discriminator(variants: readonly Schema[]): string | undefined {
  return requiredKeys(variants[0]!).find((key) =>
    variants.every((variant) => {
      const property = variant.properties?.[key];
      return property !== undefined && choices(property) !== undefined;
    })
  );
}

/** A map that is of several kinds at once, by the first key that only each of them has. */
function severalVariants(variants: readonly Schema[], path: Path): Issue {
  const marks = variants.map((variant) => requiredKeys(variant)[0]!);
  return {
    path: [...path, marks[1]!],
    at: "key",
    subject: path,
    predicate: `can have only one of the keys ${alternatives(marks.map((key) => `"${key}"`))}`,
    hint: "Remove the others",
  };
}
