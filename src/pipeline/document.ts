/**
 * A pipeline as plain values that know where in the file they stand.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { type Problem, type SourcePlace, UserError } from "../base/errors.ts";
import type { Memos } from "../store/memos.ts";
import { isObject } from "./paths.ts";
import type { Path, SourceText } from "./source_text.ts";
import { type Location, pointer, readYaml } from "./yaml.ts";

type JsonObject = { readonly [name: string]: JsonValue };

const MAY_BE_EMPTY = [
  "description",
  "inputs",
  "plugins",
  "store",
  "with",
  "in",
  "expect",
  "matrix",
];

/** A pipeline before it is checked. */
export class PipelineDocument {
  readonly file: string;
  #value: JsonValue;
  readonly #locations: ReadonlyMap<string, Location>;
  readonly #source: SourceText | undefined;
  /** Places outside the file, of values that were set from outside. */
  readonly #overrides = new Map<string, SourcePlace>();

  private constructor(
    file: string,
    value: JsonValue,
    locations: ReadonlyMap<string, Location> = new Map(),
    source?: SourceText,
  ) {
    this.file = file;
    this.#value = value;
    this.#locations = locations;
    this.#source = source;
  }

  /**
   * Reads the text of a file.
   *
   * @throws {UserError} If it is not YAML. Lesser problems are returned, so that the rest can be checked too.
   */
  static async parse(
    file: string,
    text: string,
    memos?: Memos,
  ): Promise<{ document: PipelineDocument; problems: Problem[] }> {
    const { value, locations, mistakes, source } = await readYaml(file, text, memos);
    const problems = mistakes.map(({ span, message, hint }) => ({
      message,
      place: source.place(span),
      ...(hint === undefined ? {} : { hint }),
    }));
    // After the first mistake of this sort, what else is found is mostly its consequence.
    const fatal = mistakes.findIndex((mistake) => mistake.fatal);
    if (fatal >= 0) throw new UserError(problems.slice(0, fatal + 1));
    return { document: new PipelineDocument(file, value, locations, source), problems };
  }

  /** A pipeline that was not read from a file. */
  static from(name: string, value: JsonValue): PipelineDocument {
    return new PipelineDocument(name, value);
  }

  /** All of it. */
  get value(): JsonValue {
    return this.#value;
  }

  /** The value at a path; `undefined` if there is none. */
  get(path: Path): JsonValue | undefined {
    return valueAt(this.#value, path);
  }

  /**
   * Puts a value at a path, making the maps on the way.
   *
   * @param place Where the value comes from; the place of what was there, unless told.
   */
  set(path: Path, value: JsonValue, place?: SourcePlace): void {
    this.#value = withValue(this.#value, path, value);
    if (place !== undefined) this.#overrides.set(pointer(path), place);
  }

  /** Replaces everything by values that stand at the same paths. */
  replace(value: JsonValue): void {
    this.#value = value;
  }

  /** A key without a value, as is left when all below it is commented out, is as good as no key. */
  dropEmptyKeys(): void {
    if (!isObject(this.#value)) return;
    const { stages } = this.#value;
    this.#value = {
      ...withoutEmpty(this.#value),
      ...(Array.isArray(stages) &&
        { stages: stages.map((each: JsonValue) => isObject(each) ? withoutEmpty(each) : each) }),
    };
  }

  /**
   * Where something stands, or else what is around it.
   *
   * @param at Whether the key is meant or the value. Maps and lists are pointed at by their key.
   */
  place(path: Path, at: "key" | "value" = "value"): SourcePlace {
    for (let length = path.length; length >= 0; length--) {
      const key = pointer(path.slice(0, length));
      const override = this.#overrides.get(key);
      if (override !== undefined) return override;
      const location = this.#locations.get(key);
      if (location === undefined || this.#source === undefined) continue;
      const byKey = at === "key" || length < path.length || location.nested;
      return this.#source.place(byKey ? location.key ?? location.value : location.value);
    }
    return { file: this.file };
  }
}

function valueAt(value: JsonValue, path: Path): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) return undefined;
    if (Array.isArray(current) !== (typeof step === "number")) return undefined;
    if (!Object.hasOwn(current, step)) return undefined;
    current = (current as JsonObject)[step];
  }
  return current;
}

function withValue(value: JsonValue | undefined, path: Path, put: JsonValue): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return put;
  if (typeof step === "number") {
    const list = Array.isArray(value) ? [...value] : [];
    list[step] = withValue(list[step], rest, put);
    return list;
  }
  const map = typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : {};
  return { ...map, [step]: withValue(map[step], rest, put) };
}

function withoutEmpty(map: JsonObject): JsonObject {
  const entries = Object.entries(map);
  return Object.fromEntries(
    entries.filter(([name, value]) => value !== null || !MAY_BE_EMPTY.includes(name)),
  );
}
