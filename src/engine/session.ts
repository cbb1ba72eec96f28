/**
 * Running models in ONNX Runtime.
 *
 * @module
 */

import type { Model, ValueInfo } from "../onnx/model.ts";
import type { Tensor } from "../onnx/tensor.ts";

/** How a model is executed. The engine turns this into ONNX Runtime's options and keeps it on record. */
export interface ExecutionOptions {
  /**
   * `simulated`: quantizers run as written, in float32 (the same result on every machine). `integer`: ONNX
   * Runtime fuses them into integer kernels, as deployed; on x86 without VNNI, 16-bit sums may saturate.
   */
  readonly arithmetic?: "simulated" | "integer";
  /** Graph optimization level; `all` unless told. */
  readonly optimization?: "none" | "basic" | "extended" | "all";
  /** Threads inside one operator; 1 unless told. */
  readonly threads?: number;
}

/** A model made ready to run. Release it when done. */
export interface Session extends AsyncDisposable {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** What it was made with, for results that name their session options. */
  readonly options: Required<ExecutionOptions>;
  /**
   * Runs the model once.
   *
   * @param feeds Inputs by name.
   * @param fetches Names of the outputs to compute; all unless told.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches?: readonly string[],
  ): Promise<Record<string, Tensor>>;
}

/**
 * Opens a model.
 *
 * @param model A model value, the bytes of a model file, or a file's path.
 * @throws {UserError} If ONNX Runtime refuses the model; says which node and, where known, which option works.
 */
export declare function openSession(
  model: Model | Uint8Array | string,
  options?: ExecutionOptions,
): Promise<Session>;
