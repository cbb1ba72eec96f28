/**
 * What is done to one item between its file and a tensor.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import type { DatasetType } from "../dataset.ts";
import { fieldError, fileError, shown } from "../problems.ts";
import type { PreprocessRecipe } from "../recipe_types.ts";
import type { Picture, RawArray, RawValue, SourceArray } from "../source.ts";
import { convertChannels } from "./channels.ts";
import { cropPicture, finalSize, hasFixedSize, padPicture, resizedSize } from "./geometry.ts";
import { Resampler } from "./resample.ts";
import { ValueWriter } from "./write.ts";

/** The preparation of one array's items. */
export interface Preparation {
  readonly type: DatasetType;
  /** Shape of one item. */
  readonly dims: readonly number[];
  /** An array for so many values. */
  allocate(length: number): RawArray;
  /**
   * Prepares an item and writes its values at `at`.
   *
   * @param name What the item is called in messages.
   */
  write(value: RawValue, into: RawArray, at: number, name: () => string): void;
}

/** Whether the first item must be looked at to know the shape of all. */
export function needsExample(recipe: PreprocessRecipe, array: SourceArray): boolean {
  if (array.picture === undefined) return false;
  return (array.dims === undefined && !hasFixedSize(recipe)) ||
    (recipe.channels === null && array.picture.channels === undefined);
}

/**
 * Works out an array's preparation.
 *
 * @param type The element type.
 * @param example The first item, where {@linkcode needsExample}; all others must have its shape.
 * @param at Where the recipe's fields stand in the entry, for messages.
 * @throws {UserError} If the recipe's `mean`, `std` or `reshape` does not fit the items.
 */
export function prepare(
  recipe: PreprocessRecipe,
  type: DatasetType,
  array: SourceArray,
  example: Picture | undefined,
  at: "preprocess" | "target",
): Preparation {
  const writer = new ValueWriter(type, recipe);
  const allocate = (length: number) => writer.allocate(length);
  if (array.picture === undefined) {
    const dims = array.dims ?? [];
    checkFeatures(recipe, dims, at);
    const count = elementCount(dims);
    return {
      type,
      dims: reshaped(dims, recipe.reshape, at),
      allocate,
      write(value, into, position, name) {
        if ("picture" in value) throw new TypeError("Expected numbers, got a picture");
        writer.numbers(
          { data: value.data, at: value.offset, step: 1 },
          into,
          position,
          count,
          name,
        );
      },
    };
  }
  const channels = recipe.channels === null
    ? array.picture.channels ?? example!.channels
    : recipe.channels === "gray"
    ? 1
    : 3;
  const [height = example?.height ?? 0, width = example?.width ?? 0] = array.dims ?? [];
  const size = finalSize({ height, width }, recipe);
  const planar = recipe.layout === "nchw";
  const dims = planar ? [channels, size.height, size.width] : [size.height, size.width, channels];
  const change = pictureChange(recipe);
  return {
    type,
    dims: reshaped(dims, recipe.reshape, at),
    allocate,
    write(value, into, position, name) {
      if (!("picture" in value)) throw new TypeError("Expected a picture, got numbers");
      const picture = change(value.picture, name);
      if (
        picture.height !== size.height || picture.width !== size.width ||
        picture.channels !== channels
      ) {
        throw fileError(
          `Picture ${name()} has ${
            shown([picture.height, picture.width, picture.channels])
          } values (height, width, ` +
            `channels), but the first one has ${shown([size.height, size.width, channels])}`,
          `Give all pictures one size with ${at}.resize: [height, width], or with ${at}.resize and ${at}.crop`,
        );
      }
      writer.picture(picture, planar, into, position, name);
    },
  };
}

function pictureChange(
  recipe: PreprocessRecipe,
): (picture: Picture, name: () => string) => Picture {
  const { channels, resize, pad, crop } = recipe;
  const resampler = resize === null ? undefined : new Resampler(resize.filter, resize.antialias);
  return (picture, name) => {
    let result = channels === null ? picture : convertChannels(picture, channels, name);
    if (resize !== null) result = resampler!.resize(result, resizedSize(result, resize));
    if (pad !== null) result = padPicture(result, pad);
    if (crop !== null) result = cropPicture(result, crop, name);
    return result;
  };
}

function checkFeatures(recipe: PreprocessRecipe, dims: readonly number[], at: string): void {
  const last = dims.at(-1) ?? 1;
  for (const name of ["mean", "std"] as const) {
    const { length } = recipe[name];
    if (length === 1 || length === last) continue;
    throw fieldError(
      [at, name],
      `${at}.${name} has ${length} numbers, but items of shape ${shown(dims)} need one, or ${last}`,
    );
  }
}

function reshaped(
  dims: readonly number[],
  reshape: readonly number[] | null,
  at: string,
): readonly number[] {
  if (reshape === null) return dims;
  const total = elementCount(dims);
  const known = elementCount(reshape.filter((size) => size !== -1));
  const result = reshape.map((size) => size === -1 ? total / known : size);
  if (!result.every(Number.isInteger) || elementCount(result) !== total) {
    throw fieldError(
      [at, "reshape"],
      `${at}.reshape [${reshape.join(", ")}] does not fit items of shape ${
        shown(dims)
      }, which have ${total} values`,
    );
  }
  return result;
}
