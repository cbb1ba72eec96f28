/**
 * Images made up so that a network's batch normalizations see what they saw in training.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { UserError } from "../../base/errors.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import { openSession } from "../../engine/session.ts";
import { inferShapes } from "../../engine/shapes.ts";
import { crossEntropy, mean } from "../../engine/training/losses.ts";
import type { Trainable, TrainingOptions } from "../../engine/training/options.ts";
import { runResumed, type StateStore } from "../../engine/training/resume.ts";
import { createTrainer, DivergenceError } from "../../engine/training/trainer.ts";
import { decodeState, encodeState } from "../../engine/training/checkpoint.ts";
import { cloneGraph, prune, sortNodes } from "../../onnx/edit.ts";
import type { Graph, Model } from "../../onnx/model.ts";
import { elementCount, float32, type Tensor, tensor } from "../../onnx/tensor.ts";
import { logitsOf } from "../reconstruct/logits.ts";
import { emitGenerator } from "./generator.ts";
import { emitMatching, matchingModel, type MatchingTarget, matchingTargets } from "./matching.ts";
import { swingStridedConvolutions } from "./swing.ts";

/** How images are made. */
export interface SynthesisOptions {
  /** What is learned: the pixels themselves, or a network that makes them. */
  readonly method: "pixels" | "generator";
  readonly images: number;
  /** Images that are made together: their statistics are what is matched. */
  readonly batch: number;
  /** Steps a batch. */
  readonly steps: number;
  /** Adam's rate for pixels, in units of their spread, or for the vectors of a generator. */
  readonly rate: number;
  /** Adam's rate for a generator. */
  readonly generatorRate: number;
  readonly latent: number;
  readonly width: number;
  /** Whether convolutions with a stride read their input shifted at random. */
  readonly swing: boolean;
  /** Weight of the cross-entropy with classes that are dealt evenly; 0 for none. */
  readonly classWeight: number;
  readonly range?: readonly [number, number];
  readonly seed: number;
  readonly threads: number;
}

/** How well one value's statistics are matched. */
export interface Match {
  readonly value: string;
  /** Mean over channels of both squared distances, for random noise and for the images. */
  readonly noise: number;
  readonly loss: number;
}

/** What came of it. */
export interface Synthesis {
  /** `[images, …]` */
  readonly images: Tensor<"float32">;
  /** The class that each image was made for. */
  readonly labels: Int32Array | undefined;
  readonly matches: readonly Match[];
}

/** What the work reports to. */
export interface SynthesisContext {
  readonly signal: AbortSignal;
  readonly store: StateStore;
  /** Steps over all batches. */
  progress(done: number, total: number, loss: number): void;
}

const IMAGES = "synthesis/images";
const LOSS = "synthesis/loss";
const LABELS = "synthesis/labels";

/**
 * Makes images for the only input of a model.
 *
 * @param model Its operator set is 18 or newer.
 * @param dims Shape of one image.
 * @throws {UserError} If the model has no statistics, or something in it has no gradient rule.
 */
export async function synthesizeImages(
  model: Model,
  dims: readonly number[],
  options: SynthesisOptions,
  context: SynthesisContext,
): Promise<Synthesis> {
  const input = model.graph.inputs.find(({ name }) => !model.graph.initializers.has(name))!.name;
  const images = new Float32Array(options.images * elementCount(dims));
  const classes = options.classWeight > 0 ? await classCount(model, input, dims) : undefined;
  const labels = classes === undefined
    ? undefined
    : dealtClasses(options.images, classes, options.seed);
  const batches = Math.ceil(options.images / options.batch);
  const all: MatchingTarget[] = [];
  const sums: { noise: number[]; loss: number[] } = { noise: [], loss: [] };
  for (let index = 0; index < batches; index++) {
    const start = index * options.batch;
    const size = Math.min(options.batch, options.images - start);
    const seed = Random.from(options.seed, `synthesize/batch ${index}`).bits();
    const shape = [size, ...dims];
    const sizes = await inferShapes(model, { [input]: shape });
    const ranks = new Map([...sizes].map(([name, type]) => [name, type.dims.length]));
    const targets = matchingTargets(model, ranks);
    if (index === 0) all.push(...targets);
    const own = labels?.subarray(start, start + size);
    const made = await makeBatch(index, {
      model,
      input,
      shape,
      targets,
      sizes: new Map([...sizes].map(([name, type]) => [name, type.dims])),
      ...(own && { labels: own, classes: classes! }),
      seed,
      options,
      context: {
        ...context,
        progress: (step, _, loss) =>
          context.progress(index * options.steps + step, batches * options.steps, loss),
      },
    });
    images.set(made.data, start * elementCount(dims));
    const noise = startPixels(shape, options.range, Random.from(seed, "synthesize/pixels"));
    for (const [name, value] of [["noise", noise], ["loss", made]] as const) {
      const losses = await matchingLosses(model, targets, input, value, options.threads);
      losses.forEach((loss, at) => sums[name][at] = (sums[name][at] ?? 0) + loss / batches);
    }
  }
  return {
    images: float32([options.images, ...dims], images),
    labels,
    matches: all.map(({ value }, at) => ({
      value,
      noise: sums.noise[at]!,
      loss: sums.loss[at]!,
    })),
  };
}

interface BatchJob {
  readonly model: Model;
  readonly input: string;
  readonly shape: readonly number[];
  readonly targets: readonly MatchingTarget[];
  readonly sizes: ReadonlyMap<string, readonly number[]>;
  readonly labels?: Int32Array;
  readonly classes?: number;
  readonly seed: number;
  readonly options: SynthesisOptions;
  readonly context: SynthesisContext;
}

async function makeBatch(index: number, job: BatchJob): Promise<Tensor<"float32">> {
  const { context, options } = job;
  const saved = await context.store.load(`batch-${index}`);
  if (saved !== undefined) {
    return decodeState(saved).tensors.get(IMAGES) as Tensor<"float32">;
  }
  const training = batchTraining(job);
  const trainer = await createTrainer(training);
  try {
    await runResumed(trainer, {
      name: `batch-${index}.training`,
      store: context.store,
      signal: context.signal,
      onChunk: ({ step, losses }) => context.progress(step, options.steps, losses.at(-1)!),
    });
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    throw new UserError({
      message: `Images cannot be made: ${error.message} of ${options.steps}`,
      hint: "Give a smaller rate",
    }, { cause: error });
  } finally {
    await trainer[Symbol.asyncDispose]();
  }
  const images = await imagesOf(training, trainer.values());
  const state = { step: 0, tensors: new Map<string, Tensor>([[IMAGES, images]]) };
  await context.store.save(`batch-${index}`, encodeState(state));
  return images;
}

/** The training run of one batch of images. */
function batchTraining(
  { model, input, shape, targets, sizes, labels, classes, seed, options }: BatchJob,
): TrainingOptions {
  const forward = cloneGraph(model.graph);
  const graph: Graph = { ...forward, nodes: [], inputs: [] };
  const emit = new Emitter(graph, "synthesis");
  emit.reserve(forward);
  const { images, trainable } = emitImages(emit, shape, options, seed);
  emit.alias(images, IMAGES);
  emit.alias(IMAGES, input);
  graph.nodes.push(...forward.nodes);
  const uniform = options.swing ? swingStridedConvolutions(graph, emit, sizes) : new Map();
  const losses = targets.map((target) => emitMatching(emit, target));
  let loss = emit.mul(
    losses.length === 1 ? losses[0]! : emit.op("Sum", losses),
    emit.scalar(1 / losses.length, "float32"),
  );
  if (labels !== undefined) {
    graph.initializers.set(
      LABELS,
      tensor("int64", [labels.length], BigInt64Array.from(labels, BigInt)),
    );
    const entropy = crossEntropy(emit, logitsOf(model), LABELS, classes!);
    loss = emit.add(loss, emit.mul(entropy, emit.scalar(options.classWeight, "float32")));
  }
  emit.alias(mean(emit, loss), LOSS);
  graph.outputs = [LOSS, IMAGES].map((name) => ({ name, type: "float32", dims: undefined }));
  sortNodes(graph);
  prune(graph);
  return {
    graph,
    opset: model.opsets.get("")!,
    loss: LOSS,
    trainable,
    data: new Map(),
    batch: shape[0]!,
    steps: options.steps,
    uniform,
    optimizer: { kind: "adam" },
    learningRate: options.rate,
    schedule: { kind: "cosine", final: 0.02 },
    seed,
    threads: options.threads,
  };
}

/** Emits the images, and gives what they are learned by. */
function emitImages(
  emit: Emitter,
  shape: readonly number[],
  { method, range, rate, generatorRate, latent, width }: SynthesisOptions,
  seed: number,
): { images: string; trainable: Map<string, Trainable> } {
  if (method === "generator") {
    return emitGenerator(
      emit,
      {
        dims: shape,
        latent,
        width,
        latentRate: rate,
        rate: generatorRate,
        ...(range && { range }),
      },
      Random.from(seed, "synthesize/generator"),
    );
  }
  const name = "synthesis/pixels";
  const initial = startPixels(shape, range, Random.from(seed, "synthesize/pixels"));
  const spread = range === undefined ? 1 : (range[1] - range[0]) / 4;
  const trainable = new Map([[name, { initial, learningRate: rate * spread }]]);
  if (range === undefined) return { images: name, trainable };
  const [low, high] = range.map((bound) => emit.scalar(bound, "float32"));
  return { images: emit.op("Clip", [name, low!, high!]), trainable };
}

/** Where pixels begin: normal numbers, in the middle of the range where there is one. */
function startPixels(
  shape: readonly number[],
  range: readonly [number, number] | undefined,
  random: Random,
): Tensor<"float32"> {
  const [center, spread] = range === undefined
    ? [0, 1]
    : [(range[0] + range[1]) / 2, (range[1] - range[0]) / 4];
  const values = new Float32Array(elementCount(shape));
  for (let index = 0; index < values.length; index++) {
    const value = center + spread * random.normal();
    values[index] = range === undefined ? value : Math.min(Math.max(value, range[0]), range[1]);
  }
  return float32(shape, values);
}

/** The images that learned values give. */
async function imagesOf(
  { graph, opset }: TrainingOptions,
  values: ReadonlyMap<string, Tensor>,
): Promise<Tensor<"float32">> {
  const own = cloneGraph(graph);
  for (const [name, value] of values) own.initializers.set(name, value);
  own.outputs = [{ name: IMAGES, type: "float32", dims: undefined }];
  prune(own);
  const model: Model = {
    irVersion: 10,
    opsets: new Map([["", opset!]]),
    producerName: "bitbound",
    producerVersion: "",
    modelVersion: 0,
    domain: "",
    metadata: new Map(),
    graph: own,
  };
  await using session = await openSession(model);
  return (await session.run({}))[IMAGES] as Tensor<"float32">;
}

async function matchingLosses(
  model: Model,
  targets: readonly MatchingTarget[],
  input: string,
  images: Tensor,
  threads: number,
): Promise<Float32Array> {
  const matching = matchingModel(model, targets, (graph) => new Emitter(graph, "matching"));
  await using session = await openSession(matching, { threads });
  return (await session.run({ [input]: images })).matching!.data as Float32Array;
}

/** How many classes the first output scores. */
async function classCount(model: Model, input: string, dims: readonly number[]): Promise<number> {
  const output = model.graph.outputs[0]!.name;
  const shape = (await inferShapes(model, { [input]: [2, ...dims] })).get(output)?.dims;
  if (shape?.length === 2 && shape[0] === 2 && shape[1]! > 1) return shape[1]!;
  throw new UserError({
    message: `class_weight needs a model that gives one score a class for each item: its output ` +
      `"${output}" has the shape [${shape?.join(", ") ?? "unknown"}] for 2 items`,
    hint: "Leave out class_weight",
  });
}

/** Every class as often as every other, to one, in random order. */
function dealtClasses(count: number, classes: number, seed: number): Int32Array {
  const order = Random.from(seed, "synthesize/classes").permutation(count);
  return Int32Array.from(order, (position) => position % classes);
}
