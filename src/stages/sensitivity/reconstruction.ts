/**
 * Narrow weights whose roundings are learned.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import { applyQuantization, raiseOpset } from "../../quant/apply.ts";
import { quantizeLayer } from "../../quant/layer_weights.ts";
import { placeQuantizers } from "../../quant/placement.ts";
import { ItemStorage, type ItemValues } from "../../quant/reconstruct/item_values.ts";
import type { ReconstructionOptions } from "../../quant/reconstruct/options.ts";
import { reconstructModel } from "../../quant/reconstruct/reconstruct.ts";
import type { StageContext } from "../../registry/stage.ts";
import type { Items } from "./items.ts";
import type { Layer, LayeredModel } from "./layers.ts";
import type { Parameters } from "./ports.ts";

/** Share of the memory budget that values between layers may take. */
const VALUES_SHARE = 0.3;

/** Reconstructs sets of layers, each time from the float network. */
export class Reconstructor implements Disposable {
  readonly #layered: LayeredModel;
  readonly #parameters: Parameters;
  readonly #context: StageContext;
  readonly #storage: ItemStorage;
  readonly #inputs = new Map<string, ItemValues>();
  readonly #warned = new Set<string>();

  private constructor(layered: LayeredModel, parameters: Parameters, context: StageContext) {
    this.#layered = layered;
    this.#parameters = parameters;
    this.#context = context;
    this.#storage = new ItemStorage(VALUES_SHARE * context.memory);
  }

  /**
   * @throws {UserError} If there are fewer items than a step takes, or the model takes a fixed number.
   */
  static async open(
    layered: LayeredModel,
    items: Items,
    parameters: Parameters,
    context: StageContext,
  ): Promise<Reconstructor> {
    const { batch } = parameters.reconstruction;
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
    const reconstructor = new Reconstructor(layered, parameters, context);
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

  /** The network with some layers at a width, after their units were reconstructed; all others are float. */
  async narrowed(members: readonly Layer[], bits: number): Promise<Model> {
    const { model: reference } = this.#layered;
    const { seed, signal, warn } = this.#context;
    const nodes = new Set(members.flatMap(({ nodes }) => nodes));
    const model = raiseOpset(reference, [bits], "native");
    const placement = placeQuantizers(model);
    const shared = new Map(
      members.map((layer) => [
        layer.first.weight,
        quantizeLayer(
          layer.weights,
          layer.first,
          { ...this.#parameters.weights, bits, rounding: "nearest", mapping: "uniform" },
          { seed, reduceRange: false },
        ).weights,
      ]),
    );
    applyQuantization(model, placement, {
      encoding: "native",
      integerBias: false,
      activations: new Map(),
      weights: new Map(
        placement.layers.filter(({ node }) => nodes.has(node.name))
          .map((layer) => [layer, shared.get(layer.weight)!]),
      ),
    });
    const { model: reconstructed } = await reconstructModel(
      model,
      reference,
      this.#inputs,
      this.#options(),
      {
        seed,
        signal,
        storage: this.#storage,
        origin: "the float model",
        // Losses are what is kept.
        saved: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
        progress: () => {},
        warn: (message) => {
          if (!this.#warned.has(message)) warn(message);
          this.#warned.add(message);
        },
      },
    );
    return reconstructed;
  }

  [Symbol.dispose](): void {
    for (const values of this.#inputs.values()) values.release();
    this.#storage[Symbol.dispose]();
  }

  #options(): ReconstructionOptions {
    const { steps, batch, loss, learning_rate } = this.#parameters.reconstruction;
    return {
      solver: "learn",
      unit: "block",
      maximumBits: 16,
      except: [],
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
        activations: "fixed",
        activationRate: 0,
        activationSteps: 0,
        drop: 0,
      },
      distill: { steps: 0, required: false, learningRate: 0, temperature: 1 },
    };
  }
}
