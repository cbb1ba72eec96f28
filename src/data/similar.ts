/**
 * What was probably meant by the path of something that is not there.
 *
 * @module
 */

import { basename, dirname } from "../base/path.ts";
import { suggest } from "../base/suggest.ts";

/** The name beside a path that is almost its own; `undefined` if there is none. */
export function similarName(path: string, what: "file" | "folder"): string | undefined {
  try {
    const names = Deno.readDirSync(dirname(path)).filter(({ isDirectory }) =>
      isDirectory === (what === "folder")
    ).map(({ name }) => name);
    return suggest(basename(path), [...names].sort());
  } catch {
    return undefined;
  }
}

/** A hint that names it. */
export function similarHint(path: string, what: "file" | "folder"): string | undefined {
  const name = similarName(path, what);
  if (name === undefined) return undefined;
  return `Did you mean "${path.slice(0, path.length - basename(path).length)}${name}"?`;
}
