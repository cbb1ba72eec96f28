/**
 * Learning one unit.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { inferShapes } from "../../engine/shapes.ts";
import { createTrainer, DivergenceError, type Trainer } from "../../engine/training/trainer.ts";
import type { TrainingData, TrainingOptions } from "../../engine/training/options.ts";
import type { Model } from "../../onnx/model.ts";
import { type ActivationReading, readQuantization } from "../qdq.ts";
import { type StepGroup, stepGroups } from "./activations.ts";
import { NO_CHANGES, type UnitChanges } from "./changes.ts";
import type { ItemValues } from "./item_values.ts";
import type { ReconstructionOptions } from "./options.ts";
import type { Prefix } from "./prefix.ts";
import type { ReconstructionContext } from "./reconstruct.ts";
import { hardValues, type SoftGrid, softGrid, softShare } from "./rounding.ts";
import type { Task } from "./selection.ts";
import { sliceModel } from "./slice.ts";
import {
  ALPHA,
  biasName,
  ERROR,
  factorsName,
  stepName,
  type UnitData,
  type UnitTrainables,
  unitTraining,
} from "./unit_training.ts";

/** Everything that learning a unit takes. */
export interface UnitJob {
  /** The quantized model so far. */
  readonly model: Model;
  readonly task: Task;
  readonly own: Prefix;
  readonly float: Prefix;
  /** Biases that are learned, by layer. */
  readonly biases: ReadonlyMap<string, Float32Array>;
  /** Which of the units it is, from 0, and how many there are. */
  readonly number: number;
  readonly units: number;
  readonly seed: number;
  readonly options: ReconstructionOptions;
  readonly context: ReconstructionContext;
}

/** What was learned. */
export interface UnitOutcome {
  readonly changes: UnitChanges;
  /** Share of roundings that were undecided at the end. */
  readonly soft: number;
  readonly steps: number;
}

/** Seconds that the event loop may stand still. */
const CHUNK_SECONDS = 0.2;
/** Seconds between checkpoints. */
const CHECKPOINT_SECONDS = 10;

/** Learns roundings, and what the options say besides. */
export async function learnUnit(job: UnitJob): Promise<UnitOutcome> {
  const { model, task, options } = job;
  const { learning } = options;
  const grids = task.layers.map(softGrid);
  const readings = readQuantization(model).activations;
  const steps = learning.activations === "joint" ? groupsOf(readings, task) : [];
  const trainables: UnitTrainables = {
    grids,
    biases: job.biases,
    scales: learning.scaleRate > 0,
    steps,
  };
  const training = unitTraining(
    model,
    task.unit,
    readings,
    dataOf(job),
    trainables,
    {
      learning,
      steps: learning.steps,
      seed: job.seed,
      threads: options.threads,
      shapes: learning.drop > 0 ? await innerShapes(job) : new Map(),
    },
  );
  const trainer = await train(job, training, "weights");
  try {
    const alphas = trainer.values().get(ALPHA)!.data as Float32Array;
    return {
      changes: changesOf(grids, trainables, trainer),
      soft: softShare(alphas),
      steps: trainer.step,
    };
  } finally {
    await trainer[Symbol.asyncDispose]();
  }
}

/** Reads what was learned. */
function changesOf(
  grids: readonly SoftGrid[],
  { biases, scales, steps }: UnitTrainables,
  trainer: Trainer,
): UnitChanges {
  const values = trainer.values();
  const floats = (name: string) => values.get(name)!.data as Float32Array;
  const changes = { weights: new Map(), scales: new Map(), biases: new Map(), steps: new Map() };
  let offset = 0;
  for (const grid of grids) {
    const { name, parameters } = grid.layer;
    const alpha = floats(ALPHA).subarray(offset, offset += grid.start.length);
    changes.weights.set(name, hardValues(grid, alpha));
    if (!scales) continue;
    const factors = floats(factorsName(name));
    changes.scales.set(name, parameters.scale.map((scale, index) => scale * factors[index]!));
  }
  for (const name of biases.keys()) changes.biases.set(name, floats(biasName(name)));
  steps.forEach(({ members, scale }, index) => {
    const factor = floats(stepName(index))[0]!;
    changes.steps.set(members[0]!.value, Math.fround(scale * factor));
  });
  return { ...NO_CHANGES, ...changes };
}

/** The quantizers that are inside a unit with all that repeat them. */
function groupsOf(readings: readonly ActivationReading[], { unit }: Task): StepGroup[] {
  const nodes = new Set(unit.nodes);
  return stepGroups(readings).filter(({ members }) => nodes.has(members[0]!.quantize));
}

function dataOf({ task, own, float, options }: UnitJob): UnitData {
  const { unit, target, floatInputs } = task;
  const all = (values: ItemValues): TrainingData => values.asData();
  return {
    inputs: new Map(unit.inputs.map((name) => [name, all(own.get(name))])),
    floatInputs: options.learning.drop > 0
      ? new Map(unit.inputs.map((name) => [name, all(float.get(floatInputs.get(name)!))]))
      : new Map(),
    target: all(float.get(target)),
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

/** Runs a training to its end, with checkpoints; where it diverges, to what was before. */
async function train(job: UnitJob, training: TrainingOptions, part: string): Promise<Trainer> {
  const { task: { unit }, number, units, options, context } = job;
  const name = `unit-${number}.${part}`;
  const trainer = await createTrainer(training).catch((error) => {
    throw inUnit(unit.name, error);
  });
  try {
    const saved = await context.saved.load(name);
    if (saved !== undefined) trainer.restore(saved);
    let savedAt = performance.now();
    let chunk = 2;
    while (trainer.step < training.steps) {
      const started = performance.now();
      const first = trainer.step;
      await trainer.run(Math.min(training.steps, first + chunk), {
        chunk,
        signal: context.signal,
        onChunk: ({ monitors }) => {
          const seconds = (performance.now() - started) / 1000;
          const errors = monitors.get(ERROR)!;
          context.progress({
            unit: unit.name,
            number,
            units,
            done: number * options.learning.steps + trainer.step,
            total: units * options.learning.steps,
            loss: errors.reduce((sum, value) => sum + value, 0) / errors.length,
            rate: errors.length / seconds,
          });
        },
      });
      const each = (performance.now() - started) / 1000 / (trainer.step - first);
      chunk = Math.max(1, Math.min(200, 2 * chunk, Math.floor(CHUNK_SECONDS / each)));
      if (performance.now() - savedAt > CHECKPOINT_SECONDS * 1000) {
        await context.saved.save(name, trainer.checkpoint());
        savedAt = performance.now();
      }
    }
  } catch (error) {
    if (error instanceof DivergenceError) {
      context.warn(
        `Unit "${unit.name}" stopped after ${trainer.step} of ${training.steps} steps: ` +
          `${error.message}. The best so far is kept; a smaller learning_rate may help`,
      );
      return trainer;
    }
    await trainer[Symbol.asyncDispose]();
    throw error;
  }
  return trainer;
}

function inUnit(name: string, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(
    error.problems.map((problem) => ({
      ...problem,
      message: `Unit "${name}" cannot be reconstructed: ${problem.message}`,
      hint: "Choose unit: layer, or leave its layers out with except",
    })),
    { cause: error },
  );
}
