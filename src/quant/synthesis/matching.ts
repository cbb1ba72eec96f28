/**
 * How well a batch of inputs has the statistics that batch normalization saw in training.
 *
 * For every channel, the distance of its mean from β and of its deviation from |γ|, in units of |γ|: the statistics
 * before normalization would give the same but for the weight of each channel (Cai et al., "ZeroQ: A Novel Zero Shot
 * Quantization Framework", 2020, equation 3).
 *
 * @module
 */

import type { Emitter } from "../../engine/autodiff/emitter.ts";
import { GraphBuilder } from "../../onnx/build.ts";
import { prune, sortNodes } from "../../onnx/edit.ts";
import type { Graph, Model } from "../../onnx/model.ts";
import { float32 } from "../../onnx/tensor.ts";
import { batchNormStatistics, type ChannelStatistics } from "../distributions/batch_norm.ts";

/** A value and what its channels should be like. */
export interface MatchingTarget extends ChannelStatistics {
  readonly value: string;
  readonly rank: number;
}

/** A channel that varies so little beside others of its value is dead. */
const DEAD = 1e-4;
/** Keeps the root of a variance away from 0, where it has no slope. */
const EPSILON = 1e-8;

/**
 * The values to match, in the order in which they are computed.
 *
 * @param ranks Ranks of values.
 */
export function matchingTargets(
  model: Model,
  ranks: ReadonlyMap<string, number>,
): MatchingTarget[] {
  const statistics = batchNormStatistics(model);
  return model.graph.nodes.flatMap(({ outputs }) => {
    const value = outputs[0]!;
    const known = statistics.get(value);
    const rank = ranks.get(value);
    if (known === undefined || rank === undefined) return [];
    return known.deviation.some((deviation) => deviation > 0) ? [{ ...known, value, rank }] : [];
  });
}

/** Emits the loss of one value, a scalar: the mean over channels of both squared distances. */
export function emitMatching(emit: Emitter, target: MatchingTarget): string {
  const { value, rank, mean, deviation } = target;
  const shape = [1, mean.length, ...Array<number>(rank - 2).fill(1)];
  const axes = emit.ints(shape.flatMap((_, axis) => axis === 1 ? [] : [axis]));
  const greatest = deviation.reduce((a, b) => Math.max(a, b));
  const isAlive = (channel: number) => deviation[channel]! > DEAD * greatest;
  const constant = (of: (channel: number) => number) =>
    emit.constant(float32(shape, Array.from(mean, (_, channel) => of(channel))));
  const average = emit.op("ReduceMean", [value, axes], { keepdims: 1 });
  const centered = emit.sub(value, average);
  const variance = emit.op("ReduceMean", [emit.mul(centered, centered), axes], { keepdims: 1 });
  const scale = constant((channel) => isAlive(channel) ? 1 / deviation[channel]! : 0);
  const offset = constant((channel) =>
    isAlive(channel) ? -mean[channel]! / deviation[channel]! : 0
  );
  const ones = constant((channel) => isAlive(channel) ? -1 : 0);
  const first = emit.add(emit.mul(average, scale), offset);
  const root = emit.op("Sqrt", [
    emit.add(variance, emit.scalar(EPSILON * greatest ** 2, "float32")),
  ]);
  const second = emit.add(emit.mul(root, scale), ones);
  const squares = emit.add(emit.mul(first, first), emit.mul(second, second));
  return emit.op("ReduceMean", [squares], { keepdims: 0 });
}

/** A model that gives the loss of every target for a batch of inputs, in the order of the targets. */
export function matchingModel(
  model: Model,
  targets: readonly MatchingTarget[],
  emitterFor: (graph: Graph) => Emitter,
): Model {
  const graph: Graph = {
    ...new GraphBuilder("matching").graph(),
    nodes: [...model.graph.nodes],
    initializers: new Map(model.graph.initializers),
    inputs: [...model.graph.inputs],
  };
  const emit = emitterFor(graph);
  const losses = targets.map((target) => emit.reshape(emitMatching(emit, target), [1]));
  emit.alias(emit.concat(losses, 0), "matching");
  graph.outputs = [{ name: "matching", type: "float32", dims: [targets.length] }];
  sortNodes(graph);
  prune(graph);
  return { ...model, graph };
}
