/**
 * Items of a block as raw values.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import type { ImageAxes } from "../recipe_types.ts";
import type { Picture, RawArray, RawValue } from "../source.ts";
import type { Block } from "./block.ts";

/** Height, width and channels of pictures with the given axes. */
export function pictureDims(
  dims: readonly number[],
  axes: ImageAxes,
): { readonly height: number; readonly width: number; readonly channels: number } {
  const [first = 0, second = 0, third = 1] = dims;
  return axes === "chw"
    ? { height: second, width: third, channels: first }
    : { height: first, width: second, channels: axes === "hw" ? 1 : third };
}

/** A picture of given axes that starts at `offset` in an array. */
export function pictureAt(
  data: RawArray,
  offset: number,
  dims: readonly number[],
  axes: ImageAxes,
): Picture {
  const { height, width, channels } = pictureDims(dims, axes);
  const planar = axes === "chw";
  return {
    data,
    height,
    width,
    channels,
    offset,
    row: planar ? width : width * channels,
    pixel: planar ? 1 : channels,
    plane: planar ? height * width : 1,
  };
}

/** The items in `data`, which were read from `block` one after the other. */
export function blockValues(
  block: Block,
  data: RawArray,
  axes: ImageAxes | undefined,
): RawValue[] {
  const size = elementCount(block.dims);
  const count = size === 0 ? 0 : data.length / size;
  const values = new Array<RawValue>(count);
  for (let index = 0; index < count; index++) {
    const offset = index * size;
    values[index] = axes === undefined
      ? { data, offset }
      : { picture: pictureAt(data, offset, block.dims, axes) };
  }
  return values;
}
