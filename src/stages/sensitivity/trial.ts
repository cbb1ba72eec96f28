/**
 * Measuring losses of one network, in this thread or in a Worker of its own.
 *
 * @module
 */

import type { Model } from "../../onnx/model.ts";
import { type CandidateSettings, makeCandidate } from "../../search/trial/candidate.ts";
import type { TrialItems } from "../../search/trial/items.ts";
import { type LayeredModel, narrow } from "../../search/trial/layers.ts";
import { type Comparison, outputLoss, withWeights } from "../../search/trial/loss.ts";
import { Reconstructor, type ReconstructorOptions } from "../../search/trial/reconstructor.ts";

/** What is quantized, alone. */
export type Subject =
  /** By name. */
  | { readonly layers: readonly string[]; readonly bits: number }
  /** By name of the value whose statistics it has. */
  | { readonly activation: string; readonly bits: number };

/** How losses are measured. */
export interface TrialSettings extends CandidateSettings {
  readonly comparison: Comparison;
  /** For losses after reconstruction. */
  readonly reconstruction?: ReconstructorOptions;
}

/** What measuring takes. */
export interface TrialResources {
  readonly threads: number;
  /** Bytes. */
  readonly memory: number;
  readonly signal: AbortSignal;
  warn(message: string): void;
}

/** Measures losses. */
export class Trial implements Disposable {
  readonly #layered: LayeredModel;
  readonly #items: TrialItems;
  readonly #settings: TrialSettings;
  readonly #resources: TrialResources;
  readonly #reconstructor: Reconstructor | undefined;

  private constructor(
    layered: LayeredModel,
    items: TrialItems,
    settings: TrialSettings,
    resources: TrialResources,
    reconstructor: Reconstructor | undefined,
  ) {
    this.#layered = layered;
    this.#items = items;
    this.#settings = settings;
    this.#resources = resources;
    this.#reconstructor = reconstructor;
  }

  /**
   * @param items What losses are measured on.
   * @param learning What is learned from, for losses after reconstruction.
   * @throws {UserError} If the items are not enough for reconstruction.
   */
  static async open(
    layered: LayeredModel,
    items: TrialItems,
    learning: TrialItems | undefined,
    settings: TrialSettings,
    resources: TrialResources,
  ): Promise<Trial> {
    const { reconstruction, seed } = settings;
    const reconstructor = reconstruction && await Reconstructor.open(
      layered.model,
      learning!,
      reconstruction,
      { ...resources, seed },
    );
    return new Trial(layered, items, settings, resources, reconstructor);
  }

  /** How far the network's outputs are from the float ones with only the subject quantized. */
  async loss(subject: Subject): Promise<number> {
    const candidate = await this.#candidate(subject);
    return await outputLoss(candidate, this.#items, this.#settings.comparison, this.#resources);
  }

  async #candidate(subject: Subject): Promise<Model> {
    const { bits } = subject;
    const settings = this.#settings;
    if ("activation" in subject) {
      const activations = new Map([[subject.activation, bits]]);
      return makeCandidate(this.#layered, { weights: new Map(), activations }, settings);
    }
    const { model, layers } = this.#layered;
    const members = layers.filter(({ name }) => subject.layers.includes(name));
    if (this.#reconstructor !== undefined) {
      const weights = new Map(members.map((layer) => [layer, bits]));
      const candidate = makeCandidate(this.#layered, { weights }, settings);
      return await this.#reconstructor.reconstruct(candidate);
    }
    return withWeights(
      model,
      new Map(members.map((layer) => [
        layer.first.weight,
        narrow(layer, bits, settings.weights, settings.seed).weights,
      ])),
    );
  }

  [Symbol.dispose](): void {
    this.#reconstructor?.[Symbol.dispose]();
  }
}
