/**
 * What comes of reading YAML: plain JSON values, and where each of them stands.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Path, SourceText, Span } from "./source_text.ts";

/** Something that is wrong with the text. */
export interface YamlMistake {
  readonly span: Span;
  readonly message: string;
  readonly hint?: string;
  /** Whether the rest of the text cannot be understood either. */
  readonly fatal?: boolean;
}

/** Where a value stands. */
export interface Location {
  readonly key?: Span;
  readonly value: Span;
  /** Whether it is a map or a list. */
  readonly nested: boolean;
}

/** What was read. */
export interface YamlResult {
  readonly value: JsonValue;
  /** By {@linkcode pointer}. */
  readonly locations: ReadonlyMap<string, Location>;
  readonly mistakes: readonly YamlMistake[];
  readonly source: SourceText;
}

/** A path as the key of a map. */
export function pointer(path: Path): string {
  return JSON.stringify(path);
}
