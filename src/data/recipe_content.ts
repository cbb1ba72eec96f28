/**
 * The bytes of a data set's artifact.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { UserError } from "../base/errors.ts";
import type { Digest } from "../store/digest.ts";
import type { DatasetRecipe } from "./recipe_types.ts";

/** The bytes of a data set's artifact. */
export function encodeRecipe(recipe: DatasetRecipe): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(canonicalJson(recipe as unknown as JsonValue));
}

/**
 * Reads the bytes of a data set's artifact.
 *
 * @throws {UserError} If they are no recipe, or one of another version.
 */
export function decodeRecipe(bytes: Uint8Array): DatasetRecipe {
  let value: { readonly version?: unknown };
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UserError("The data set's recipe is not JSON", { cause: error });
  }
  if (value?.version !== 1) {
    throw new UserError({
      message: `The data set's recipe has version ${value?.version}, expected 1`,
      hint: "It was written by another version of Bitbound: run the pipeline again",
    });
  }
  return value as DatasetRecipe;
}

/** The digests of the files that a recipe needs. */
export function recipeFiles(recipe: DatasetRecipe): Digest[] {
  const { source } = recipe;
  const digests = ((): (Digest | null)[] => {
    switch (source.format) {
      case "idx":
        return [source.images, source.labels];
      case "npy":
        return [...source.arrays.map(({ file }) => file), source.labels, source.target];
      case "npz":
      case "csv":
        return [source.file];
      case "cifar":
      case "images":
        return [...source.files];
      case "synthetic":
        return [];
    }
  })();
  return [...new Set(digests.filter((digest) => digest !== null))];
}
