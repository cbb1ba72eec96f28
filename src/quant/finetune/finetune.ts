/**
 * Training a quantized network as a whole, taught by the float network it was made from.
 *
 * @module
 */

import { createTrainer, DivergenceError } from "../../engine/training/trainer.ts";
import { runResumed, type StateStore } from "../../engine/training/resume.ts";
import { UserError } from "../../base/errors.ts";
import { openSession } from "../../engine/session.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Graph, Model } from "../../onnx/model.ts";
import { elementCount, type Tensor } from "../../onnx/tensor.ts";
import { type ActivationReading, readQuantization } from "../qdq.ts";
import { quantizerInput, stepGroups } from "../reconstruct/activations.ts";
import { liftBiases, lowerBiases, ownBias } from "../reconstruct/biases.ts";
import { applyChanges } from "../reconstruct/changes.ts";
import type { ItemValues } from "../reconstruct/item_values.ts";
import { latentWeights, roundedValues } from "../reconstruct/latent.ts";
import { matchLayers } from "../reconstruct/layers.ts";
import { givesScores, logitsOf } from "../reconstruct/logits.ts";
import { findUnits } from "../units.ts";
import {
  biasName,
  type Comparison,
  factorsName,
  type FinetuneOptions,
  type FinetuneTrainables,
  finetuneTraining,
  stepName,
  weightsName,
} from "./training.ts";

/** What the work reports to. */
export interface FinetuneContext {
  readonly signal: AbortSignal;
  readonly store: StateStore;
  /** What messages call the float model. */
  readonly origin: string;
  progress(step: number, loss: number): void;
  warn(message: string): void;
}

/** What came of it. */
export interface Finetuned {
  readonly model: Model;
  /** Distance from the float network on items that were not learned from: mean divergence, or relative squared error. */
  readonly before: number;
  readonly after: number;
  /** Whether the result is closer than what was given; else that is the result. */
  readonly kept: boolean;
  /** Loss of the first and last tenth of the steps. */
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/** Of so many items, one is kept for the comparison of before and after. */
const HELD_OUT = 8;
/** Items that are compared at a time. */
const COMPARE_BATCH = 32;

/**
 * Trains the weights, their scales, the scales of activations and the biases of a quantized network.
 *
 * @param quantized Stays as it is.
 * @param reference The float model that it was made from, with the same names.
 * @param inputs The inputs of both for all items, by name.
 * @throws {UserError} If the models do not belong together, or an operator has no gradient rule.
 */
export async function finetune(
  quantized: Model,
  reference: Model,
  inputs: ReadonlyMap<string, ItemValues>,
  options: FinetuneOptions,
  context: FinetuneContext,
): Promise<Finetuned> {
  const items = inputs.values().next().value!.dims[0]!;
  const held = Math.max(1, Math.floor(items / HELD_OUT));
  const model = cloneModel(quantized);
  const { graph } = model;
  const { layers } = matchLayers(model, reference, context.origin);
  const integerBiases = liftBiases(model, reference);
  const { activations } = readQuantization(model);
  const comparison = comparisonOf(model, reference, activations);
  const trainables: FinetuneTrainables = {
    weights: layers.map(latentWeights),
    biases: new Map(layers.flatMap((layer) => {
      const bias = ownBias(graph, layer);
      return bias === undefined ? [] : [[layer.name, bias]];
    })),
    steps: stepGroups(activations.filter((reading) => !isWideInput(graph, reading))),
  };
  const learned = new Map(
    [...inputs].map(([name, values]) => [name, values.read(held, items - held)]),
  );
  const training = finetuneTraining(
    model,
    reference,
    activations,
    learned,
    trainables,
    comparison,
    options,
  );
  const trainer = await createTrainer(training);
  try {
    await runResumed(trainer, {
      name: "training",
      store: context.store,
      signal: context.signal,
      onChunk: ({ step, losses }) => context.progress(step, losses.at(-1)!),
    });
    // What comes next may be interrupted too.
    await context.store.save("training", trainer.checkpoint());
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    throw new UserError({
      message: `${error.message} of ${options.steps}`,
      hint: "Give a smaller rate or weight_rate",
    }, { cause: error });
  } finally {
    await trainer[Symbol.asyncDispose]();
  }
  const values = trainer.values();
  const floats = (name: string) => values.get(name)!.data as Float32Array;
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  applyChanges(
    graph,
    {
      weights: new Map(trainables.weights.map((weights) => {
        const { layer } = weights;
        const factors = floats(factorsName(layer.name));
        const levels = floats(weightsName(layer.name)).map((value, index) =>
          value / factors[layer.scaleOf[index]!]!
        );
        return [layer.name, roundedValues(weights, levels)];
      })),
      scales: new Map(layers.map(({ name, parameters: { scale } }) => {
        const factors = floats(factorsName(name));
        return [name, scale.map((value, index) => value * factors[index]!)];
      })),
      biases: new Map([...trainables.biases.keys()].map((name) => [name, floats(biasName(name))])),
      steps: new Map(trainables.steps.map(({ members, scale }, index) => [
        members[0]!.value,
        scale * floats(stepName(index))[0]!,
      ])),
    },
    byName,
    trainables.steps,
  );
  for (const { name } of lowerBiases(model, integerBiases, byName)) {
    context.warn(`The bias of "${name}" stays float: it does not fit into 32 bits any more`);
  }
  const distance = (candidate: Model) =>
    distanceBetween(candidate, reference, inputs, held, comparison.scores, options.threads);
  const [before, after] = [await distance(quantized), await distance(model)];
  const kept = after <= before;
  const losses = trainer.history();
  const tenth = Math.max(1, Math.floor(losses.length / 10));
  return {
    model: kept ? model : quantized,
    before,
    after: kept ? after : before,
    kept,
    firstLoss: mean(losses.subarray(0, tenth)),
    lastLoss: mean(losses.subarray(-tenth)),
  };
}

/** Whether a quantizer is that of a model's input, with 8 bits or more: images that were made up do not tell its range. */
function isWideInput(graph: Graph, reading: ActivationReading): boolean {
  const name = quantizerInput(graph, reading);
  const { qmin, qmax } = reading.parameters?.grid ?? { qmin: 0, qmax: 0 };
  return qmax - qmin >= 255 && graph.inputs.some((input) => input.name === name);
}

/** The values by which the networks are compared: their answers, and what leaves each block. */
function comparisonOf(
  model: Model,
  reference: Model,
  activations: readonly ActivationReading[],
): Comparison {
  const stands = new Map(activations.map(({ result, value }) => [result, value]));
  const floatName = (name: string): string => {
    const next = stands.get(name);
    return next === undefined || next === name ? name : floatName(next);
  };
  const known = new Set(reference.graph.nodes.flatMap(({ outputs }) => outputs));
  const output = logitsOf(model);
  const features = findUnits(model, "block").flatMap(({ output: value }) => {
    const target = floatName(value);
    return value === output || !known.has(target) ? [] : [{ value, target }];
  });
  return { output, target: logitsOf(reference), scores: givesScores(reference), features };
}

/** Mean divergence of the first items' classes, or the relative squared error of their outputs. */
async function distanceBetween(
  model: Model,
  reference: Model,
  inputs: ReadonlyMap<string, ItemValues>,
  items: number,
  scores: boolean,
  threads: number,
): Promise<number> {
  await using own = await openSession(model, { threads });
  await using float = await openSession(reference, { threads });
  const [name, target] = [model, reference].map(({ graph }) => graph.outputs[0]!.name);
  const isProbability = logitsOf(reference) !== target;
  let total = 0;
  let size = 0;
  for (let start = 0; start < items; start += COMPARE_BATCH) {
    const count = Math.min(COMPARE_BATCH, items - start);
    const feeds = Object.fromEntries(
      [...inputs].map(([name, values]) => [name, values.read(start, count)]),
    );
    const actual = (await own.run(feeds))[name!]!;
    const wanted = (await float.run(feeds))[target!]!;
    if (scores) {
      total += divergenceOf(actual, wanted, isProbability);
      size += count;
      continue;
    }
    const values = actual.data as Float32Array;
    (wanted.data as Float32Array).forEach((value, index) => {
      total += (value - values[index]!) ** 2;
      size += value ** 2;
    });
  }
  return total / Math.max(size, 1e-30);
}

/** The sum over items of KL(softmax(wanted) ‖ softmax(actual)). */
function divergenceOf(actual: Tensor, wanted: Tensor, isProbability: boolean): number {
  const classes = elementCount(wanted.dims.slice(1));
  const row = ({ data }: Tensor, item: number) =>
    (data as Float32Array).subarray(item * classes, (item + 1) * classes);
  let sum = 0;
  for (let item = 0; item < wanted.dims[0]!; item++) {
    const [p, q] = [wanted, actual].map((tensor) => logarithms(row(tensor, item), isProbability));
    for (let at = 0; at < classes; at++) sum += Math.exp(p![at]!) * (p![at]! - q![at]!);
  }
  return sum;
}

/** Logarithms of the probabilities of classes. */
function logarithms(scores: Float32Array, isProbability: boolean): Float64Array {
  if (isProbability) return Float64Array.from(scores, (value) => Math.log(Math.max(value, 1e-12)));
  const greatest = scores.reduce((a, b) => Math.max(a, b));
  const sum = scores.reduce((total, value) => total + Math.exp(value - greatest), 0);
  return Float64Array.from(scores, (value) => value - greatest - Math.log(sum));
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
