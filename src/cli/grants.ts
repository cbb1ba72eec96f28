/**
 * What the work of a command on a pipeline may write besides its exports.
 *
 * @module
 */

import { resolve } from "../base/path.ts";
import type { ForeignCode } from "../pipeline/foreign_code.ts";
import { lockPath, temporaryOfLock } from "../pipeline/lock.ts";
import { parseAddress } from "../store/remote/address.ts";
import { variable } from "./environment.ts";
import { STANDARD_OUTPUT } from "./output/events_file.ts";
import { chosenStoreFolder, storeFolder } from "./store_folder.ts";

/** The options of commands that name what is written. */
export interface WritingOptions {
  readonly file?: string;
  readonly store?: string | undefined;
  readonly remote?: string | undefined;
  readonly remoteMode?: "read" | "read-write" | undefined;
  readonly events?: string | undefined;
  readonly report?: string | undefined;
  readonly output?: string | undefined;
  readonly lock?: boolean;
}

/** Files and folders, absolute. */
export function writesOf(options: WritingOptions, { directory, store }: ForeignCode): string[] {
  const events = options.events === STANDARD_OUTPUT ? undefined : options.events;
  const files = [events, options.report, options.output, variable("GITHUB_STEP_SUMMARY")];
  const writes = files.filter((path) => path !== undefined).map((path) => resolve(path));
  // What is remembered of texts is in the usual folder, whatever the pipeline says.
  writes.push(storeFolder(options.store));
  if (chosenStoreFolder(options.store) === undefined && store?.local !== undefined) {
    writes.push(resolve(directory, store.local));
  }
  if (options.lock === true && options.file !== undefined) {
    const lock = resolve(lockPath(options.file));
    writes.push(lock, temporaryOfLock(lock));
  }
  return [...writes, ...remoteFolders(options, { directory, store })];
}

/** The folder of a remote store that is one, and is written to. */
function remoteFolders(
  options: WritingOptions,
  { directory, store }: Pick<ForeignCode, "directory"> & { readonly store: ForeignCode["store"] },
): string[] {
  const chosen = options.remote ?? variable("BITBOUND_REMOTE");
  const address = chosen ?? store?.remote;
  const mode = options.remoteMode ?? variable("BITBOUND_REMOTE_MODE") ?? store?.mode;
  if (address === undefined || mode !== "read-write") return [];
  try {
    const parsed = parseAddress(address, chosen === undefined ? directory : Deno.cwd());
    return parsed.type === "folder" ? [parsed.path] : [];
  } catch {
    // Opening the store says what is wrong with the address.
    return [];
  }
}
