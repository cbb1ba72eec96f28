/**
 * The training run of a whole quantized network, taught by the float one.
 *
 * @module
 */

import { Emitter } from "../../engine/autodiff/emitter.ts";
import type { Trainable, TrainingData, TrainingOptions } from "../../engine/training/options.ts";
import { cloneGraph, prune, sortNodes } from "../../onnx/edit.ts";
import type { Graph, Model, Node } from "../../onnx/model.ts";
import { float32 } from "../../onnx/tensor.ts";
import type { ActivationReading } from "../qdq.ts";
import { quantizerInput, type StepGroup } from "../reconstruct/activations.ts";
import type { LatentWeights } from "../reconstruct/latent.ts";
import { emitScales } from "../reconstruct/rounding.ts";
import { sliceModel, sliceOf } from "../reconstruct/slice.ts";
import { emitLevel, emitSharpness, type Estimator } from "./levels.ts";

/** What is learned. */
export interface FinetuneTrainables {
  readonly weights: readonly LatentWeights[];
  /** By layer. */
  readonly biases: ReadonlyMap<string, Float32Array>;
  readonly steps: readonly StepGroup[];
}

/** How it is learned. */
export interface FinetuneOptions {
  readonly steps: number;
  readonly batch: number;
  readonly estimator: Estimator;
  /** Adam's rate for weights, in steps of their grid. */
  readonly weightRate: number;
  /** Adam's rate for the factors of scales and for biases. */
  readonly rate: number;
  readonly temperature: number;
  /** Weight of the errors of inner values beside the divergence of the outputs. */
  readonly features: number;
  readonly seed: number;
  readonly threads: number;
}

/** What the network is compared by. */
export interface Comparison {
  /** The value that the quantized network answers with, and that of the float network. */
  readonly output: string;
  readonly target: string;
  /** Whether they are scores of classes; else their squared error counts. */
  readonly scores: boolean;
  /** Inner values of both networks. */
  readonly features: readonly { readonly value: string; readonly target: string }[];
}

/** Names of what is learned. */
export const weightsName = (layer: string) => `finetune/weights/${layer}`;
export const factorsName = (layer: string) => `finetune/factors/${layer}`;
export const biasName = (layer: string) => `finetune/bias/${layer}`;
export const stepName = (group: number) => `finetune/step/${group}`;

const LOSS = "finetune/loss";
const STEP = "finetune/number";
const TEACHER = "teacher/";

/**
 * Writes the training run.
 *
 * @param model The quantized network, with float biases.
 * @param reference The float network.
 * @param readings The quantizers of activations.
 * @param data Inputs by name.
 */
export function finetuneTraining(
  model: Model,
  reference: Model,
  readings: readonly ActivationReading[],
  data: ReadonlyMap<string, TrainingData>,
  trainables: FinetuneTrainables,
  comparison: Comparison,
  options: FinetuneOptions,
): TrainingOptions {
  const { output, target, features } = comparison;
  const { nodes } = sliceOf(
    model.graph,
    [output, ...features.map(({ value }) => value)],
    () => false,
  );
  const graph = cloneGraph(sliceModel(model, nodes, [], [output]).graph);
  const emit = new Emitter(graph, "finetune");
  const sharpness = emitSharpness(emit, STEP, options.steps);
  const trainable = new Map<string, Trainable>();
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  for (const weights of trainables.weights) {
    const { layer } = weights;
    byName.get(layer.name)!.inputs[layer.reading.input] = emitWeights(
      emit,
      weights,
      trainable,
      options,
      sharpness,
    );
  }
  for (const [name, initial] of trainables.biases) {
    byName.get(name)!.inputs[2] = biasName(name);
    trainable.set(biasName(name), {
      initial: float32([initial.length], initial),
      learningRate: options.rate,
    });
  }
  trainables.steps.forEach((_, index) =>
    trainable.set(stepName(index), {
      initial: float32([], [1]),
      learningRate: options.rate,
    })
  );
  for (const reading of readings) {
    const maker = graph.nodes.find((node) => node.outputs.includes(reading.result));
    if (maker === undefined || reading.parameters === undefined) continue;
    const group = trainables.steps.findIndex(({ members }) => members.includes(reading));
    const { scale: [first], zeroPoint: [zero], grid } = reading.parameters;
    const c = (value: number) => emit.scalar(value, "float32");
    const scale = group < 0 ? c(first!) : emit.mul(stepName(group), c(first!));
    const level = emitLevel(
      emit,
      emit.div(quantizerInput(model.graph, reading), scale),
      c(grid.qmin - zero!),
      c(grid.qmax - zero!),
      options.estimator,
      sharpness,
    );
    maker.outputs[maker.outputs.indexOf(reading.result)] = emit.fresh("unused");
    emit.alias(emit.mul(level, scale), reading.result);
  }

  addTeacher(graph, reference, [target, ...features.map(({ target }) => target)], data);
  let loss = comparison.scores
    ? divergence(emit, output, TEACHER + target, options.temperature)
    : relativeError(emit, output, TEACHER + target);
  if (features.length > 0 && options.features > 0) {
    const errors = features.map(({ value, target }) =>
      relativeError(emit, value, TEACHER + target)
    );
    const sum = errors.length === 1 ? errors[0]! : emit.op("Sum", errors);
    const weight = emit.scalar(options.features / errors.length, "float32");
    loss = emit.add(loss, emit.mul(sum, weight));
  }
  emit.alias(loss, LOSS);
  graph.outputs = [{ name: LOSS, type: "float32", dims: undefined }];
  sortNodes(graph);
  prune(graph);
  return {
    graph,
    opset: model.opsets.get("")!,
    loss: LOSS,
    trainable,
    data,
    batch: options.batch,
    steps: options.steps,
    step: STEP,
    optimizer: { kind: "adam" },
    learningRate: options.rate,
    schedule: { kind: "cosine" },
    seed: options.seed,
    threads: options.threads,
  };
}

/**
 * Emits the weights of a layer, `s · f · round(w / f)` with values w in steps of the given grid and a factor f of each
 * scale: learned step size quantization (Esser et al., 2020), whose gradient by the scale follows from that.
 */
function emitWeights(
  emit: Emitter,
  { layer, start }: LatentWeights,
  trainable: Map<string, Trainable>,
  { estimator, weightRate, rate }: FinetuneOptions,
  sharpness: string,
): string {
  const { name, dims, scaleOf, parameters: { scale, zeroPoint, grid: { qmin, qmax } } } = layer;
  trainable.set(weightsName(name), { initial: float32(dims, start), learningRate: weightRate });
  trainable.set(factorsName(name), {
    initial: float32([scale.length], new Float32Array(scale.length).fill(1)),
    learningRate: rate,
  });
  const isShared = zeroPoint.every((zero) => zero === zeroPoint[0]);
  const bound = (value: number) =>
    isShared
      ? emit.scalar(value - zeroPoint[0]!, "float32")
      : emit.constant(float32(dims, Array.from(scaleOf, (where) => value - zeroPoint[where]!)));
  const factors = emitScales(emit, layer, factorsName(name));
  const level = emitLevel(
    emit,
    emit.div(weightsName(name), factors),
    bound(qmin),
    bound(qmax),
    estimator,
    sharpness,
  );
  const sizes = emit.constant(float32(dims, Array.from(scaleOf, (where) => scale[where]!)));
  return emit.mul(emit.mul(level, factors), sizes);
}

/** Adds the float network to the graph, all of its values under names of their own, for the same inputs. */
function addTeacher(
  graph: Graph,
  reference: Model,
  wanted: readonly string[],
  inputs: ReadonlyMap<string, TrainingData>,
): void {
  const { nodes, leaves } = sliceOf(reference.graph, wanted, () => false);
  const slice = cloneGraph(sliceModel(reference, nodes, [], wanted).graph);
  const renamed = (name: string) =>
    name === "" || leaves.includes(name) && inputs.has(name) ? name : TEACHER + name;
  for (const [name, value] of slice.initializers) graph.initializers.set(renamed(name), value);
  graph.nodes.push(...slice.nodes.map((node): Node => ({
    ...node,
    name: TEACHER + node.name,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  })));
}

/** Mean over items of KL(softmax(t/T) ‖ softmax(z/T)) · T² (Hinton et al., 2015), a scalar. */
function divergence(emit: Emitter, output: string, target: string, temperature: number): string {
  const soften = (value: string) => emit.mul(value, emit.scalar(1 / temperature, "float32"));
  const wanted = soften(target);
  const distance = emit.sub(
    emit.op("LogSoftmax", [wanted], { axis: 1 }),
    emit.op("LogSoftmax", [soften(output)], { axis: 1 }),
  );
  const terms = emit.mul(emit.op("Softmax", [wanted], { axis: 1 }), distance);
  const mean = emit.op("ReduceMean", [emit.reduceSum(terms, [1], false)], { keepdims: 0 });
  return emit.mul(mean, emit.scalar(temperature ** 2, "float32"));
}

/** Mean squared error over the mean square of the target, a scalar. */
function relativeError(emit: Emitter, value: string, target: string): string {
  const mean = (x: string) => emit.op("ReduceMean", [emit.mul(x, x)], { keepdims: 0 });
  const size = emit.add(mean(target), emit.scalar(1e-12, "float32"));
  return emit.div(mean(emit.sub(value, target)), size);
}
