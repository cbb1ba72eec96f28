/**
 * Reads YAML into plain JSON values, and remembers where each of them stands.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { importLater } from "../base/import_later.ts";
import type { Memos } from "../store/memos.ts";
import { SourceText, type Span } from "./source_text.ts";
import type { Location, YamlResult } from "./yaml_result.ts";

export { type Location, pointer, type YamlMistake, type YamlResult } from "./yaml_result.ts";

/** Raised when the same text would be read otherwise; a test remembers it of `library_yaml.ts` and the library. */
export const READER_VERSION = 3;

/** What is kept of a text without mistakes. */
type ReadText = {
  readonly value: JsonValue;
  readonly locations: readonly (readonly [
    pointer: string,
    key: Span | null,
    value: Span,
    nested: boolean,
  ])[];
  /** Offset of the first character of each line. */
  readonly lines: readonly number[];
};

/**
 * Reads a text; with mistakes, the value is what could be made of the rest.
 *
 * @param memos Where what was read is kept: loading the library takes longer than all of a cached run.
 */
export async function readYaml(file: string, text: string, memos?: Memos): Promise<YamlResult> {
  let result: YamlResult | undefined;
  const read = async (): Promise<ReadText | undefined> => {
    const { readLibraryYaml } = await importLater<typeof import("./library_yaml.ts")>(
      import.meta.resolve("./library_yaml.ts"),
    );
    result = readLibraryYaml(file, text);
    return result.mistakes.length === 0 ? asData(result) : undefined;
  };
  const kept = memos === undefined
    ? await read()
    : await memos.get({ yaml: READER_VERSION, text }, read);
  return result ?? asResult(file, text, kept!);
}

function asData({ value, locations, source }: YamlResult): ReadText {
  return {
    value,
    locations: Array.from(
      locations,
      ([pointer, { key, value, nested }]) => [pointer, key ?? null, value, nested] as const,
    ),
    lines: source.starts,
  };
}

function asResult(file: string, text: string, { value, locations, lines }: ReadText): YamlResult {
  return {
    value,
    locations: new Map<string, Location>(
      locations.map(([pointer, key, value, nested]) => [
        pointer,
        { value, nested, ...(key !== null && { key }) },
      ]),
    ),
    mistakes: [],
    source: new SourceText(file, text, lines),
  };
}

/**
 * Reads a single value, such as `4`, `mse` or `{ bits: 4 }`.
 *
 * @throws {SyntaxError} If it is none.
 */
export async function readYamlValue(text: string, memos?: Memos): Promise<JsonValue> {
  const { value, mistakes } = await readYaml("", text, memos);
  if (mistakes.length > 0) throw new SyntaxError(mistakes[0]!.message);
  return value;
}
