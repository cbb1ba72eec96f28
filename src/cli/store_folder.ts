/**
 * Which store a command uses.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";

const NAME = ".bitbound";

/**
 * The folder that `--store` names; else the one that `BITBOUND_STORE` names; else the nearest `.bitbound` here or
 * above; else a new `.bitbound` here.
 */
export function storeFolder(option: string | undefined): string {
  const named = option ?? (Deno.env.get("BITBOUND_STORE") || undefined);
  if (named !== undefined) return resolve(named);
  const here = Deno.cwd();
  for (let folder = here;; folder = dirname(folder)) {
    const store = join(folder, NAME);
    if (isFolder(store)) return store;
    if (dirname(folder) === folder) return join(here, NAME);
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
