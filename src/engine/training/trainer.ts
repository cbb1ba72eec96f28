/**
 * Runs a compiled training loop in chunks of steps.
 *
 * @module
 */

import { type Tensor, tensor } from "../../onnx/tensor.ts";
import { blockSize } from "../block_size.ts";
import { inferShapes } from "../shapes.ts";
import { openSession, type Session } from "../session.ts";
import { ItemOrder, poolOffsets } from "./batches.ts";
import { itemCount, provideItems } from "./chunk_data.ts";
import { decodeState, encodeState } from "./checkpoint.ts";
import { forwardModel } from "./forward.ts";
import { type ParameterGroup, parameterGroups } from "./groups.ts";
import { compileLoop, type TrainingLoop } from "./loop.ts";
import {
  dataName,
  endName,
  groupStateName,
  LOOP_NAMES,
  monitorName,
  startName,
} from "./loop_names.ts";
import type { TrainingOptions } from "./options.ts";

/** What a chunk of steps gave. */
export interface ChunkResult {
  /** Steps done since the start of the run. */
  readonly step: number;
  /** The loss of each step of the chunk. */
  readonly losses: Float32Array;
  /** Monitored values of each step, by name. */
  readonly monitors: ReadonlyMap<string, Float32Array>;
  /** Seconds spent in ONNX Runtime. */
  readonly seconds: number;
}

/** How {@linkcode Trainer.run} reports and stops. */
export interface RunOptions {
  /**
   * Steps a call of ONNX Runtime makes, while the event loop stands still; as many as take about 0.4 seconds
   * unless told. Never changes a result.
   */
  readonly chunk?: number;
  /** Stops after the current chunk by throwing its reason. */
  readonly signal?: AbortSignal;
  /** Called after each chunk; awaited, so that it can save a checkpoint. */
  readonly onChunk?: (result: ChunkResult) => void | Promise<void>;
}

/** How long a chunk takes unless the caller says how many steps it has. */
const CHUNK_SECONDS = 0.4;
const LARGEST_CHUNK = 500;

/** The loss is no longer a finite number. */
export class DivergenceError extends Error {
  /** The step, from 0, at which that happened. */
  readonly step: number;

  constructor(step: number, loss: number) {
    super(`Loss became ${loss} at step ${step}`);
    this.name = "DivergenceError";
    this.step = step;
  }
}

/** A training run that can be continued, saved and restored. */
export interface Trainer extends AsyncDisposable {
  /** Steps done, with those left out. */
  readonly step: number;
  /** Steps done, without those left out. */
  readonly made: number;
  /** Seconds that ONNX Runtime took to make its session. */
  readonly sessionSeconds: number;
  /**
   * Makes steps until `until` have been done, all of the run's unless told.
   *
   * @throws {RangeError} If the run has fewer steps than `until`.
   * @throws {DivergenceError} If the loss is not finite; the state is then that of the chunk before.
   */
  run(until?: number, options?: RunOptions): Promise<void>;
  /**
   * Leaves steps out: the next one is step `step`, with the schedules and the items that it has in any case.
   *
   * @throws {RangeError} If that lies behind, or the run has fewer steps.
   */
  skipTo(step: number): void;
  /** The loss of each step so far, or a monitored value; no number where a step was left out. */
  history(monitor?: string): Float32Array;
  /** Current values of the trainables and of what the graph carries, by name. */
  values(): Map<string, Tensor>;
  /** The whole state. A run restored from it gives the same bytes as one that was never interrupted. */
  checkpoint(): Uint8Array;
  /** @throws {RangeError} If the checkpoint is damaged or belongs to a run with other tensors. */
  restore(checkpoint: Uint8Array): void;
}

/**
 * Compiles a training run and makes it ready at step 0.
 *
 * @throws {UserError} If an operator of the graph has no gradient rule; names node and operator.
 * @throws {RangeError} If the data tensors have different numbers of items.
 */
export async function createTrainer(options: TrainingOptions): Promise<Trainer> {
  const items = itemCount(options);
  const groups = parameterGroups(options);
  const types = await inferShapes(forwardModel(options));
  const loop = compileLoop(options, groups, types, await blockSize());
  const start = performance.now();
  const session = await openSession(loop.model, { threads: options.threads ?? 1 });
  const seconds = (performance.now() - start) / 1000;
  return new LoopTrainer(options, groups, loop, session, seconds, items);
}

class LoopTrainer implements Trainer {
  step = 0;
  readonly sessionSeconds: number;
  readonly #options: TrainingOptions;
  readonly #groups: readonly ParameterGroup[];
  readonly #loop: TrainingLoop;
  readonly #session: Session;
  readonly #order: ItemOrder | undefined;
  #state: Map<string, Tensor>;
  /** The loss of each step under `""`, monitored values under their names. */
  #history: Map<string, Float32Array<ArrayBuffer>>;

  constructor(
    options: TrainingOptions,
    groups: readonly ParameterGroup[],
    loop: TrainingLoop,
    session: Session,
    sessionSeconds: number,
    items: number | undefined,
  ) {
    this.sessionSeconds = sessionSeconds;
    this.#options = options;
    this.#groups = groups;
    this.#loop = loop;
    this.#session = session;
    this.#order = items === undefined ? undefined : new ItemOrder(items, options.seed);
    this.#state = new Map(loop.state.map(({ name, initial }) => [name, initial]));
    this.#history = new Map(
      ["", ...options.monitors ?? []].map((name) => [name, new Float32Array(options.steps)]),
    );
  }

  async run(until = this.#options.steps, options: RunOptions = {}): Promise<void> {
    const { signal, onChunk } = options;
    if (until > this.#options.steps) {
      throw new RangeError(`The run has ${this.#options.steps} steps: until is ${until}`);
    }
    let chunk = options.chunk ?? 1;
    while (this.step < until) {
      signal?.throwIfAborted();
      const steps = Math.min(chunk, until - this.step);
      const result = await this.#runChunk(steps);
      await onChunk?.(result);
      if (options.chunk === undefined) {
        const fitting = Math.floor(steps * CHUNK_SECONDS / result.seconds);
        chunk = Math.max(1, Math.min(fitting, 4 * chunk, LARGEST_CHUNK));
      }
    }
  }

  async #runChunk(steps: number): Promise<ChunkResult> {
    const { batch, seed, data, monitors = [] } = this.#options;
    const feeds: Record<string, Tensor> = {
      [LOOP_NAMES.steps]: tensor("int64", [], BigInt64Array.of(BigInt(steps))),
      [LOOP_NAMES.first]: tensor("int64", [], BigInt64Array.of(BigInt(this.step))),
    };
    for (const [name, value] of this.#state) feeds[startName(name)] = value;
    if (this.#order !== undefined) {
      const order = this.#order.take(this.step * batch, steps * batch);
      const { tensors, places } = provideItems(data, order);
      for (const [name, value] of tensors) feeds[dataName(name)] = value;
      feeds[LOOP_NAMES.order] = tensor("int64", [steps, batch], places);
    }
    const limits = this.#loop.offsetLimits;
    if (limits.length > 0) {
      const offsets = poolOffsets(seed, this.step, steps, limits);
      feeds[LOOP_NAMES.offsets] = tensor("int64", [steps, limits.length], offsets);
    }
    const start = performance.now();
    const results = await this.#session.run(feeds);
    const seconds = (performance.now() - start) / 1000;
    const losses = results[LOOP_NAMES.losses]!.data as Float32Array;
    const wrong = losses.findIndex((loss) => !Number.isFinite(loss));
    if (wrong >= 0) throw new DivergenceError(this.step + wrong, losses[wrong]!);
    this.#state = new Map(
      [...this.#state.keys()].map((name) => [name, results[endName(name)]!]),
    );
    const values = new Map(
      monitors.map((name) => [name, results[monitorName(name)]!.data as Float32Array]),
    );
    for (const [name, history] of this.#history) {
      history.set(name === "" ? losses : values.get(name)!, this.step);
    }
    this.step += steps;
    return { step: this.step, losses, seconds, monitors: values };
  }

  get made(): number {
    return this.history().reduce((count, loss) => count + (Number.isNaN(loss) ? 0 : 1), 0);
  }

  skipTo(step: number): void {
    if (step < this.step || step > this.#options.steps) {
      throw new RangeError(
        `step must be between ${this.step} and ${this.#options.steps}: current value is ${step}`,
      );
    }
    // No step that was made has that loss: it ends a run.
    for (const history of this.#history.values()) history.fill(NaN, this.step, step);
    this.step = step;
  }

  history(monitor = ""): Float32Array {
    const history = this.#history.get(monitor);
    if (history === undefined) throw new RangeError(`Value "${monitor}" is not monitored`);
    return history.subarray(0, this.step);
  }

  values(): Map<string, Tensor> {
    const values = new Map<string, Tensor>();
    this.#groups.forEach(({ members }, index) => {
      const vector = this.#state.get(groupStateName(index, "parameters"))!.data as Float32Array;
      for (const { name, dims, offset, length } of members) {
        values.set(name, tensor("float32", dims, vector.slice(offset, offset + length)));
      }
    });
    for (const name of this.#options.carried?.keys() ?? []) {
      values.set(name, this.#state.get(name)!);
    }
    return values;
  }

  checkpoint(): Uint8Array {
    const history = [...this.#history].map(([name, values]): [string, Tensor] => [
      historyName(name),
      tensor("float32", [this.step], values.slice(0, this.step)),
    ]);
    return encodeState({ step: this.step, tensors: new Map([...this.#state, ...history]) });
  }

  restore(checkpoint: Uint8Array): void {
    const { step, tensors } = decodeState(checkpoint);
    for (const { name, initial } of this.#loop.state) {
      const found = tensors.get(name);
      if (found?.type !== initial.type || String(found.dims) !== String(initial.dims)) {
        throw new RangeError(`Checkpoint belongs to another run: state "${name}" does not fit`);
      }
    }
    for (const [name, values] of this.#history) {
      const found = tensors.get(historyName(name));
      if (found?.type !== "float32" || found.dims[0] !== step || step > values.length) {
        throw new RangeError(`Checkpoint belongs to another run: it has ${step} steps`);
      }
      values.set(found.data as Float32Array);
    }
    this.#state = new Map(this.#loop.state.map(({ name }) => [name, tensors.get(name)!]));
    this.step = step;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

/** Under what name a checkpoint has the values of every step. */
function historyName(monitor: string): string {
  return `loop/history/${monitor}`;
}
