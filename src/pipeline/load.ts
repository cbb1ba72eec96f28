/**
 * From a file to a {@linkcode Pipeline}.
 *
 * @module
 */

import type { Pipeline } from "./pipeline.ts";

/** How a pipeline is loaded. */
export interface LoadOptions {
  /** Changes to the file, `"path=value"` each, such as `"w4.with.weights.bits=3"`. */
  readonly set?: readonly string[];
}

/**
 * Reads a pipeline file and checks all of it; no stage's work and no data are loaded.
 *
 * @throws {UserError} With every problem of the file.
 */
export declare function loadPipeline(file: string, options?: LoadOptions): Promise<Pipeline>;
