/**
 * The work of the stage `train`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { planFeeds } from "../../data/feeds.ts";
import { zeros } from "../../engine/zeros.ts";
import { DivergenceError } from "../../engine/training/trainer.ts";
import { CheckpointClock } from "../../engine/training/checkpoint_clock.ts";
import type { Optimizer } from "../../engine/training/optimizer.ts";
import type { Schedule } from "../../engine/training/schedule.ts";
import { elementCount, type Tensor } from "../../onnx/tensor.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import { trainClassifier, type TrainingData } from "./classifier.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

/** Items that are read at a time. */
const READING_BATCH = 256;
const CHECKPOINT = "training";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, train },
  context,
) => {
  const [model, dataset] = await Promise.all([artifact.load(), train.load()]);
  const { names } = planFeeds(
    dataset,
    model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name)),
    { data: train.origin, model: artifact.origin },
  );
  const data = await readAll(dataset, names, train.origin, context);
  const stepsPerEpoch = Math.ceil(dataset.length / parameters.batch);
  const training = await trainClassifier(model, data, {
    ...parameters,
    optimizer: optimizerOf(parameters),
    learningRate: parameters.learning_rate ?? (parameters.optimizer === "sgd" ? 0.1 : 1e-3),
    weightDecay: parameters.weight_decay,
    schedule: scheduleOf(parameters, stepsPerEpoch),
    seed: context.seed,
    threads: context.threads,
  });
  await using trainer = training.trainer;
  const saved = await context.checkpoints.load(CHECKPOINT);
  if (saved !== undefined) trainer.restore(saved);

  const checkpoints = new CheckpointClock(() =>
    context.checkpoints.save(CHECKPOINT, trainer.checkpoint())
  );
  try {
    await trainer.run(undefined, {
      signal: context.signal,
      async onChunk({ step, losses, monitors }) {
        const epoch = Math.min(parameters.epochs, Math.floor(step / stepsPerEpoch) + 1);
        context.progress({
          phase: `epoch ${epoch} of ${parameters.epochs}`,
          done: step,
          total: training.steps,
          unit: "steps",
          values: { loss: meanOf(losses), "top-1": meanOf(monitors.get(training.accuracy)!) },
        });
        await (context.signal.aborted ? checkpoints.save() : checkpoints.tick());
      },
    });
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    throw new UserError({
      message: `${error.message} of ${training.steps}`,
      hint: "Give a smaller learning_rate, or a warmup",
    }, { cause: error });
  }
  const lastEpoch = (values: Float32Array) => meanOf(values.subarray(-stepsPerEpoch));
  return {
    outputs: { model: training.model() },
    metrics: {
      train_loss: lastEpoch(trainer.history()),
      train_top1: lastEpoch(trainer.history(training.accuracy)),
      steps: training.steps,
      parameters: training.parameters,
    },
  };
};

function optimizerOf({ optimizer, momentum }: Parameters): Optimizer {
  return optimizer === "sgd"
    ? { kind: "sgd", momentum, nesterov: momentum > 0 }
    : { kind: optimizer };
}

function scheduleOf({ schedule, warmup, patience }: Parameters, window: number): Schedule {
  return schedule === "plateau"
    ? { kind: "plateau", warmup, factor: 0.5, patience, window }
    : { kind: schedule, warmup };
}

/** The whole data set in memory. */
async function readAll(
  dataset: Dataset,
  names: readonly string[],
  origin: string,
  { memory, signal, progress }: StageContext,
): Promise<TrainingData> {
  if (!dataset.labeled) {
    throw new UserError({
      message: `The data set "${origin}" has no labels to learn from`,
      hint: "Use a data set with labels",
    });
  }
  if (dataset.length === 0) throw new UserError(`The data set "${origin}" has no items`);
  const all = dataset.inputs.map(({ type, dims }) => ({ type, dims: [dataset.length, ...dims] }));
  const bytes = all.reduce((sum, { dims }) => sum + 4 * elementCount(dims), 0);
  if (bytes > memory) {
    const fitting = Math.floor(dataset.length * memory / bytes);
    throw new UserError({
      message: `The data set "${origin}" takes ${Math.ceil(bytes / 2 ** 20)} MiB of memory, of ` +
        `which ${Math.floor(memory / 2 ** 20)} MiB may be used`,
      hint: `Say take: ${fitting} at the data set, or allow more memory`,
    });
  }
  const whole = all.map(({ type, dims }) => zeros(type, dims));
  const labels = new Int32Array(dataset.length);
  for await (const batch of dataset.batches(READING_BATCH)) {
    signal.throwIfAborted();
    batch.inputs.forEach((tensor, index) => {
      const width = elementCount(tensor.dims.slice(1));
      (whole[index]!.data as Float32Array).set(tensor.data as Float32Array, batch.start * width);
    });
    labels.set(batch.labels!, batch.start);
    progress({
      phase: "reading",
      done: batch.start + batch.size,
      total: dataset.length,
      unit: "items",
    });
  }
  const inputs = new Map(whole.map((tensor, index): [string, Tensor] => [names[index]!, tensor]));
  return { inputs, labels };
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
