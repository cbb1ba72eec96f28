/**
 * Which engine computes results, known without loading it: part of every cache key of a stage that runs models.
 * How the processor does so counts only for integer kernels, and is found out by running one.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import { resultOptions } from "./options.ts";

/** The version of `onnxruntime-node` that is used; a test compares it with the installed one. */
export const RUNTIME_VERSION = "1.30.0";

/** What results of integer kernels depend on besides the engine. */
export interface ProcessorIdentity {
  /** Whether products of full-range 8-bit integers saturate at 16 bits. */
  readonly products_saturate: boolean;
}

/** What a result depends on besides the model and the data. */
export interface EngineIdentity {
  readonly runtime: "onnxruntime-node";
  readonly version: string;
  readonly provider: "cpu";
  /** Session options that can change results, by arithmetic. */
  readonly options: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The engine of this process. */
export function engineIdentity(): EngineIdentity {
  return {
    runtime: "onnxruntime-node",
    version: RUNTIME_VERSION,
    provider: "cpu",
    options: {
      "integer": resultOptions("integer", "all"),
      "integer-exact": resultOptions("integer-exact", "all"),
      "simulated": resultOptions("simulated", "all"),
    },
  };
}

/** The processor of this machine, as integer kernels use it. Loads the engine the first time it is asked. */
export async function processorIdentity(): Promise<ProcessorIdentity> {
  const { productsSaturate } = await importLater<typeof import("./cpu.ts")>(
    import.meta.resolve("./cpu.ts"),
  );
  return { products_saturate: await productsSaturate() };
}
