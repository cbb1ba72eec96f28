/**
 * Reconstructing networks that are tried.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import { readQuantization } from "../../quant/qdq.ts";
import { ItemStorage, type ItemValues } from "../../quant/reconstruct/item_values.ts";
import type { ReconstructionOptions } from "../../quant/reconstruct/options.ts";
import { reconstructModel, type SavedState } from "../../quant/reconstruct/reconstruct.ts";
import type { TrialItems } from "./items.ts";

/** Share of the memory budget that values between layers may take. */
const VALUES_SHARE = 0.3;

/** How roundings are learned; rates and steps that are not here are those of the preset `fast` of `reconstruct`. */
export interface ReconstructorOptions {
  /** Steps a unit. */
  readonly steps: number;
  /** Items a step. */
  readonly batch: number;
  readonly loss: "mse" | "fisher";
  readonly learning_rate: number;
}

/** What reconstructing takes. */
export interface ReconstructorContext {
  readonly seed: number;
  /** Bytes. */
  readonly memory: number;
  readonly signal: AbortSignal;
  warn(message: string): void;
}

/** Wider weights stay as they are; so do binary ones. */
const WIDEST = 7;

/** State that is not worth keeping. */
const NOTHING_SAVED: SavedState = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
};

/** Reconstructs candidates of one float network on the same items. */
export class Reconstructor implements Disposable {
  readonly #reference: Model;
  readonly #options: ReconstructorOptions;
  readonly #context: ReconstructorContext;
  readonly #storage: ItemStorage;
  readonly #inputs = new Map<string, ItemValues>();
  readonly #warned = new Set<string>();

  private constructor(
    reference: Model,
    options: ReconstructorOptions,
    context: ReconstructorContext,
  ) {
    this.#reference = reference;
    this.#options = options;
    this.#context = context;
    this.#storage = new ItemStorage(VALUES_SHARE * context.memory);
  }

  /**
   * @throws {UserError} If there are fewer items than a step takes, or the model takes a fixed number.
   */
  static async open(
    reference: Model,
    items: TrialItems,
    options: ReconstructorOptions,
    context: ReconstructorContext,
  ): Promise<Reconstructor> {
    const { batch } = options;
    if (items.hasFixedBatch) {
      throw new UserError({
        message: "Reconstruction needs a model whose batch dimension is open",
        hint: 'Say batch: dynamic at the stage "prepare"',
      });
    }
    if (items.length < batch) {
      throw new UserError({
        message: `Reconstruction takes ${batch} items a step: the data has ${items.length}`,
        hint: "Give more items, or say reconstruction: { batch: NUMBER }",
      });
    }
    const reconstructor = new Reconstructor(reference, options, context);
    let start = 0;
    for await (const { feeds, size } of items.calls()) {
      for (const [name, rows] of Object.entries(feeds)) {
        let values = reconstructor.#inputs.get(name);
        if (values === undefined) {
          values = reconstructor.#storage.allocate(rows, items.length);
          reconstructor.#inputs.set(name, values);
        }
        values.write(start, rows);
      }
      start += size;
    }
    return reconstructor;
  }

  /**
   * A candidate with learned roundings; the candidate itself where nothing can be learned.
   *
   * @param saved Where its units are kept while the others are learned.
   */
  async reconstruct(
    candidate: Model,
    saved: SavedState = NOTHING_SAVED,
    progress: (done: number, total: number) => void = () => {},
  ): Promise<Model> {
    const { seed, signal, warn } = this.#context;
    const { weights } = readQuantization(candidate);
    if (!weights.some(({ bits }) => bits > 1 && bits <= WIDEST)) return candidate;
    const { model } = await reconstructModel(
      candidate,
      this.#reference,
      this.#inputs,
      this.#reconstruction(),
      {
        seed,
        signal,
        storage: this.#storage,
        origin: "the float model",
        saved,
        progress: ({ done, total }) => progress(done, total),
        warn: (message) => {
          if (!this.#warned.has(message)) warn(message);
          this.#warned.add(message);
        },
      },
    );
    return model;
  }

  [Symbol.dispose](): void {
    for (const values of this.#inputs.values()) values.release();
    this.#storage[Symbol.dispose]();
  }

  #reconstruction(): ReconstructionOptions {
    const { steps, batch, loss, learning_rate } = this.#options;
    return {
      solver: "learn",
      unit: "layer",
      maximumBits: WIDEST,
      ends: "width",
      except: [],
      // One and two threads can differ in the last bits.
      threads: 1,
      damping: 0.01,
      learning: {
        steps,
        batch,
        learningRate: learning_rate,
        lambda: "auto",
        warmup: 0.1,
        beta: [20, 2],
        loss,
        biasRate: 1e-3,
        scaleRate: 0,
        activations: "after",
        activationRate: 1e-3,
        activationSteps: Math.ceil(steps / 2),
        drop: 0,
        earlyStop: 0,
      },
      distill: {
        steps: 0,
        required: false,
        learningRate: 0,
        weightRate: 0,
        temperature: 1,
      },
    };
  }
}
