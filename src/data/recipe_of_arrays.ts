/**
 * The recipe of a data set that a stage makes: arrays that are preprocessed already.
 *
 * @module
 */

import type { Digest } from "../store/digest.ts";
import { preprocessRecipe } from "./preprocess/recipe.ts";
import type { DatasetRecipe } from "./recipe_types.ts";

/** An array of a NumPy archive that feeds a model. */
export interface FeedingArray {
  /** The model input that it feeds. */
  readonly input: string;
  /** Its name in the archive. */
  readonly array: string;
  /** Shape of one item. */
  readonly dims: readonly number[];
}

/**
 * A data set of float32 items as they are.
 *
 * @param archive A NumPy archive, which has to be an output of the same stage, so that it is in the store as long as
 *   the data set is.
 * @param labels The name of the array of labels, if there are any.
 */
export function arraysRecipe(
  { input, array, dims }: FeedingArray,
  archive: Digest,
  labels?: string,
): DatasetRecipe {
  return {
    version: 1,
    source: {
      format: "npz",
      file: archive,
      arrays: [{ input, array }],
      labels: labels ?? null,
      target: null,
      image: null,
    },
    selection: { split: null, shuffle: null, skip: 0, take: null },
    preprocess: preprocessRecipe(
      {},
      [{ input, type: "float32", picture: undefined, dims }],
      "preprocess",
    ),
    target: null,
    labelOffset: 0,
    classes: null,
  };
}
