/**
 * From an entry of `inputs:` to content, and from content to an opened data set.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import type { Digest } from "../store/digest.ts";
import type { Dataset } from "./dataset.ts";
import { describeSource, formatOf } from "./formats/mod.ts";
import { locate } from "./locate.ts";
import { preprocessRecipe, targetFields } from "./preprocess/recipe.ts";
import type { DatasetRecipe, ResolveFile, SelectionRecipe } from "./recipe_types.ts";
import { selectedRange, selectionRecipe } from "./selection.ts";
import type { DatasetSpec } from "./spec.ts";

export { decodeRecipe, encodeRecipe, recipeFiles } from "./recipe_content.ts";
export type { DatasetRecipe, ResolveFile } from "./recipe_types.ts";

/** Everything is chosen: what remains after a selection was made. */
const NO_SELECTION: SelectionRecipe = { split: null, shuffle: null, skip: 0, take: null };

/** How to describe an entry. */
export interface DescribeOptions {
  /** The folder that paths are relative to: the pipeline file's. */
  readonly baseDir: string;
  /** The SHA-256 of a file, in hex. */
  readonly digestFile: (path: string) => Digest | Promise<Digest>;
}

/** An entry as content, and where the content's files are now. */
export interface DescribedDataset {
  readonly recipe: DatasetRecipe;
  readonly files: ReadonlyMap<Digest, string>;
}

/**
 * Turns an entry that fits its schema into content, with every default filled in.
 *
 * @throws {UserError} If a file is missing or is not what the entry says, or fields contradict each other. Problems
 *   name the field (see `FieldProblem`).
 */
export async function describeDataset(
  spec: DatasetSpec,
  options: DescribeOptions,
): Promise<DescribedDataset> {
  const files = new Map<Digest, string>();
  const selection = selectionRecipe(spec);
  const { source, shape, count, selected } = await describeSource(spec, {
    selection,
    locate: (text, path) => locate(text, options.baseDir, path),
    async digest(path) {
      const digest = await options.digestFile(path);
      if (!files.has(digest)) files.set(digest, path);
      return digest;
    },
  });
  if (count !== undefined && selected !== true) selectedRange(count, selection, shape.origin);
  const preprocess = spec.preprocess ?? {};
  const format = formatOf(spec);
  const imageHint = format === "npy" || format === "npz"
    ? "If they are pictures, say where height, width and channels are with image: hwc, chw or hw"
    : undefined;
  const target = "target" in spec && isFields(spec.target) ? spec.target : undefined;
  const recipe: DatasetRecipe = {
    version: 1,
    source,
    selection: selected === true ? NO_SELECTION : selection,
    preprocess: preprocessRecipe(preprocess, shape.arrays, "preprocess", imageHint),
    target: target === undefined
      ? null
      : preprocessRecipe(targetFields(target, preprocess), shape.arrays, "target"),
    labelOffset: preprocess.label_offset ?? 0,
    classes: spec.classes ?? shape.classes ?? null,
  };
  return { recipe, files };
}

function isFields(target: unknown): target is Record<string, unknown> {
  return typeof target === "object" && target !== null && !Array.isArray(target);
}

/**
 * Opens a data set.
 *
 * @param resolve Where the file with a digest is.
 * @throws {UserError} If a file is missing, changed, or is not what the recipe says.
 */
export async function openDataset(recipe: DatasetRecipe, resolve: ResolveFile): Promise<Dataset> {
  const { openItems } = await importLater<typeof import("./open.ts")>(
    import.meta.resolve("./open.ts"),
  );
  return await openItems(recipe, resolve);
}
