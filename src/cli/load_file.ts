/**
 * Loading the pipeline that a command is given.
 *
 * @module
 */

import { loadPipeline } from "../pipeline/load.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { Memos } from "../store/memos.ts";
import { storeFolder } from "./store_folder.ts";

/** What commands take to load a pipeline. */
export interface LoadFileOptions {
  readonly set: readonly string[];
  readonly store?: string | undefined;
}

/**
 * Loads a pipeline; what was read of its text is remembered in the store, if there is one.
 *
 * @throws {UserError} With every problem of the file.
 */
export async function loadFile(file: string, { set, store }: LoadFileOptions): Promise<Pipeline> {
  return await loadPipeline(file, { set, memos: new Memos(storeFolder(store)) });
}
