/**
 * Reconstruction of a quantized network, unit by unit.
 *
 * Each unit's output is brought close to that of the float network, with inputs from the network quantized so far
 * (Li et al., "BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction", 2021).
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { cloneModel } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { readQuantization } from "../qdq.ts";
import { stepGroups } from "./activations.ts";
import { liftBiases, lowerBiases, ownBias } from "./biases.ts";
import {
  applyChanges,
  decodeChanges,
  encodeChanges,
  mergeChanges,
  NO_CHANGES,
  type UnitChanges,
} from "./changes.ts";
import { type EndRecord, endRecords } from "./ends.ts";
import { augmentInputs, requireImages } from "./augment.ts";
import { importanceOf } from "./importance.ts";
import type { ItemStorage, ItemValues } from "./item_values.ts";
import { type FixedLayer, matchLayers, nearest } from "./layers.ts";
import { distillNetwork, type NetworkRecord } from "./distill.ts";
import { givesScores, logitsOf } from "./logits.ts";
import { measureError } from "./measure.ts";
import type { ReconstructionOptions } from "./options.ts";
import { phasesOf, stepsOf } from "./phases.ts";
import { Prefix } from "./prefix.ts";
import { chooseTasks, requireRules, requireScores, type Task } from "./selection.ts";

/** What came of a unit. */
export interface UnitRecord {
  readonly name: string;
  readonly layers: readonly string[];
  /** Mean over items and space of the sum over channels of (weighted) squared errors of its output, as it was given. */
  readonly loss_before: number;
  /** The same with the result. */
  readonly loss_after: number;
  /** Share of the weights that are not rounded to nearest. */
  readonly changed: number;
  /** Share of roundings that were undecided when learning ended. */
  readonly soft: number;
  /** Steps of learning. */
  readonly steps: number;
  /** Whether the result was kept; else the unit is as it was given. */
  readonly kept: boolean;
}

/** State of the work, by name; what was saved last is what is loaded. */
export interface SavedState {
  load(name: string): Promise<Uint8Array | undefined>;
  save(name: string, bytes: Uint8Array): Promise<void>;
}

/** Where the work is. */
export interface ReconstructionProgress {
  /** Which unit. */
  readonly phase: string;
  /** Steps done over all units, and how many there are. */
  readonly done: number;
  readonly total: number;
  readonly loss: number;
  readonly rate: number;
}

/** What a reconstruction works with. */
export interface ReconstructionContext {
  readonly seed: number;
  readonly storage: ItemStorage;
  readonly signal: AbortSignal;
  readonly saved: SavedState;
  /** What messages call the float model. */
  readonly origin: string;
  progress(progress: ReconstructionProgress): void;
  warn(message: string): void;
}

/** How long a part of the work took. Unlike all else, it differs from run to run. */
export interface PartTime {
  readonly name: string;
  readonly steps: number;
  /** Since the work was last resumed, if it was interrupted within the part. */
  readonly seconds: number;
}

/** A reconstructed network. */
export interface Reconstruction {
  readonly model: Model;
  readonly units: readonly UnitRecord[];
  /** What became of the first and the last layers. */
  readonly ends: readonly EndRecord[];
  /** Of the units, and of the pass over the whole network. */
  readonly times: readonly PartTime[];
  /** What came of the pass over the whole network. */
  readonly network?: NetworkRecord;
}

/**
 * Reconstructs a network.
 *
 * @param quantized Stays as it is.
 * @param reference The float model that it was made from, with the same names.
 * @param inputs The inputs of both for all items, by name.
 * @throws {UserError} If the models do not belong together, or a unit cannot be learned.
 */
export async function reconstructModel(
  quantized: Model,
  reference: Model,
  inputs: ReadonlyMap<string, ItemValues>,
  options: ReconstructionOptions,
  context: ReconstructionContext,
): Promise<Reconstruction> {
  const model = cloneModel(quantized);
  const { graph } = model;
  const { layers, fixed } = matchLayers(model, reference, context.origin);
  warnOfFixed(fixed, context);
  const integerBiases = liftBiases(model, reference);
  const { activations } = readQuantization(model);
  const tasks = chooseTasks(model, reference, layers, activations, options);
  requireScores(reference, options);
  if (options.augment !== undefined) requireImages(reference, context.origin);
  if (options.solver === "learn") requireRules(tasks, options.unit);
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const pieces = { threads: options.threads, signal: context.signal };
  const items = options.augment === undefined ? inputs : augmentInputs(
    inputs,
    options.augment,
    Random.from(context.seed, "reconstruct/augment"),
    context.storage,
  );
  const own = new Prefix(model, items, context.storage, pieces);
  const float = new Prefix(reference, items, context.storage, pieces);
  const mixes = options.learning.drop > 0;
  // Without classes there is no divergence; who asked for it was told.
  const distill = { ...options.distill, ...!givesScores(reference) && { steps: 0 } };
  const phases = phasesOf(options);
  const unitSteps = stepsOf(options, stepGroups(activations).length > 0);
  const total = tasks.length * unitSteps + distill.steps;
  const progressAt = (phase: string, unitsDone: number, before: number) =>
  (
    step: number,
    loss: number,
    rate: number,
  ) => context.progress({ phase, done: unitsDone * unitSteps + before + step, total, loss, rate });
  const units: UnitRecord[] = [];
  const times: PartTime[] = [];

  for (const [index, task] of tasks.entries()) {
    const started = performance.now();
    const { unit, target } = task;
    const later = tasks.slice(index);
    own.keepFor(later.flatMap(({ unit }) => unit.inputs));
    float.keepFor(
      later.flatMap(({ target, floatInputs }) => [
        target,
        ...mixes ? floatInputs.values() : [],
        ...options.learning.loss === "fisher" ? [logitsOf(reference)] : [],
      ]),
    );
    await own.compute(unit.inputs);
    if (mixes) await float.compute(task.floatInputs.values());
    await float.compute([target]);

    const biases = new Map<string, Float32Array>();
    if (options.learning.biasRate > 0 || options.solver === "bias") {
      for (const layer of task.layers) {
        const bias = ownBias(graph, layer);
        if (bias !== undefined) biases.set(layer.name, bias);
      }
    }
    const write = (changes: UnitChanges) => {
      const groups = stepGroups(readQuantization(model).activations);
      applyChanges(graph, changes, byName, groups);
    };
    const name = `unit-${index}`;
    const saved = await context.saved.load(name);
    if (saved !== undefined) {
      const { changes, record } = decodeChanges(saved);
      const { unit: what, time } = record as { unit: UnitRecord; time: PartTime };
      write(changes);
      units.push(what);
      times.push(time);
      await own.compute([unit.output]);
      continue;
    }
    const wanted = float.get(target);
    let importance: ItemValues | undefined;
    if (options.learning.loss === "fisher") {
      await own.compute([unit.output]);
      importance = await importanceOf(float, target, own.get(unit.output), context.storage, pieces);
    }
    const measure = (keep: boolean) => measureError(own, unit.output, wanted, { keep, importance });
    const { error: given } = await measure(false);
    let loss = given;
    let changes = NO_CHANGES;
    let soft = 0;
    let steps = 0;
    for (const [position, phase] of phases.entries()) {
      const before = position === 0 ? 0 : options.learning.steps;
      const outcome = await phase({
        model,
        reference,
        task,
        own,
        float,
        loss: given,
        importance,
        biases,
        seed: Random.from(context.seed, `reconstruct/unit ${index}`).bits(),
        options,
        signal: context.signal,
        run: (part) => ({
          name: `${name}.${part}`,
          title: `Unit "${unit.name}"`,
          saved: context.saved,
          signal: context.signal,
          warn: context.warn,
          progress: progressAt(`unit ${index + 1} of ${tasks.length}, ${unit.name}`, index, before),
        }),
      });
      if (outcome === undefined) continue;
      soft = outcome.soft ?? soft;
      steps += outcome.steps;
      const initializers = new Map(graph.initializers);
      write(outcome.changes);
      // What follows needs the values of the last phase only.
      const { error: reached, values } = await measure(position === phases.length - 1);
      if (reached <= loss) {
        loss = reached;
        changes = mergeChanges(changes, outcome.changes);
        own.forget(unit.output);
        if (values !== undefined) own.know(unit.output, values);
      } else {
        graph.initializers = initializers;
        values?.release();
      }
    }
    // Now, and from the same values as where this unit is already there, so that the bytes are the same.
    await own.compute([unit.output]);
    importance?.release();
    const record: UnitRecord = {
      name: unit.name,
      layers: task.layers.map(({ name }) => name),
      loss_before: given,
      loss_after: loss,
      changed: changedShare(task, changes),
      soft,
      steps,
      kept: changes !== NO_CHANGES,
    };
    units.push(record);
    const time = { name: unit.name, steps, seconds: (performance.now() - started) / 1000 };
    times.push(time);
    await context.saved.save(name, encodeChanges(changes, { unit: record, time }));
  }
  own.keepFor([]);
  float.keepFor([]);
  const started = performance.now();
  const network = options.distill.steps === 0 ? undefined : await distillNetwork(
    model,
    reference,
    matchLayers(model, reference, context.origin).layers,
    new Set(tasks.flatMap(({ layers }) => layers.map(({ name }) => name))),
    own,
    float,
    options,
    {
      ...context,
      run: {
        name: "network",
        title: "The whole network",
        saved: context.saved,
        signal: context.signal,
        warn: context.warn,
        progress: progressAt("whole network", tasks.length, 0),
      },
    },
  );
  for (const node of lowerBiases(model, integerBiases, byName)) {
    context.warn(`The bias of "${node.name}" stays float: it does not fit into 32 bits any more`);
  }
  if (network !== undefined) {
    const seconds = (performance.now() - started) / 1000;
    times.push({ name: "network", steps: network.steps, seconds });
  }
  const ends = endRecords(graph, layers, tasks);
  return { model, units, ends, times, ...(network && { network }) };
}

/** Share of a unit's weights that are not what rounding to nearest gives. */
function changedShare({ layers }: Task, { weights }: UnitChanges): number {
  let changed = 0;
  let total = 0;
  for (const layer of layers) {
    const rounded = nearest(layer);
    const values = weights.get(layer.name) ?? layer.reading.values;
    total += rounded.length;
    for (let index = 0; index < rounded.length; index++) {
      if (values[index] !== rounded[index]) changed++;
    }
  }
  return total === 0 ? 0 : changed / total;
}

const REASONS: Record<FixedLayer["reason"], string> = {
  codebook: "take values of a codebook",
  binary: "have one bit",
  shared: "are shared by several layers",
};

function warnOfFixed(fixed: readonly FixedLayer[], context: ReconstructionContext): void {
  for (const { name, reason } of fixed) {
    context.warn(`The weights of "${name}" stay as they are: they ${REASONS[reason]}`);
  }
}
