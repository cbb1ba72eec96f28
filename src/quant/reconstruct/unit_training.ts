/**
 * The training run of one unit: its nodes with soft weights, and the loss against the float network.
 *
 * @module
 */

import { Emitter } from "../../engine/autodiff/emitter.ts";
import type { Trainable, TrainingData, TrainingOptions } from "../../engine/training/options.ts";
import type { Schedule } from "../../engine/training/schedule.ts";
import { cloneGraph, prune, sortNodes } from "../../onnx/edit.ts";
import type { Graph, Model } from "../../onnx/model.ts";
import { elementCount, float32, type Tensor } from "../../onnx/tensor.ts";
import type { ActivationReading } from "../qdq.ts";
import type { Unit } from "../units.ts";
import { emitFakeQuantizer, quantizerInput, type StepGroup } from "./activations.ts";
import { emitRounded, type LatentWeights } from "./latent.ts";
import { finishStep } from "./early_stop.ts";
import type { Layer } from "./layers.ts";
import type { LearningOptions } from "./options.ts";
import {
  emitRectified,
  emitRoundingTerm,
  emitScales,
  emitSoftWeights,
  type SoftGrid,
} from "./rounding.ts";
import { sliceModel } from "./slice.ts";

/** Names of what is learned. */
export const ALPHA = "reconstruct/alpha";
/** Name of the float values that a layer's weights are rounded from. */
export const latentName = (layer: string) => `reconstruct/latent/${layer}`;
/** Name of a layer's bias. */
export const biasName = (layer: string) => `reconstruct/bias/${layer}`;
/** Name of the factors of a layer's scales. */
export const factorsName = (layer: string) => `reconstruct/factors/${layer}`;
/** Name of the factor of the activations' scale of a group. */
export const stepName = (group: number) => `reconstruct/step/${group}`;
/** Name of the loss without the rounding term, which is monitored. */
export const ERROR = "reconstruct/error";

const TARGET = "reconstruct/target";
const IMPORTANCE = "reconstruct/importance";
const STEP = "reconstruct/number";
const LOSS = "reconstruct/loss";

/** What a unit learns from. */
export interface UnitData {
  /** Values of the quantized network by input name. */
  readonly inputs: ReadonlyMap<string, TrainingData>;
  /** Values of the float network by input name, where some of them are mixed in. */
  readonly floatInputs: ReadonlyMap<string, TrainingData>;
  /** The float network's value of the unit's output. */
  readonly target: TrainingData;
  /** Weights of the squared errors, shaped like the target. */
  readonly importance?: TrainingData;
}

/** What is learned of a unit. */
export interface UnitTrainables {
  /** Layers with learned roundings; none for the steps of activations alone. */
  readonly grids: readonly SoftGrid[];
  /** Layers whose weights move while they are rounded. */
  readonly latents: readonly LatentWeights[];
  /** Biases by node name. */
  readonly biases: ReadonlyMap<string, Float32Array>;
  /** Layers whose scales are learned. */
  readonly scales: readonly Layer[];
  /** Quantizers whose scale is learned. */
  readonly steps: readonly StepGroup[];
}

/** What is made small. */
export type Objective =
  /** Mean over batch and space of the sum over channels of (weighted) squared errors, and the rounding term. */
  | { readonly kind: "squares" }
  /** Mean divergence of the float network's softmax from the unit's, both of logits over the temperature. */
  | { readonly kind: "divergence"; readonly temperature: number };

/** What else a training run of a unit takes. */
export interface UnitRun {
  readonly objective: Objective;
  readonly learning: LearningOptions;
  /** Adam's rate for weights that move while they are rounded, in steps of their grid; that of roundings unless told. */
  readonly latentRate?: number;
  /** Weight of the rounding term. */
  readonly lambda: number;
  readonly steps: number;
  readonly seed: number;
  readonly threads: number;
  /** Of rates; constant unless told. */
  readonly schedule?: Schedule;
  /** Shapes of inner activations for one item, where some are taken in float. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * Writes the training run of a unit.
 *
 * @param model The quantized model.
 * @param readings Its activation quantizers.
 */
export function unitTraining(
  model: Model,
  unit: Unit,
  readings: readonly ActivationReading[],
  data: UnitData,
  trainables: UnitTrainables,
  run: UnitRun,
): TrainingOptions {
  const { learning } = run;
  const graph = cloneGraph(sliceModel(model, unit.nodes, [], [unit.output]).graph);
  const emit = new Emitter(graph, "reconstruct");
  const trainable = new Map<string, Trainable>();
  const uniform = new Map<string, readonly number[]>();
  const batch = Math.min(learning.batch, data.target.dims[0]!);

  const h = softWeights(emit, graph, trainables, trainable, run);
  for (const [name, initial] of trainables.biases) {
    const node = graph.nodes.find((node) => node.name === name)!;
    node.inputs[2] = biasName(name);
    trainable.set(biasName(name), {
      initial: float32([initial.length], initial),
      learningRate: learning.biasRate,
    });
  }
  const mixed = (float: string, quantized: string, itemDims: readonly number[]) => {
    const name = `reconstruct/uniform/${uniform.size}`;
    uniform.set(name, [batch, ...itemDims]);
    const takesFloat = emit.op("Less", [name, emit.scalar(learning.drop, "float32")]);
    return emit.op("Where", [takesFloat, float, quantized]);
  };
  trainables.steps.forEach((_, index) =>
    trainable.set(stepName(index), {
      initial: float32([], [1]),
      learningRate: learning.activationRate,
      schedule: { kind: "cosine" },
    })
  );
  for (const reading of readings) {
    const maker = graph.nodes.find((node) => node.outputs.includes(reading.result));
    if (maker === undefined) continue;
    const input = quantizerInput(model.graph, reading);
    const group = trainables.steps.findIndex(({ members }) => members.includes(reading));
    const quantized = reading.parameters === undefined
      ? input
      : emitFakeQuantizer(emit, input, reading, group < 0 ? undefined : stepName(group));
    maker.outputs[maker.outputs.indexOf(reading.result)] = emit.fresh("unused");
    const shape = run.shapes.get(reading.result);
    const isMixed = learning.drop > 0 && reading.result !== unit.output && shape !== undefined &&
      reading.parameters !== undefined;
    emit.alias(isMixed ? mixed(input, quantized, shape) : quantized, reading.result);
  }

  const feeds = new Map<string, TrainingData>([[TARGET, data.target]]);
  for (const [name, values] of data.inputs) {
    const float = data.floatInputs.get(name);
    if (float === undefined) {
      feeds.set(name, values);
      continue;
    }
    feeds.set(`${name}/quantized`, values);
    feeds.set(`${name}/float`, float);
    emit.alias(mixed(`${name}/float`, `${name}/quantized`, values.dims.slice(1)), name);
  }
  if (data.importance !== undefined) feeds.set(IMPORTANCE, data.importance);
  const { objective } = run;
  const error = objective.kind === "divergence"
    ? emitDivergence(emit, unit.output, data.target.dims, batch, objective.temperature)
    : emitError(emit, unit.output, data.target.dims, batch, data.importance !== undefined);
  emit.alias(error, ERROR);
  const loss = h === undefined || run.lambda === 0
    ? error
    : emit.add(error, emitPenalty(emit, h, trainables.grids, run));
  emit.alias(loss, LOSS);
  graph.outputs = [LOSS, ERROR].map((name) => ({ name, type: "float32", dims: undefined }));
  sortNodes(graph);
  prune(graph);
  return {
    graph,
    opset: model.opsets.get("")!,
    loss: LOSS,
    trainable,
    data: feeds,
    batch,
    steps: run.steps,
    uniform,
    step: STEP,
    monitors: [ERROR],
    optimizer: { kind: "adam" },
    learningRate: learning.learningRate,
    ...(run.schedule && { schedule: run.schedule }),
    seed: run.seed,
    threads: run.threads,
  };
}

/** Gives layers their soft weights and scales; the rectified variables of all of them, if there are any. */
function softWeights(
  emit: Emitter,
  graph: Graph,
  { grids, latents, scales }: UnitTrainables,
  trainable: Map<string, Trainable>,
  { learning, latentRate }: UnitRun,
): string | undefined {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  let h: string | undefined;
  if (grids.length > 0) {
    trainable.set(ALPHA, { initial: alphaOf(grids) });
    h = emitRectified(emit, ALPHA);
    const lengths = grids.map(({ start }) => start.length);
    const parts = grids.length === 1
      ? [h]
      : emit.ops("Split", [h, emit.ints(lengths)], grids.length, { axis: 0 });
    grids.forEach((grid, index) => {
      const { name, reading } = grid.layer;
      nodes.get(name)!.inputs[reading.input] = emitSoftWeights(emit, grid, parts[index]!);
    });
  }
  for (const weights of latents) {
    const { name, reading, dims } = weights.layer;
    trainable.set(latentName(name), {
      initial: float32(dims, weights.start),
      ...(latentRate !== undefined && { learningRate: latentRate }),
    });
    nodes.get(name)!.inputs[reading.input] = emitRounded(emit, weights, latentName(name));
  }
  for (const layer of scales) {
    const { name, parameters: { scale: { length } }, reading } = layer;
    const node = nodes.get(name)!;
    trainable.set(factorsName(name), {
      initial: float32([length], new Float32Array(length).fill(1)),
      learningRate: learning.scaleRate,
    });
    const factors = emitScales(emit, layer, factorsName(name));
    node.inputs[reading.input] = emit.mul(node.inputs[reading.input]!, factors);
  }
  return h;
}

/** The variables of all layers in one vector. */
function alphaOf(grids: readonly SoftGrid[]): Tensor<"float32"> {
  const total = grids.reduce((sum, { start }) => sum + start.length, 0);
  const alpha = new Float32Array(total);
  let offset = 0;
  for (const { start } of grids) {
    alpha.set(start, offset);
    offset += start.length;
  }
  return float32([total], alpha);
}

/** Mean over batch and space of the sum over channels of (weighted) squared errors. */
function emitError(
  emit: Emitter,
  output: string,
  dims: readonly number[],
  batch: number,
  weighted: boolean,
): string {
  const difference = emit.sub(output, TARGET);
  const sum = weighted
    ? emit.op("ReduceSum", [
      emit.mul(emit.op("Pow", [difference, emit.scalar(2, "float32")]), IMPORTANCE),
    ], { keepdims: 0 })
    : emit.op("ReduceSumSquare", [difference], { keepdims: 0 });
  return emit.mul(sum, emit.scalar(1 / (batch * positions(dims)), "float32"));
}

/** Mean over batch and space of KL(softmax(t/T) ‖ softmax(z/T)) · T², over channels (Hinton et al., 2015). */
function emitDivergence(
  emit: Emitter,
  output: string,
  dims: readonly number[],
  batch: number,
  temperature: number,
): string {
  const axis = dims.length === 2 ? 1 : dims.length - 1;
  const soften = (value: string) => emit.mul(value, emit.scalar(1 / temperature, "float32"));
  const target = soften(TARGET);
  const wanted = emit.op("Softmax", [target], { axis });
  const distance = emit.sub(
    emit.op("LogSoftmax", [target], { axis }),
    emit.op("LogSoftmax", [soften(output)], { axis }),
  );
  const sum = emit.op("ReduceSum", [emit.mul(wanted, distance)], { keepdims: 0 });
  const places = elementCount(dims.slice(1)) / dims[axis]!;
  return emit.mul(sum, emit.scalar(temperature ** 2 / (batch * places), "float32"));
}

/** How many places an item of a value has, each a vector over channels: `[N, C, …]`, or `[N, …, C]` without space. */
export function positions(dims: readonly number[]): number {
  return elementCount(dims.slice(1)) / (dims[1] ?? 1);
}

/** How much the rounding term grows at the end: what is still undecided decides. */
const FINISH_GROWTH = 4;

/** λ Σ (1 − |2h − 1|^β), off during the warm-up; β falls in a straight line after it, and λ grows at the end. */
function emitPenalty(
  emit: Emitter,
  h: string,
  grids: readonly SoftGrid[],
  { learning, lambda, steps }: UnitRun,
): string {
  const c = (value: number) => emit.scalar(value, "float32");
  const { warmup, beta: [first, last] } = learning;
  const begin = Math.round(warmup * steps);
  const share = (from: number) => {
    const elapsed = emit.div(emit.sub(STEP, c(from)), c(Math.max(1, steps - from)));
    return emit.op("Clip", [elapsed, c(0), c(1)]);
  };
  const beta = emit.add(emit.mul(share(begin), c(last - first)), c(first));
  const isOn = emit.op("Cast", [emit.op("GreaterOrEqual", [STEP, c(begin)])], { to: 1 });
  const end = share(finishStep(steps));
  const growth = emit.add(emit.mul(end, c(FINISH_GROWTH - 1)), c(1));
  const weight = emit.mul(emit.mul(isOn, growth), c(lambda));
  const weights = grids.reduce((sum, { start }) => sum + start.length, 0);
  return emit.mul(emitRoundingTerm(emit, h, weights, beta), weight);
}
