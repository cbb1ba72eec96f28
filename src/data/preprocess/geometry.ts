/**
 * Sizes and views of pictures: what resizing, padding and cropping mean, apart from the pixels' values.
 *
 * @module
 */

import type { PreprocessRecipe } from "../recipe_types.ts";
import type { Picture } from "../source.ts";
import { fileError } from "../problems.ts";
import { roundHalfEven } from "./runs.ts";

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** The size that `resize` gives a picture: the shorter side as asked, the longer one rounded down, as torchvision does. */
export function resizedSize(size: Size, resize: NonNullable<PreprocessRecipe["resize"]>): Size {
  if (typeof resize.size !== "number") {
    return { height: resize.size[0], width: resize.size[1] };
  }
  const short = resize.size;
  const { height, width } = size;
  return height <= width
    ? { height: short, width: Math.max(1, Math.floor(short * width / height)) }
    : { height: Math.max(1, Math.floor(short * height / width)), width: short };
}

/** The size that a recipe gives a picture. */
export function finalSize(size: Size, recipe: PreprocessRecipe): Size {
  if (recipe.crop !== null) return { height: recipe.crop.size[0], width: recipe.crop.size[1] };
  const { height, width } = recipe.resize === null ? size : resizedSize(size, recipe.resize);
  const [top, left, bottom, right] = recipe.pad?.sides ?? [0, 0, 0, 0];
  return { height: height + top + bottom, width: width + left + right };
}

/** Whether a recipe gives every picture the same size, whatever its own. */
export function hasFixedSize(recipe: PreprocessRecipe): boolean {
  return recipe.crop !== null ||
    (recipe.resize !== null && typeof recipe.resize.size !== "number");
}

/** A picture's pixels with a border around them. */
export function padPicture(
  picture: Picture,
  pad: NonNullable<PreprocessRecipe["pad"]>,
): Picture {
  const [top, left, bottom, right] = pad.sides;
  const height = picture.height + top + bottom;
  const width = picture.width + left + right;
  const { channels, data } = picture;
  const Array = data.constructor as new (length: number) => typeof data;
  const into = new Array(height * width * channels);
  if (pad.value !== 0) {
    if (into instanceof BigInt64Array || into instanceof BigUint64Array) {
      into.fill(BigInt(pad.value));
    } else into.fill(pad.value);
  }
  let position = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < picture.height; y++) {
      position = (channel * height + y + top) * width + left;
      let from = picture.offset + channel * picture.plane + y * picture.row;
      for (let x = 0; x < picture.width; x++, from += picture.pixel) {
        into[position++] = data[from]!;
      }
    }
  }
  return {
    data: into,
    height,
    width,
    channels,
    offset: 0,
    row: width,
    pixel: 1,
    plane: height * width,
  };
}

/**
 * A part of a picture, without copying it. A centred crop lies where torchvision puts it (halves round to even).
 *
 * @throws {UserError} If the part does not lie within the picture.
 */
export function cropPicture(
  picture: Picture,
  crop: NonNullable<PreprocessRecipe["crop"]>,
  name: () => string,
): Picture {
  const [height, width] = crop.size;
  const [top, left] = crop.at === "center"
    ? [roundHalfEven((picture.height - height) / 2), roundHalfEven((picture.width - width) / 2)]
    : crop.at;
  if (top < 0 || left < 0 || top + height > picture.height || left + width > picture.width) {
    const where = crop.at === "center" ? "" : ` at row ${top}, column ${left}`;
    throw fileError(
      `A crop of ${height}×${width} pixels${where} does not fit ${name()}, which has ${picture.height}×${picture.width}`,
      "Make preprocess.crop smaller, or enlarge the picture with preprocess.resize or preprocess.pad",
    );
  }
  return {
    ...picture,
    height,
    width,
    offset: picture.offset + top * picture.row + left * picture.pixel,
  };
}
