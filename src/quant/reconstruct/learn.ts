/**
 * Learning one unit.
 *
 * @module
 */

import { inferShapes } from "../../engine/shapes.ts";
import type { TrainingData } from "../../engine/training/options.ts";
import type { Trainer } from "../../engine/training/trainer.ts";
import { type ActivationReading, readQuantization } from "../qdq.ts";
import { type StepGroup, stepGroups } from "./activations.ts";
import { roundedValues } from "./latent.ts";
import { NO_CHANGES, type UnitChanges } from "./changes.ts";
import type { EarlyStop } from "./early_stop.ts";
import type { ItemValues } from "./item_values.ts";
import type { LearningOptions } from "./options.ts";
import type { UnitJob, UnitOutcome } from "./phases.ts";
import { hardValues, type SoftGrid, softGrid, softShare } from "./rounding.ts";
import { runTraining } from "./run_training.ts";
import { sliceModel } from "./slice.ts";
import {
  ALPHA,
  biasName,
  factorsName,
  latentName,
  stepName,
  type UnitData,
  type UnitTrainables,
  unitTraining,
} from "./unit_training.ts";

/** Learns roundings, and whatever the options say with them. */
export async function learnRoundings(job: UnitJob): Promise<UnitOutcome> {
  const { learning } = job.options;
  const readings = readQuantization(job.model).activations;
  return await learn(job, "weights", learning.steps, readings, {
    grids: job.task.layers.map(softGrid),
    latents: [],
    biases: job.biases,
    scales: learning.scaleRate > 0 ? job.task.layers : [],
    steps: learning.activations === "joint" ? groupsOf(readings, job) : [],
  });
}

/** Learns the steps of a unit's activations alone. */
export async function learnSteps(job: UnitJob): Promise<UnitOutcome | undefined> {
  const readings = readQuantization(job.model).activations;
  const steps = groupsOf(readings, job);
  if (steps.length === 0) return undefined;
  return await learn(job, "activations", job.options.learning.activationSteps, readings, {
    grids: [],
    latents: [],
    biases: new Map(),
    scales: [],
    steps,
  });
}

async function learn(
  job: UnitJob,
  part: string,
  steps: number,
  readings: readonly ActivationReading[],
  trainables: UnitTrainables,
): Promise<UnitOutcome> {
  const { model, task, options } = job;
  const { learning } = options;
  const training = unitTraining(model, task.unit, readings, dataOf(job), trainables, {
    objective: { kind: "squares" },
    learning,
    lambda: learning.lambda === "auto" ? lambdaFor(job) : learning.lambda,
    steps,
    seed: job.seed,
    threads: options.threads,
    shapes: learning.drop > 0 ? await innerShapes(job) : new Map(),
  });
  const trainer = await runTraining(
    training,
    job.run(part),
    earlyStop(learning, trainables, steps),
  );
  try {
    const alpha = trainer.values().get(ALPHA);
    return {
      changes: changesOf(trainables, trainer),
      ...(alpha && { soft: softShare(alpha.data as Float32Array) }),
      steps: trainer.made,
    };
  } finally {
    await trainer[Symbol.asyncDispose]();
  }
}

/** The error of soft roundings says something from where they are being decided. */
function earlyStop(
  { earlyStop, warmup }: LearningOptions,
  { grids }: UnitTrainables,
  steps: number,
): EarlyStop | undefined {
  if (earlyStop === 0) return undefined;
  return { share: earlyStop, from: grids.length > 0 ? Math.round(warmup * steps) : 0 };
}

/** λ for a loss of one a weight: what suited blocks of three resolutions at 2 and at 4 bits. */
const LAMBDA = 3.5;

/**
 * λ for a unit. The gradient of the loss by one rounding grows with the square root of the loss: the size of an error
 * times what the rounding changes.
 */
function lambdaFor({ loss, task }: UnitJob): number {
  const weights = task.layers.reduce((sum, { float }) => sum + float.length, 0);
  return LAMBDA * Math.sqrt(loss / weights);
}

/** Reads what was learned. */
export function changesOf(
  { grids, latents, biases, scales, steps }: UnitTrainables,
  trainer: Trainer,
): UnitChanges {
  const values = trainer.values();
  const floats = (name: string) => values.get(name)!.data as Float32Array;
  let offset = 0;
  return {
    ...NO_CHANGES,
    weights: new Map([
      ...grids.map((grid: SoftGrid) => {
        const alpha = floats(ALPHA).subarray(offset, offset += grid.start.length);
        return [grid.layer.name, hardValues(grid, alpha)] as const;
      }),
      ...latents.map((weights) => {
        const { name } = weights.layer;
        return [name, roundedValues(weights, floats(latentName(name)))] as const;
      }),
    ]),
    scales: new Map(scales.map(({ name, parameters: { scale } }) => {
      const factors = floats(factorsName(name));
      return [name, scale.map((value, index) => value * factors[index]!)];
    })),
    biases: new Map([...biases.keys()].map((name) => [name, floats(biasName(name))])),
    steps: new Map(steps.map(({ members, scale }, index) => {
      const factor = floats(stepName(index))[0]!;
      return [members[0]!.value, Math.fround(scale * factor)];
    })),
  };
}

/** The quantizers of a unit, with all that repeat them elsewhere; those that an earlier unit learned are not among them. */
function groupsOf(readings: readonly ActivationReading[], { task }: UnitJob): StepGroup[] {
  const nodes = new Set(task.unit.nodes);
  return stepGroups(readings).filter(({ members }) => nodes.has(members[0]!.quantize));
}

function dataOf({ task, own, float, importance, options }: UnitJob): UnitData {
  const { unit, target, floatInputs } = task;
  const all = (values: ItemValues): TrainingData => values.asData();
  return {
    inputs: new Map(unit.inputs.map((name) => [name, all(own.get(name))])),
    floatInputs: options.learning.drop > 0
      ? new Map(unit.inputs.map((name) => [name, all(float.get(floatInputs.get(name)!))]))
      : new Map(),
    target: all(float.get(target)),
    ...(importance && { importance: all(importance) }),
  };
}

/** Shapes of a unit's values, without the item dimension. */
async function innerShapes({ model, task, own }: UnitJob): Promise<Map<string, number[]>> {
  const { unit } = task;
  const inputs = unit.inputs.map((name) => {
    const { type, dims } = own.get(name);
    return { name, type, dims: [2, ...dims.slice(1)] };
  });
  const shapes = await inferShapes(sliceModel(model, unit.nodes, inputs, [unit.output]));
  return new Map(Array.from(shapes, ([name, { dims }]) => [name, dims.slice(1)]));
}
