/**
 * Running models in ONNX Runtime.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { Model, ValueInfo } from "../onnx/model.ts";
import type { DataType, Tensor } from "../onnx/tensor.ts";
import { checkBoundary, innerOnlyValues } from "./boundary.ts";
import { checkFeeds, quoteNames } from "./check_feeds.ts";
import { fromNative, toNative } from "./convert.ts";
import { explainFailure } from "./failures.ts";
import { RUNTIME_VERSION } from "./identity.ts";
import { type ModelSource, sourceOf } from "./model_source.ts";
import {
  completeOptions,
  type ExecutionOptions,
  fallbacksFor,
  resultOptions,
  sessionOptionsFor,
} from "./options.ts";
import { loadRuntime, type NativeSession, type NativeTensor, type Runtime } from "./runtime.ts";

export type { Arithmetic, ExecutionOptions, Optimization } from "./options.ts";

/** A model made ready to run. Release it when done. */
export interface Session extends AsyncDisposable {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** What it runs with: what was asked for, unless ONNX Runtime failed with that (see `notes`). */
  readonly options: Required<ExecutionOptions>;
  /**
   * For results that name their session options: the runtime, the arithmetic and every option that can change
   * a result. Threads are not among them.
   */
  readonly execution: Readonly<Record<string, string>>;
  /** What the user should know about how the model runs, such as a fusion that had to be switched off. */
  readonly notes: readonly string[];
  /**
   * Runs the model once. Before it, timers and signals get their turn; while it runs, the event loop is blocked.
   *
   * @param feeds Inputs by name.
   * @param fetches Names of the outputs to compute; all unless told. By name also tensors that they are written into,
   *   `undefined` for new ones: fresh memory for large results takes longer than many models do.
   * @throws {TypeError | RangeError} If an input is missing, unknown, or of another type or shape.
   * @throws {UserError} If the model fails; names the node and the operator.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches?: Fetches,
  ): Promise<Record<string, Tensor>>;
}

/** Names of outputs, or tensors to be written into by name. */
export type Fetches = readonly string[] | Readonly<Record<string, Tensor | undefined>>;

/**
 * Opens a model.
 *
 * @param model A model value, the bytes of a model file, or a file's path. A model with external data must be
 *   a value or a path.
 * @throws {UserError} If ONNX Runtime refuses the model; says which node and, where known, which option works.
 */
export async function openSession(
  model: Model | Uint8Array | string,
  options: ExecutionOptions = {},
): Promise<Session> {
  const wanted = completeOptions(options);
  if (typeof model === "object" && "graph" in model) {
    const { inputs, outputs, initializers } = model.graph;
    const types = innerOnlyValues(model.graph);
    const typed = (info: ValueInfo) => ({ ...info, type: types.get(info.name) ?? info.type });
    checkBoundary(inputs.filter((input) => !initializers.has(input.name)), "input");
    checkBoundary(outputs.map(typed), "output");
  }
  const [runtime, source] = await Promise.all([loadRuntime(), sourceOf(model)]);
  const session = new RuntimeSession(runtime, source, wanted);
  await session.open();
  return session;
}

class RuntimeSession implements Session {
  inputs: ValueInfo[] = [];
  outputs: ValueInfo[] = [];
  options: Required<ExecutionOptions>;
  notes: string[] = [];
  readonly #runtime: Runtime;
  readonly #fallbacks: Required<ExecutionOptions>[];
  #source: ModelSource | undefined;
  #native: NativeSession | undefined;

  constructor(runtime: Runtime, source: ModelSource, wanted: Required<ExecutionOptions>) {
    this.#runtime = runtime;
    this.#source = source;
    this.options = wanted;
    this.#fallbacks = fallbacksFor(wanted);
  }

  get execution(): Record<string, string> {
    const { arithmetic, optimization } = this.options;
    return {
      runtime: `onnxruntime-node ${RUNTIME_VERSION}`,
      provider: "cpu",
      arithmetic,
      ...resultOptions(arithmetic, optimization),
    };
  }

  /** Makes the native session, with the first options that work. */
  async open(): Promise<void> {
    try {
      await this.#create(this.options);
    } catch (error) {
      if (error instanceof UserError || !await this.#fallBack(error)) {
        await this.#dropSource();
        throw toUserError(error);
      }
    }
    // A fusion can also fail when it first runs, so the model is kept while there is another way to run it.
    if (this.options.arithmetic === "simulated") await this.#dropSource();
  }

  async run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Fetches = this.outputs.map(({ name }) => name),
  ): Promise<Record<string, Tensor>> {
    checkFeeds(this.inputs, feeds);
    const inputs: Record<string, NativeTensor> = {};
    for (const { name } of this.inputs) inputs[name] = toNative(this.#runtime, feeds[name]!);
    const targets = Array.isArray(fetches)
      ? Object.fromEntries(fetches.map((name: string) => [name, undefined]))
      : fetches as Readonly<Record<string, Tensor | undefined>>;
    const results = await this.#runNative(inputs, targets);
    const outputs: Record<string, Tensor> = {};
    for (const name of Object.keys(targets)) {
      outputs[name] = fromNative(results[name] as NativeTensor);
    }
    return outputs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const native = this.#native;
    this.#native = undefined;
    await native?.release();
    await this.#dropSource();
  }

  async #runNative(
    inputs: Record<string, NativeTensor>,
    targets: Readonly<Record<string, Tensor | undefined>>,
  ): Promise<Record<string, unknown>> {
    if (this.#native === undefined) throw new TypeError("Session is released");
    const fetches: Record<string, NativeTensor | null> = {};
    for (const [name, target] of Object.entries(targets)) {
      if (!this.outputs.some((output) => output.name === name)) {
        throw new RangeError(
          `Output "${name}" does not exist: the model has ${quoteNames(this.outputs)}`,
        );
      }
      fetches[name] = target === undefined ? null : toNative(this.#runtime, target);
    }
    const run = (native: NativeSession) => native.run(inputs, fetches);
    try {
      return await run(this.#native);
    } catch (error) {
      if (!await this.#fallBack(error)) throw toUserError(error);
      try {
        return await run(this.#native);
      } catch {
        throw toUserError(error);
      }
    }
  }

  async #create(options: Required<ExecutionOptions>): Promise<void> {
    const { InferenceSession } = this.#runtime;
    const source = this.#source!;
    const native = typeof source.model === "string"
      ? await InferenceSession.create(source.model, sessionOptionsFor(options))
      : await InferenceSession.create(source.model, sessionOptionsFor(options));
    const inputs = native.inputMetadata.map(describe);
    const outputs = native.outputMetadata.map(describe);
    try {
      checkBoundary(inputs, "input");
      checkBoundary(outputs, "output");
    } catch (error) {
      await native.release();
      throw error;
    }
    this.#native = native;
    this.inputs = inputs;
    this.outputs = outputs;
    this.options = options;
  }

  /** Opens the model with the next options that work; false when there are none. */
  async #fallBack(reason: unknown): Promise<boolean> {
    if (this.#source === undefined) return false;
    const failed = this.#native;
    for (let next = this.#fallbacks.shift(); next; next = this.#fallbacks.shift()) {
      const before = this.options;
      try {
        await this.#create(next);
      } catch {
        continue;
      }
      await failed?.release();
      this.notes.push(
        `ONNX Runtime cannot run the model with ${optionText(before)}: ` +
          `${explainFailure(reason).message}. It ran with ${optionText(next)}`,
      );
      return true;
    }
    return false;
  }

  async #dropSource(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    await source?.release();
  }
}

type Metadata = NativeSession["inputMetadata"][number];

function describe(metadata: Metadata): ValueInfo {
  if (!metadata.isTensor) return { name: metadata.name, type: undefined, dims: undefined };
  return {
    name: metadata.name,
    type: metadata.type as DataType,
    dims: metadata.shape.map((dim) => dim === "" ? undefined : dim),
  };
}

function toUserError(error: unknown): Error {
  if (error instanceof UserError) return error;
  return new UserError(explainFailure(error), { cause: error });
}

function optionText({ arithmetic, optimization }: Required<ExecutionOptions>): string {
  return `${arithmetic} arithmetic at optimization level ${optimization}`;
}
