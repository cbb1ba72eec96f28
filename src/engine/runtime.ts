/**
 * The only module that imports ONNX Runtime, and only when a model is opened.
 *
 * @module
 */

import type * as OnnxRuntime from "onnxruntime-node";

/** The API of the runtime's package. */
export type Runtime = typeof OnnxRuntime;
/** A session of the runtime itself. */
export type NativeSession = OnnxRuntime.InferenceSession;
/** A tensor of the runtime itself. */
export type NativeTensor = OnnxRuntime.Tensor;
/** Session options in the runtime's own form. */
export type NativeOptions = OnnxRuntime.InferenceSession.SessionOptions;

let loading: Promise<Runtime> | undefined;

/** Loads ONNX Runtime, once. */
export function loadRuntime(): Promise<Runtime> {
  return loading ??= load();
}

async function load(): Promise<Runtime> {
  const runtime = await import("onnxruntime-node");
  // Errors reach the user as messages of ours; the runtime's own log would repeat them on the terminal.
  runtime.env.logLevel = "fatal";
  keepHalfPrecisionAsBits(runtime);
  return runtime;
}

/**
 * Makes the runtime's package hold float16 in `Uint16Array`: Deno's native interface reads a `Float16Array`
 * as empty. The package looks for the class once, when its first tensor is made.
 */
function keepHalfPrecisionAsBits(runtime: Runtime): void {
  const scope = globalThis as { Float16Array?: unknown };
  const float16Array = scope.Float16Array;
  scope.Float16Array = undefined;
  try {
    new runtime.Tensor("bool", new Uint8Array(1), [1]);
  } finally {
    scope.Float16Array = float16Array;
  }
}
