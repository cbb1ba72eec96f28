/**
 * Training a classifier: a model with logits, and a batch of images with a class each.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import { initializeParameters } from "../../engine/training/initialize.ts";
import { accuracy, crossEntropy } from "../../engine/training/losses.ts";
import type { Optimizer } from "../../engine/training/optimizer.ts";
import type { Trainable } from "../../engine/training/options.ts";
import type { Schedule } from "../../engine/training/schedule.ts";
import { createTrainer, type Trainer } from "../../engine/training/trainer.ts";
import { enterTrainingMode, parametersOf } from "../../engine/training/training_mode.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { type Tensor, tensor } from "../../onnx/tensor.ts";

/** How a classifier is trained. */
export interface ClassifierSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  /** Of weights; biases, scales and slopes never decay. */
  readonly weightDecay: number;
  readonly schedule: Schedule;
  /** Label smoothing. */
  readonly smoothing: number;
  /** `seed` starts from fresh parameters, `model` from the model's own. */
  readonly initial: "seed" | "model";
  readonly seed: number;
  readonly threads: number;
}

/** All items of a labelled data set. */
export interface TrainingData {
  /** `[items, …]`, of the model input's type. */
  readonly inputs: Tensor;
  /** Class of each item. */
  readonly labels: Int32Array;
}

/** Names that the loss part adds to the graph. */
const LABELS = "training/labels";

/** A classifier being trained. */
export interface ClassifierTraining {
  readonly trainer: Trainer;
  /** How many steps all epochs take. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The name under which each step's share of right answers is monitored. */
  readonly accuracy: string;
  /** The model with the current parameters; batch normalization stays unfolded. */
  model(): Model;
}

/**
 * Prepares the training of a model with one input and logits `[N, classes]` as first output.
 *
 * @throws {UserError} If the model has no such shape, an operator has no gradient rule, or a label is out of range.
 */
export async function trainClassifier(
  source: Model,
  data: TrainingData,
  settings: ClassifierSettings,
): Promise<ClassifierTraining> {
  const result = cloneModel(source);
  if (settings.initial === "seed") initializeParameters(result.graph, settings.seed);
  const { graph, opsets } = cloneModel(result);
  const input = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const logits = graph.outputs[0];
  if (input.length !== 1 || logits === undefined) {
    throw new UserError(
      `A model to be trained must have one input: this one has ${input.length}`,
    );
  }
  const classes = logits.dims?.at(-1);
  if (typeof classes !== "number" || logits.dims?.length !== 2) {
    throw new UserError({
      message: `Output "${logits.name}" must be logits of shape [N, classes]: its shape is [${
        logits.dims ?? "unknown"
      }]`,
    });
  }
  const wrong = data.labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0) {
    throw new UserError(
      `Label ${
        data.labels[wrong]
      } of item ${wrong} is out of range: the model has ${classes} classes`,
    );
  }

  const carried = enterTrainingMode(graph);
  const trainable = new Map<string, Trainable>();
  for (const { name, role, tensor } of parametersOf(graph)) {
    if (carried.has(name)) continue;
    trainable.set(name, {
      initial: tensor,
      weightDecay: role === "weight" ? settings.weightDecay : 0,
    });
  }
  const emit = new Emitter(graph, "loss");
  const loss = crossEntropy(emit, logits.name, LABELS, classes, settings.smoothing);
  const right = accuracy(emit, logits.name, LABELS);
  const stepsPerEpoch = Math.ceil(data.labels.length / settings.batch);
  const steps = settings.epochs * stepsPerEpoch;
  const trainer = await createTrainer({
    graph,
    opset: opsets.get("") ?? 21,
    loss,
    trainable,
    carried,
    data: new Map([
      [input[0]!.name, data.inputs],
      [LABELS, tensor("int64", [data.labels.length], BigInt64Array.from(data.labels, BigInt))],
    ]),
    batch: settings.batch,
    steps,
    monitors: [right],
    optimizer: settings.optimizer,
    learningRate: settings.learningRate,
    weightDecay: settings.weightDecay,
    schedule: settings.schedule,
    seed: settings.seed,
    threads: settings.threads,
  });
  return {
    trainer,
    steps,
    stepsPerEpoch,
    accuracy: right,
    model: () => {
      const trained = cloneModel(result);
      for (const [name, value] of trainer.values()) trained.graph.initializers.set(name, value);
      return trained;
    },
  };
}
