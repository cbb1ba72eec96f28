/**
 * Reads YAML into plain JSON values, and remembers where each of them stands.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { importLater } from "../base/import_later.ts";
import { readPlainYaml } from "./plain_yaml.ts";
import type { YamlResult } from "./yaml_result.ts";

export { type Location, pointer, type YamlMistake, type YamlResult } from "./yaml_result.ts";

/** Reads a text; with mistakes, the value is what could be made of the rest. */
export async function readYaml(file: string, text: string): Promise<YamlResult> {
  const plain = readPlainYaml(file, text);
  if (plain !== undefined) return plain;
  const { readLibraryYaml } = await importLater<typeof import("./library_yaml.ts")>(
    import.meta.resolve("./library_yaml.ts"),
  );
  return readLibraryYaml(file, text);
}

/**
 * Reads a single value, such as `4`, `mse` or `{ bits: 4 }`.
 *
 * @throws {SyntaxError} If it is none.
 */
export async function readYamlValue(text: string): Promise<JsonValue> {
  const { value, mistakes } = await readYaml("", text);
  if (mistakes.length > 0) throw new SyntaxError(mistakes[0]!.message);
  return value;
}
