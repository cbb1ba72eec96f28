/**
 * The last pass: weights, scales and biases of the whole network at once, by what it answers.
 *
 * @module
 */

import { openSession } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import { GraphBuilder } from "../../onnx/build.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { readQuantization } from "../qdq.ts";
import type { Unit } from "../units.ts";
import { stepGroups } from "./activations.ts";
import { ownBias } from "./biases.ts";
import { applyChanges } from "./changes.ts";
import type { ItemValues } from "./item_values.ts";
import { latentWeights } from "./latent.ts";
import type { Layer } from "./layers.ts";
import { changesOf } from "./learn.ts";
import { logitsOf } from "./logits.ts";
import type { ReconstructionOptions } from "./options.ts";
import { pieceItems, type PieceOptions, type Prefix } from "./prefix.ts";
import { runTraining, type TrainingRun } from "./run_training.ts";
import { Random } from "../../base/random.ts";
import { sliceOf } from "./slice.ts";
import { type UnitTrainables, unitTraining } from "./unit_training.ts";

/** What came of it. */
export interface NetworkRecord {
  /** Mean divergence from the float network on the calibration items before. */
  readonly divergence_before: number;
  readonly divergence_after: number;
  readonly steps: number;
  readonly kept: boolean;
}

/**
 * Learns scales and biases of all layers, their weights and the steps of activations, by the divergence of the network's
 * answers from those of the float network (distillation without labels); kept only if the divergence is smaller
 * afterwards.
 *
 * @param model Changed in place.
 * @param moving Names of the layers whose weights may change.
 */
export async function distillNetwork(
  model: Model,
  reference: Model,
  layers: readonly Layer[],
  moving: ReadonlySet<string>,
  own: Prefix,
  float: Prefix,
  { learning, distill, threads }: ReconstructionOptions,
  { seed, signal, run }: { seed: number; signal: AbortSignal; run: TrainingRun },
): Promise<NetworkRecord> {
  const { graph } = model;
  const output = logitsOf(model);
  const target = logitsOf(reference);
  const { nodes, leaves } = sliceOf(graph, [output], () => false);
  const unit: Unit = { name: "network", nodes, inputs: leaves, output, weights: [] };
  const readings = readQuantization(model).activations;
  const members = new Set(nodes);
  const inside = layers.filter(({ node }) => members.has(node));
  const trainables: UnitTrainables = {
    grids: [],
    latents: distill.weightRate > 0
      ? inside.filter(({ name }) => moving.has(name)).map(latentWeights)
      : [],
    biases: new Map(inside.flatMap((layer) => {
      const bias = ownBias(graph, layer);
      return bias === undefined ? [] : [[layer.name, bias]];
    })),
    scales: inside,
    steps: learning.activations === "fixed" ? [] : stepGroups(readings),
  };
  const pieces = { threads, signal };
  await own.compute([output]);
  await float.compute([target]);
  const wanted = float.get(target);
  const before = await divergence(own.get(output), wanted, pieces);
  const training = unitTraining(
    model,
    unit,
    readings,
    {
      inputs: new Map(leaves.map((name) => [name, own.get(name).asData()])),
      floatInputs: new Map(),
      target: wanted.asData(),
    },
    trainables,
    {
      objective: { kind: "divergence", temperature: distill.temperature },
      learning: {
        ...learning,
        drop: 0,
        biasRate: distill.learningRate,
        scaleRate: distill.learningRate,
        activationRate: distill.learningRate,
      },
      latentRate: distill.weightRate,
      lambda: 0,
      steps: distill.steps,
      schedule: { kind: "cosine" },
      seed: Random.from(seed, "reconstruct/network").bits(),
      threads,
      shapes: new Map(),
    },
  );
  const stop = learning.earlyStop === 0 ? undefined : { share: learning.earlyStop, from: 0 };
  const trainer = await runTraining(training, run, stop);
  const changes = changesOf(trainables, trainer);
  const { made } = trainer;
  await trainer[Symbol.asyncDispose]();
  const initializers = new Map(graph.initializers);
  applyChanges(
    graph,
    changes,
    new Map(layers.map((layer) => [layer.name, layer])),
    stepGroups(readings),
  );
  const result = (await own.run([output])).get(output)!;
  const after = await divergence(result, wanted, pieces);
  result.release();
  const kept = after <= before;
  if (!kept) graph.initializers = initializers;
  return {
    divergence_before: before,
    divergence_after: kept ? after : before,
    steps: made,
    kept,
  };
}

/** Mean over items of KL(softmax(target) ‖ softmax(values)), along the last axis. */
async function divergence(
  values: ItemValues,
  target: ItemValues,
  { threads, signal }: PieceOptions,
): Promise<number> {
  const builder = new GraphBuilder();
  const dims = [undefined, ...target.dims.slice(1)];
  const wanted = builder.input("target", "float32", dims);
  const own = builder.input("values", "float32", dims);
  const axis = target.dims.length - 1;
  const distance = builder.op("Sub", [
    builder.op("LogSoftmax", [wanted], { axis }),
    builder.op("LogSoftmax", [own], { axis }),
  ]);
  const terms = builder.op("Mul", [builder.op("Softmax", [wanted], { axis }), distance]);
  const sums = builder.output(
    builder.op("ReduceSum", [terms, builder.constant([axis])], { keepdims: 0 }),
  );
  await using session = await openSession(builder.build(), { threads });
  const items = target.dims[0]!;
  let total = 0;
  let count = 0;
  const most = pieceItems([target]);
  for (let start = 0; start < items; start += most) {
    signal.throwIfAborted();
    const size = Math.min(most, items - start);
    const feeds: Record<string, Tensor> = {
      values: values.read(start, size),
      target: target.read(start, size),
    };
    for (const value of (await session.run(feeds))[sums]!.data as Float32Array) {
      total += value;
      count++;
    }
  }
  return total / count;
}
