/**
 * Which store a command uses.
 *
 * @module
 */

import { dirname, join, resolve } from "../base/path.ts";
import { openStore, type Store } from "../store/store.ts";
import type { Streams } from "./output/streams.ts";

const NAME = ".bitbound";

/**
 * The folder that `--store` names; else the one that `BITBOUND_STORE` names; else the nearest `.bitbound` here or
 * above; else a new `.bitbound` here.
 */
export function storeFolder(option: string | undefined): string {
  return chosenStoreFolder(option) ?? usualStoreFolder();
}

/** The folder that `--store` or `BITBOUND_STORE` names. */
export function chosenStoreFolder(option: string | undefined): string | undefined {
  const named = option ?? (Deno.env.get("BITBOUND_STORE") || undefined);
  return named === undefined ? undefined : resolve(named);
}

/** The nearest `.bitbound` here or above, else a new one here. */
export function usualStoreFolder(): string {
  const here = Deno.cwd();
  for (let folder = here;; folder = dirname(folder)) {
    const store = join(folder, NAME);
    if (isFolder(store)) return store;
    if (dirname(folder) === folder) return join(here, NAME);
  }
}

/** Opens that store; what it warns of is shown. */
export function openNamedStore(option: string | undefined, { err }: Streams): Store {
  return openStore(storeFolder(option), {
    onWarning: (message) => err.lines(`${err.style.yellow("warning")}: ${message}`),
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
