/**
 * Training a classifier: a model with logits, and items with a class each.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import { inferShapes } from "../../engine/shapes.ts";
import { initializeParameters } from "../../engine/training/initialize.ts";
import { accuracy, crossEntropy } from "../../engine/training/losses.ts";
import type { Optimizer } from "../../engine/training/optimizer.ts";
import type { Trainable } from "../../engine/training/options.ts";
import type { Schedule } from "../../engine/training/schedule.ts";
import { createTrainer, type Trainer } from "../../engine/training/trainer.ts";
import { enterTrainingMode, parametersOf } from "../../engine/training/training_mode.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { elementCount, type Tensor, tensor } from "../../onnx/tensor.ts";
import { setFoldedStatistics } from "../../quant/distributions/batch_norm.ts";

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
  /** By model input, items first. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Class of each item. */
  readonly labels: Int32Array;
}

/** The graph input that the labels of a batch come through. */
const LABELS = "training/labels";

/** A classifier being trained. */
export interface ClassifierTraining {
  readonly trainer: Trainer;
  /** How many steps all epochs take. */
  readonly steps: number;
  /** How many numbers are trained. */
  readonly parameters: number;
  /** The name under which each step's share of right answers is monitored. */
  readonly accuracy: string;
  /** The model with the current parameters; batch normalization stays unfolded. */
  model(): Model;
}

/**
 * Prepares the training of a model whose first output is logits `[N, classes]`.
 *
 * @throws {UserError} If it is not, an operator has no gradient rule, or a label is out of range.
 */
export async function trainClassifier(
  source: Model,
  data: TrainingData,
  settings: ClassifierSettings,
): Promise<ClassifierTraining> {
  const result = cloneModel(source);
  if (settings.initial === "seed") initializeParameters(result.graph, settings.seed);
  const { graph, opsets } = cloneModel(result);
  const logits = graph.outputs[0]!.name;
  const classes = await classCount(source, data, logits, settings.batch);
  checkLabels(data.labels, classes);

  const carried = enterTrainingMode(graph);
  const trainable = new Map<string, Trainable>();
  for (const { name, role, tensor } of parametersOf(graph)) {
    if (carried.has(name)) continue;
    const weightDecay = role === "weight" ? settings.weightDecay : 0;
    trainable.set(name, { initial: tensor, weightDecay });
  }
  if (trainable.size === 0) {
    throw new UserError("The model has nothing to train: no constant float32 weights");
  }
  const emit = new Emitter(graph, "loss");
  const loss = crossEntropy(emit, logits, LABELS, classes, settings.smoothing);
  const right = accuracy(emit, logits, LABELS);
  const items = data.labels.length;
  const steps = settings.epochs * Math.ceil(items / settings.batch);
  const trainer = await createTrainer({
    graph,
    opset: opsets.get("") ?? 21,
    loss,
    trainable,
    carried,
    data: new Map([
      ...data.inputs,
      [LABELS, tensor("int64", [items], BigInt64Array.from(data.labels, BigInt))],
    ]),
    batch: settings.batch,
    steps,
    monitors: [right],
    optimizer: settings.optimizer,
    learningRate: settings.learningRate,
    schedule: settings.schedule,
    seed: settings.seed,
    threads: settings.threads,
  });
  return {
    trainer,
    steps,
    parameters: [...trainable.values()].reduce(
      (sum, { initial }) => sum + elementCount(initial.dims),
      0,
    ),
    accuracy: right,
    model: () => {
      const trained = cloneModel(result);
      for (const [name, value] of trainer.values()) trained.graph.initializers.set(name, value);
      // Statistics that were folded belong to the old weights.
      setFoldedStatistics(trained, new Map());
      return trained;
    },
  };
}

/** How many logits an item has. */
async function classCount(
  model: Model,
  data: TrainingData,
  logits: string,
  batch: number,
): Promise<number> {
  const dims = Object.fromEntries(
    [...data.inputs].map(([name, { dims }]) => [name, [batch, ...dims.slice(1)]]),
  );
  const shape = (await inferShapes(model, dims)).get(logits)?.dims;
  if (shape?.length !== 2 || shape[0] !== batch) {
    throw new UserError(
      `Output "${logits}" must be logits of shape [${batch}, classes] for a batch of ${batch}: ` +
        `its shape is [${shape?.join(", ") ?? "unknown"}]`,
    );
  }
  return shape[1]!;
}

function checkLabels(labels: Int32Array, classes: number): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong < 0) return;
  throw new UserError({
    message: `Item ${wrong} has label ${labels[wrong]}, but the model has classes 0 to ${
      classes - 1
    }`,
    hint: "Shift labels with preprocess: { label_offset: … } at the data set, or use another model",
  });
}
