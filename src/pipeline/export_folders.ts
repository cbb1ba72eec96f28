/**
 * Where the stages of a document that come with Bitbound copy their outputs to, before the document is checked.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import { dirname, resolve } from "../base/path.ts";
import { fillDefaults } from "../registry/defaults.ts";
import type { Registry } from "../registry/registry.ts";
import { asSchema } from "../registry/schema.ts";
import { isObject } from "./paths.ts";

/**
 * The folders, absolute, with the one that `export` uses unless told. Of a path that refers to a matrix, the part before
 * that counts.
 */
export function exportFolders(value: JsonValue, registry: Registry, directory: string): string[] {
  if (!isObject(value) || typeof value.name !== "string") return [];
  const { name } = value;
  const entries: readonly JsonValue[] = Array.isArray(value.stages) ? value.stages : [];
  const paths = entries.flatMap((entry) => isObject(entry) ? pathsOf(entry, name, registry) : []);
  const folders = paths.map((path) => {
    const reference = path.indexOf("${");
    return dirname(resolve(directory, reference < 0 ? path : path.slice(0, reference) + "x"));
  });
  return [...new Set([resolve(directory, "exports", name), ...folders])];
}

function pathsOf(
  entry: { readonly [name: string]: JsonValue },
  pipeline: string,
  registry: Registry,
): string[] {
  const definition = registry.get(String(entry.uses))?.definition;
  if (definition?.publish === undefined) return [];
  const given = isObject(entry.with) ? entry.with : {};
  const parameters = fillDefaults(asSchema(definition.parameters), given);
  try {
    const publications = definition.publish(parameters as typeof given, { name: pipeline });
    return publications.map(({ to }) => to);
  } catch {
    // Parameters that are not what they should be are told of when the document is checked.
    return [];
  }
}
