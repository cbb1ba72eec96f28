/**
 * Colour channels of pictures: their number and order.
 *
 * @module
 */

import { fileError } from "../problems.ts";
import type { PreprocessRecipe } from "../recipe_types.ts";
import type { Picture, RawArray } from "../source.ts";

/**
 * A picture with the channels that a recipe asks for; only a colour picture that becomes gray is copied.
 *
 * @throws {UserError} If the picture has neither 1 nor 3 channels.
 */
export function convertChannels(
  picture: Picture,
  channels: NonNullable<PreprocessRecipe["channels"]>,
  name: () => string,
): Picture {
  if (picture.channels !== 1 && picture.channels !== 3) {
    throw fileError(`Picture ${name()} has ${picture.channels} channels, expected 1 or 3`);
  }
  if (channels === "gray") return picture.channels === 1 ? picture : toGray(picture);
  if (picture.channels === 1) return { ...picture, channels: 3, plane: 0 };
  return channels === "rgb" ? picture : {
    ...picture,
    offset: picture.offset + 2 * picture.plane,
    plane: -picture.plane,
  };
}

/** ITU-R 601 luma; on bytes in Pillow's fixed point (`L` mode), so that results are the same. */
function toGray(picture: Picture): Picture {
  const { data, height, width, offset, row, pixel, plane } = picture;
  const bytes = data instanceof Uint8Array;
  const into = grayArray(data, height * width);
  let position = 0;
  for (let y = 0; y < height; y++) {
    let from = offset + y * row;
    for (let x = 0; x < width; x++, from += pixel) {
      const red = Number(data[from]);
      const green = Number(data[from + plane]);
      const blue = Number(data[from + 2 * plane]);
      into[position++] = bytes
        ? (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
        : 0.299 * red + 0.587 * green + 0.114 * blue;
    }
  }
  return { data: into, height, width, channels: 1, offset: 0, row: width, pixel: 1, plane: 1 };
}

function grayArray(data: RawArray, length: number): Uint8Array | Float32Array | Float64Array {
  return data instanceof Uint8Array
    ? new Uint8Array(length)
    : data instanceof Float64Array
    ? new Float64Array(length)
    : new Float32Array(length);
}
