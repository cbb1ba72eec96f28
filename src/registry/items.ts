/**
 * Items of a data set as inputs of a model, for stages that need all of them again and again.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { planFeeds } from "../data/feeds.ts";
import type { Model } from "../onnx/model.ts";
import { ItemStorage, type ItemValues } from "../quant/reconstruct/item_values.ts";
import type { Artifact } from "./artifact.ts";
import type { LEARNING_INPUTS } from "./ports.ts";
import type { InputArtifacts, StageContext } from "./stage.ts";

/** Items that are read at a time. */
const READ_BATCH = 64;

/** A quantized model, the float one that it was made from, and the items to bring it closer by. */
export interface LearningMaterial extends Disposable {
  readonly quantized: Model;
  readonly float: Model;
  /** Values by input name. */
  readonly items: ReadonlyMap<string, ItemValues>;
  /** Room for more values. */
  readonly storage: ItemStorage;
}

/**
 * Loads what the ports of {@linkcode LEARNING_INPUTS} are given.
 *
 * @param share Of the memory budget, for items and other values; the work needs the rest.
 * @throws {UserError} If the data does not fit the model, or there is too little of it.
 */
export async function loadLearningMaterial(
  { model, reference, calibration }: InputArtifacts<typeof LEARNING_INPUTS>,
  options: ItemOptions,
  share: number,
  { memory, signal }: StageContext,
): Promise<LearningMaterial> {
  const [quantized, float] = await Promise.all([model.load(), reference.load()]);
  const storage = new ItemStorage(share * memory);
  try {
    const items = await readItems(calibration, quantized, model.origin, options, storage, signal);
    return { quantized, float, items, storage, [Symbol.dispose]: () => storage[Symbol.dispose]() };
  } catch (error) {
    storage[Symbol.dispose]();
    throw error;
  }
}

/** Which items are read. */
export interface ItemOptions {
  /** At most so many. */
  readonly take: number;
  /** Fewer items than that are refused: as many as a step takes. */
  readonly least: number;
  /** What needs them, for messages, such as `"Reconstruction"`. */
  readonly purpose: string;
}

/**
 * Reads items of a data set.
 *
 * @throws {UserError} If the data does not fit the model, or there is too little of it.
 */
async function readItems(
  calibration: Artifact<"dataset">,
  model: Model,
  origin: string,
  { take, least, purpose }: ItemOptions,
  storage: ItemStorage,
  signal: AbortSignal,
): Promise<Map<string, ItemValues>> {
  const dataset = await calibration.load();
  const inputs = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  const { names, fixedBatch } = planFeeds(dataset, inputs, {
    data: calibration.origin,
    model: origin,
  });
  if (fixedBatch !== undefined) {
    throw new UserError({
      message: `The model "${origin}" takes exactly ${fixedBatch} items at a time: ` +
        `${purpose.toLowerCase()} needs a batch dimension that is open`,
      hint: 'Say batch: dynamic at the stage "prepare"',
    });
  }
  const items = Math.min(take, dataset.length);
  if (items < least) {
    throw new UserError({
      message: `${purpose} needs at least ${least} items, as many as a step takes: ` +
        `the data set "${calibration.origin}" gives ${items}`,
      hint: "Give more items, or a smaller batch; a few hundred are needed for a good result",
    });
  }
  const values = new Map<string, ItemValues>();
  for (let start = 0; start < items; start += READ_BATCH) {
    signal.throwIfAborted();
    const batch = await dataset.batch(start, Math.min(READ_BATCH, items - start));
    batch.inputs.forEach((rows, index) => {
      const name = names[index]!;
      let all = values.get(name);
      if (all === undefined) values.set(name, all = storage.allocate(rows, items));
      all.write(start, rows);
    });
  }
  return values;
}
