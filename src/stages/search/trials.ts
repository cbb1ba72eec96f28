/**
 * Making and measuring models of chosen widths.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import type { InputArtifacts, StageContext } from "../../registry/stage.ts";
import type { Genome, SearchProblem, Subjects } from "../../search/problem.ts";
import {
  type CandidateSettings,
  type CandidateWidths,
  findActivations,
  makeCandidate,
} from "../../search/trial/candidate.ts";
import { Items } from "../../search/trial/items.ts";
import { findLayers, type LayeredModel } from "../../search/trial/layers.ts";
import { chooseComparison, type Comparison, measureModel } from "../../search/trial/loss.ts";
import { Measurements } from "../../search/trial/measurements.ts";
import { Reconstructor } from "../../search/trial/reconstructor.ts";
import { boxesOf } from "../../verify/domain/domains.ts";
import { domainInput, type NamedBox } from "../../verify/domain/input.ts";
import { provenDifference } from "../../verify/proven_difference.ts";
import { goalOf, quantizesActivations, type TrialParameters } from "./goals.ts";
import type { inputs, Parameters } from "./ports.ts";

/** What a model was measured to lose: `kl` or `mse`, `top1_drop` where there are labels, `bound` where it has a limit. */
export type Losses = Readonly<Record<string, number>>;

/** Makes and measures models, each once. */
export class Trials implements AsyncDisposable {
  /** The loss that is to be least. */
  readonly measure: Comparison["measure"];
  readonly #layered: LayeredModel;
  readonly #items: Items;
  readonly #comparison: Comparison;
  readonly #settings: CandidateSettings;
  readonly #reconstructor: Reconstructor | undefined;
  readonly #kept: Measurements<Losses>;
  readonly #widths: (genome: Genome) => CandidateWidths;
  readonly #context: StageContext;
  readonly #total: number;
  /** What bounds speak of, where they have a limit. */
  readonly #domain: readonly NamedBox[] | undefined;
  readonly #seen = new Map<string, number>();

  private constructor(
    facts: Pick<Trials, "measure"> & {
      layered: LayeredModel;
      items: Items;
      comparison: Comparison;
      settings: CandidateSettings;
      reconstructor: Reconstructor | undefined;
      kept: Measurements<Losses>;
      widths: (genome: Genome) => CandidateWidths;
      total: number;
      domain: readonly NamedBox[] | undefined;
    },
    context: StageContext,
  ) {
    this.measure = facts.measure;
    this.#layered = facts.layered;
    this.#items = facts.items;
    this.#comparison = facts.comparison;
    this.#settings = facts.settings;
    this.#reconstructor = facts.reconstructor;
    this.#kept = facts.kept;
    this.#widths = facts.widths;
    this.#total = facts.total;
    this.#domain = facts.domain;
    this.#context = context;
  }

  /** @throws {UserError} If data or ranges are missing, or do not fit. */
  static async open(
    trials: TrialParameters,
    problem: SearchProblem,
    subjects: Subjects,
    artifacts: InputArtifacts<typeof inputs>,
    parameters: Parameters,
    context: StageContext,
  ): Promise<Trials> {
    const { model: artifact, calibration, validation, ranges } = artifacts;
    const layered = findLayers(await artifact.load(), []);
    const { weights, activations, reconstruction, batch, output } = trials;
    const model = { value: layered.model, origin: artifact.origin };
    const options = {
      batch,
      ...(output !== undefined && { output }),
      threads: context.threads,
      memory: context.memory / 4,
    };
    const items = await Items.open(
      model,
      { value: await validation!.load(), origin: validation!.origin },
      { ...options, ...(trials.validate !== undefined && { take: trials.validate }) },
    );
    try {
      const goal = goalOf(parameters.budget)?.name;
      const wanted = goal === "kl" || goal === "mse" ? goal : trials.metric;
      const comparison = chooseComparison(layered.model, items, wanted);
      if (goal === "top1_drop" && !(items.labeled && items.width > 1)) {
        throw new UserError({
          message: items.labeled
            ? `top1_drop cannot be measured: output "${items.output}" has one value an item`
            : `top1_drop cannot be measured: the data set "${validation!.origin}" has no labels`,
          hint: "Give the data set labels, or limit kl or mse",
        });
      }
      const reconstructor = reconstruction === undefined ? undefined : await openReconstructor(
        model,
        { value: await calibration!.load(), origin: calibration!.origin },
        { ...options, ...(trials.take !== undefined && { take: trials.take }) },
        reconstruction,
        context,
      );
      const quantizes = quantizesActivations(trials, parameters.targets);
      const statistics = quantizes ? await ranges!.load() : undefined;
      const domain = goal === "bound"
        ? await boxesOf(domainInput(layered.model), trials.domain!, {
          value: await validation!.load(),
          origin: validation!.origin,
        })
        : undefined;
      return new Trials({
        measure: comparison.measure,
        layered,
        items,
        comparison,
        settings: {
          weights,
          seed: context.seed,
          ...(statistics && { activations: { ...activations, ranges: statistics } }),
        },
        reconstructor,
        kept: await Measurements.open<Losses>(context),
        widths: widthsOf(
          layered,
          problem,
          subjects,
          quantizes ? activations : undefined,
          parameters,
        ),
        total: trials.count,
        domain,
      }, context);
    } catch (error) {
      await items[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What a choice loses, measured. */
  async losses(genome: Genome): Promise<Losses> {
    const key = genome.join(",");
    const index = this.#seen.get(key) ?? this.#seen.size;
    this.#seen.set(key, index);
    const report = (share: number) =>
      this.#context.progress({
        phase: "trying",
        done: Math.round(100 * (index + share)) / 100,
        total: Math.max(this.#total, index + 1),
        unit: "models",
      });
    const losses = await this.#kept.get(key, () => this.#measure(genome, index, report));
    report(1);
    return losses;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reconstructor?.[Symbol.dispose]();
    await this.#items[Symbol.asyncDispose]();
  }

  async #bound(model: Model, domain: readonly NamedBox[]): Promise<number> {
    const { threads, signal } = this.#context;
    const proven = await provenDifference(this.#layered.model, model, domain, { threads, signal });
    return Math.min(proven, NO_BOUND);
  }

  async #measure(
    genome: Genome,
    index: number,
    report: (share: number) => void,
  ): Promise<Losses> {
    const { checkpoints } = this.#context;
    const candidate = makeCandidate(this.#layered, this.#widths(genome), this.#settings);
    const model = await this.#reconstructor?.reconstruct(candidate, {
      load: (name) => checkpoints.load(`trial ${index} ${name}`),
      save: (name, bytes) => checkpoints.save(`trial ${index} ${name}`, bytes),
    }, (done, total) => report(done / total)) ?? candidate;
    const { measure, scores } = this.#comparison;
    const labeled = this.#items.labeled && this.#items.width > 1;
    const names = labeled ? [measure, "top1"] as const : [measure];
    const all = await measureModel(model, this.#items, names, scores, this.#context);
    return {
      [measure]: all[measure]!,
      ...(labeled && { top1_drop: all["top1_drop"]! }),
      ...(this.#domain && { bound: await this.#bound(model, this.#domain) }),
    };
  }
}

/** Larger than all that is called a bound: JSON has no infinity. */
const NO_BOUND = Number.MAX_VALUE;

async function openReconstructor(
  model: Parameters_<typeof Items.open>[0],
  data: Parameters_<typeof Items.open>[1],
  options: Parameters_<typeof Items.open>[2],
  reconstruction: NonNullable<TrialParameters["reconstruction"]>,
  context: StageContext,
): Promise<Reconstructor> {
  await using items = await Items.open(model, data, options);
  return await Reconstructor.open(model.value, items, reconstruction, context);
}

type Parameters_<F extends (...given: never[]) => unknown> = globalThis.Parameters<F>;

/** The widths of everything for a genome. */
function widthsOf(
  layered: LayeredModel,
  problem: SearchProblem,
  { layers, activations }: Subjects,
  grid: TrialParameters["activations"] | undefined,
  { weight_bits }: Parameters,
): (genome: Genome) => CandidateWidths {
  const byName = new Map(layered.layers.map((layer) => [layer.name, layer]));
  const groups = grid === undefined ? [] : findActivations(layered, grid.at);
  const known = new Set(groups.map(({ name }) => name));
  const stranger = layers.find(({ name }) => !byName.has(name))?.name ??
    activations.find(({ name }) => !known.has(name))?.name;
  if (stranger !== undefined) {
    throw new UserError({
      message: `The model has no "${stranger}", which the sensitivity table has`,
      hint: "Give the model that the table was made for, and the same activations.at",
    });
  }
  const widthOf = (genome: Genome, row: number) => problem.widths[genome[row]!]!;
  return (genome) => {
    const weights = layers.length === 0
      ? layered.layers.map((layer) => [layer, weight_bits] as const)
      : layers.map(({ name }, row) => [byName.get(name)!, widthOf(genome, row)] as const);
    const chosen = new Map(groups.map(({ name }) => [name, grid!.bits as number]));
    activations.forEach(({ name }, index) =>
      chosen.set(name, widthOf(genome, layers.length + index))
    );
    return { weights: new Map(weights), ...(grid && { activations: chosen }) };
  };
}
