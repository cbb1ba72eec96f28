/**
 * References of a pipeline to its own values: `${seed}`, `${inputs.test.take}`, `${stages.w4.with.weights.bits}`.
 *
 * A string that is nothing but a reference becomes the value it names, whatever its type; inside a longer string
 * only scalars can stand. `$${` is a plain `${`. There is no access to the environment: a file means the same
 * everywhere.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Problem } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import type { PipelineDocument } from "./document.ts";
import { namesAxis } from "./matrix_references.ts";
import { isObject, parsePath, PathError } from "./paths.ts";
import type { Path } from "./source_text.ts";
import { pointer } from "./yaml.ts";

/** More than any pipeline has; a few lines can refer to each other so that they expand to billions. */
const MOST_REFERENCES = 10_000;

// References to axes, also those that are none, are left to the items of the stage.
const REFERENCE = /\$\$\{(?!matrix\b)|\$\{([^{}]*)\}/g;
const WHOLE = /^\$\{([^{}]*)\}$/;

/** Replaces the references in a document by what they name. */
export function resolveReferences(document: PipelineDocument): Problem[] {
  const resolver = new Resolver(document);
  const value = resolver.resolve(document.value, []);
  document.replace(value);
  return resolver.problems;
}

class Resolver {
  readonly problems: Problem[] = [];
  readonly #document: PipelineDocument;
  /** References that are being followed, by the path of what they name. */
  readonly #following: string[] = [];
  readonly #reported = new Set<string>();
  #count = 0;

  constructor(document: PipelineDocument) {
    this.#document = document;
  }

  resolve(value: JsonValue, path: Path): JsonValue {
    if (typeof value === "string") return this.#string(value, path);
    if (Array.isArray(value)) {
      return value.map((item: JsonValue, index) => this.resolve(item, [...path, index]));
    }
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        // The names by which references find stages are themselves plain text.
        isStageName(path, name) ? member : this.resolve(member, [...path, name]),
      ]),
    );
  }

  #string(text: string, path: Path): JsonValue {
    if (!text.includes("${")) return text;
    const whole = WHOLE.exec(text);
    if (whole !== null && namesAxis(whole[1]!)) return this.#axis(text, text, path);
    if (whole !== null) return this.#follow(whole[1]!, path) ?? text;
    return text.replace(REFERENCE, (found, name: string | undefined) => {
      if (name === undefined) return "${";
      if (namesAxis(name)) return this.#axis(found, text, path);
      const value = this.#follow(name, path);
      if (value === undefined) return found;
      if (typeof value !== "object" || value === null) return String(value);
      this.#problem(path, `Reference "${found}" names more than fits into a string`);
      return found;
    });
  }

  /** Leaves a reference to an axis as it is, where it can have a meaning. */
  #axis(reference: string, text: string, path: Path): string {
    const isEscaped = text !== reference && text.includes(`$${reference}`);
    if (!isEscaped && !isInItem(path)) {
      const hint = "It is a value of one item: only with and expect of a stage can have it";
      this.#problem(path, `Reference "${reference}" cannot stand here`, hint);
    }
    return reference;
  }

  #follow(name: string, from: Path): JsonValue | undefined {
    if (++this.#count > MOST_REFERENCES) {
      this.#problem([], `The references expand to more than ${MOST_REFERENCES} values`);
      return undefined;
    }
    let target: Path;
    try {
      target = parsePath(name, this.#document.value);
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      this.#problem(from, `Reference "\${${name}}" ${error.message}`, error.hint);
      return undefined;
    }
    const key = pointer(target);
    if (this.#following.includes(key) || startsWith(from, target)) {
      this.#problem(from, `Reference "\${${name}}" leads back to itself`);
      return undefined;
    }
    const value = this.#document.get(target);
    if (value === undefined) {
      this.#problem(from, `Reference "\${${name}}" names nothing`, this.#explain(target));
      return undefined;
    }
    this.#following.push(key);
    const resolved = this.resolve(value, target);
    this.#following.pop();
    return resolved;
  }

  #explain(target: Path): string | undefined {
    const above = this.#document.get(target.slice(0, -1));
    const last = target.at(-1);
    const close = isObject(above) && typeof last === "string"
      ? didYouMean(last, Object.keys(above))
      : undefined;
    return close ?? "Only values that the file spells out can be referred to, not defaults";
  }

  #problem(path: Path, message: string, hint?: string): void {
    const place = this.#document.place(path);
    const identity = `${message}${JSON.stringify(place)}`;
    if (this.#reported.has(identity)) return;
    this.#reported.add(identity);
    this.problems.push({ message, place, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Whether something is said for each item of a stage. */
function isInItem([first, , field]: Path): boolean {
  return first === "stages" && (field === "with" || field === "expect");
}

function isStageName(path: Path, name: string): boolean {
  return path.length === 2 && path[0] === "stages" && (name === "id" || name === "uses");
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, index) => path[index] === step);
}
