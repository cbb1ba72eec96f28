/**
 * An opened data set: a source, a selection of its items, and their preparation.
 *
 * @module
 */

import { elementCount, type Tensor } from "../onnx/tensor.ts";
import { digestFile } from "../store/digest.ts";
import type { Batch, Dataset } from "./dataset.ts";
import { openSource } from "./formats/mod.ts";
import { fieldError, fileError } from "./problems.ts";
import { fileSize } from "./random_access.ts";
import { recipeFiles } from "./recipe_content.ts";
import { needsExample, type Preparation, prepare } from "./preprocess/item.ts";
import type { DatasetRecipe, PreprocessRecipe, ResolveFile } from "./recipe_types.ts";
import { selectItems } from "./selection.ts";
import type { Picture, RawValue, Source, SourceArray } from "./source.ts";

/**
 * Opens the items of a recipe.
 *
 * @param resolve Where the file with a digest is.
 * @throws {UserError} If a file is missing, changed, or is not what the recipe says.
 */
export async function openItems(recipe: DatasetRecipe, resolve: ResolveFile): Promise<Dataset> {
  await requireUnchanged(recipe, resolve);
  const source = await openSource(recipe.source, resolve, { classes: recipe.classes });
  const items = selectItems(source.length, recipe.selection, source.origin);
  const labels = source.labels === undefined ? undefined : chosenLabels(recipe, source, items);
  if (labels === undefined && recipe.labelOffset !== 0) {
    throw fieldError(
      ["preprocess", "label_offset"],
      `label_offset is ${recipe.labelOffset}, but "${source.origin}" has no labels`,
    );
  }
  const inputs: Preparation[] = [];
  for (const [index, array] of source.arrays.entries()) {
    inputs.push(
      await preparationOf(recipe.preprocess, index, array, source, items, "preprocess"),
    );
  }
  const target = await targetOf(recipe, source, items);
  return new OpenedDataset(recipe, source, items, labels, inputs, target);
}

class OpenedDataset implements Dataset {
  readonly length: number;
  readonly inputs: Dataset["inputs"];
  readonly labeled: boolean;
  declare readonly classes?: readonly string[];
  readonly labelOffset: number;
  declare readonly target?: NonNullable<Dataset["target"]>;
  readonly #source: Source;
  readonly #items: Uint32Array;
  readonly #labels: Int32Array | undefined;
  readonly #inputs: readonly Preparation[];
  readonly #target: Preparation | undefined;

  constructor(
    recipe: DatasetRecipe,
    source: Source,
    items: Uint32Array,
    labels: Int32Array | undefined,
    inputs: readonly Preparation[],
    target: Preparation | undefined,
  ) {
    this.length = items.length;
    this.inputs = inputs.map(({ type, dims }, index) => ({
      name: source.arrays[index]!.input,
      type,
      dims,
    }));
    this.labeled = labels !== undefined;
    const classes = recipe.classes ?? source.classes;
    if (classes !== undefined) this.classes = classes;
    this.labelOffset = recipe.labelOffset;
    if (target !== undefined) this.target = { type: target.type, dims: target.dims };
    this.#source = source;
    this.#items = items;
    this.#labels = labels;
    this.#inputs = inputs;
    this.#target = target;
  }

  nameOf(index: number): string {
    return this.#source.nameOf(this.#items[index]!);
  }

  async batch(start: number, count: number): Promise<Batch> {
    if (!Number.isInteger(start) || start < 0 || start > this.length) {
      throw new RangeError(`start must be from 0 to ${this.length}: current value is ${start}`);
    }
    if (!Number.isInteger(count) || count < 1) {
      throw new RangeError(`count must be at least 1: current value is ${count}`);
    }
    const end = Math.min(start + count, this.length);
    const raw = await this.#source.read(this.#items.subarray(start, end));
    const targets = this.#target === undefined
      ? undefined
      : this.#tensor(raw.targets ?? raw.arrays[0]!, this.#target, start);
    return {
      start,
      size: end - start,
      inputs: this.#inputs.map((input, index) => this.#tensor(raw.arrays[index]!, input, start)),
      ...(this.#labels === undefined ? {} : { labels: this.#labels.subarray(start, end) }),
      ...(targets === undefined ? {} : { targets }),
    };
  }

  async *batches(size: number): AsyncIterable<Batch> {
    for (let start = 0; start < this.length; start += size) {
      yield await this.batch(start, size);
    }
  }

  #tensor(values: readonly RawValue[], preparation: Preparation, start: number): Tensor {
    const { type, dims } = preparation;
    const count = elementCount(dims);
    const data = preparation.allocate(values.length * count);
    for (let index = 0; index < values.length; index++) {
      preparation.write(
        values[index]!,
        data,
        index * count,
        () => this.nameOf(start + index),
      );
    }
    return tensorOf(type, [values.length, ...dims], data);
  }
}

/** Half-precision numbers travel as their bits. */
function tensorOf(
  type: Preparation["type"],
  dims: readonly number[],
  data: ReturnType<Preparation["allocate"]>,
): Tensor {
  const stored = data instanceof Float16Array ? new Uint16Array(data.buffer) : data;
  return { type, dims, data: stored as Tensor["data"] };
}

async function preparationOf(
  recipe: PreprocessRecipe,
  index: number,
  array: SourceArray,
  source: Source,
  items: Uint32Array,
  at: "preprocess" | "target",
): Promise<Preparation> {
  let example: Picture | undefined;
  if (needsExample(recipe, array)) {
    const raw = await source.read(items.subarray(0, 1));
    const value = raw.arrays[index]![0]!;
    if ("picture" in value) example = value.picture;
  }
  const preparation = prepare(recipe, recipe.dtype[index]!, array, example, at);
  if (elementCount(preparation.dims) === 0) {
    throw fileError(
      `Items of "${source.origin}" are empty: they have shape ${preparation.dims.join("×")}`,
    );
  }
  return preparation;
}

async function targetOf(
  recipe: DatasetRecipe,
  source: Source,
  items: Uint32Array,
): Promise<Preparation | undefined> {
  if (recipe.target !== null) {
    return await preparationOf(recipe.target, 0, source.arrays[0]!, source, items, "target");
  }
  if (source.target === undefined) return undefined;
  const plain: PreprocessRecipe = {
    channels: null,
    resize: null,
    pad: null,
    crop: null,
    scale: [1, 1],
    mean: [0],
    std: [1],
    layout: "nchw",
    reshape: null,
    dtype: [],
  };
  return prepare(plain, "float32", source.target, undefined, "target");
}

function chosenLabels(recipe: DatasetRecipe, source: Source, items: Uint32Array): Int32Array {
  const limit = recipe.classes?.length ?? Infinity;
  return Int32Array.from(items, (item) => {
    const label = source.labels![item]!;
    const shifted = label + recipe.labelOffset;
    if (label < limit && shifted >= 0) return shifted;
    if (label < limit) {
      throw fieldError(
        ["preprocess", "label_offset"],
        `Label of ${
          source.nameOf(item)
        } is ${label}: label_offset ${recipe.labelOffset} makes it ${shifted}`,
      );
    }
    throw fileError(
      `Label of ${
        source.nameOf(item)
      } is ${label}, but there are ${limit} classes (labels count from 0)`,
      "Correct the label, or the list of classes",
    );
  });
}

/** Files of many items are checked once, here; picture files when they are read. */
async function requireUnchanged(recipe: DatasetRecipe, resolve: ResolveFile): Promise<void> {
  if (recipe.source.format === "images") return;
  for (const digest of recipeFiles(recipe)) {
    const path = resolve(digest);
    fileSize(path);
    if ((await digestFile(path)).digest === digest) continue;
    throw fileError(`File "${path}" changed since the run was planned`, "Run again");
  }
}
