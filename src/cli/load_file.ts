/**
 * Loading the pipeline that a command is given.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import { ConfinementNeeded } from "../pipeline/foreign_code.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { Memos } from "../store/memos.ts";
import type { WritingOptions } from "./grants.ts";
import { storeFolder } from "./store_folder.ts";

/** What commands take to load a pipeline. */
export interface LoadFileOptions extends WritingOptions {
  readonly set: readonly string[];
}

/**
 * Loads a pipeline; what was read of its text is remembered in the store, if there is one.
 *
 * @throws {UserError} With every problem of the file.
 * @throws {ConfinementNeeded} If it has plugins, and this thread must not import them.
 */
export async function loadFile(file: string, options: LoadFileOptions): Promise<Pipeline> {
  try {
    const { set, store } = options;
    return await loadPipeline(file, { set, memos: new Memos(storeFolder(store)) });
  } catch (error) {
    if (error instanceof ConfinementNeeded) {
      const { writesOf } = await importLater<typeof import("./grants.ts")>(
        import.meta.resolve("./grants.ts"),
      );
      error.writes.push(...writesOf({ ...options, file }, error.code));
    }
    throw error;
  }
}
