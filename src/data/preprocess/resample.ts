/**
 * Resizing of pictures by separable convolution, as Pillow does it: bytes in the same fixed point and the same order
 * of passes (rows first), so that the results are the same bytes.
 *
 * The newest releases of Pillow filter columns first where the height shrinks much more than the width, which moves
 * some values by a few levels; the models in use were trained with rows first.
 *
 * @module
 */

import type { Filter } from "../recipe_types.ts";
import type { Picture } from "../source.ts";
import { horizontalBytes, horizontalFloats, verticalBytes, verticalFloats } from "./convolve.ts";
import type { Size } from "./geometry.ts";
import { KERNELS, type Taps, tapsOf } from "./taps.ts";

/**
 * Resizes pictures; remembers the weights of the last sizes, because most data sets have few.
 *
 * @param antialias Whether a shrinking filter covers all the pixels that an output pixel stands for.
 */
export class Resampler {
  readonly #filter: Filter;
  readonly #antialias: boolean;
  readonly #taps = new Map<string, Taps>();

  constructor(filter: Filter, antialias: boolean) {
    this.#filter = filter;
    this.#antialias = antialias;
  }

  /** A picture of the wanted size, with its channels interleaved. Bytes stay bytes, other numbers become floats. */
  resize(picture: Picture, size: Size): Picture {
    if (picture.height === size.height && picture.width === size.width) return picture;
    if (this.#filter === "nearest") return nearest(picture, size);
    const wide = picture.width === size.width
      ? picture
      : this.#horizontal(picture, this.#tapsFor(picture.width, size.width));
    return wide.height === size.height
      ? wide
      : this.#vertical(withoutGaps(wide), this.#tapsFor(picture.height, size.height));
  }

  #tapsFor(from: number, to: number): Taps {
    const key = `${from}:${to}`;
    let taps = this.#taps.get(key);
    if (taps === undefined) {
      if (this.#taps.size >= 64) this.#taps.clear();
      taps = tapsOf(from, to, KERNELS[this.#filter as keyof typeof KERNELS], this.#antialias);
      this.#taps.set(key, taps);
    }
    return taps;
  }

  #horizontal(picture: Picture, taps: Taps): Picture {
    const width = taps.first.length;
    const { channels, height } = picture;
    const into = outputFor(picture, height * width * channels);
    if (into instanceof Uint8Array) horizontalBytes(picture, taps, into);
    else horizontalFloats(picture, taps, into);
    return interleaved(into, height, width, channels);
  }

  #vertical(picture: Picture, taps: Taps): Picture {
    const height = taps.first.length;
    const { channels, width } = picture;
    const into = outputFor(picture, height * width * channels);
    if (into instanceof Uint8Array) verticalBytes(picture, taps, into);
    else verticalFloats(picture, taps, into);
    return interleaved(into, height, width, channels);
  }
}

function nearest(picture: Picture, size: Size): Picture {
  const { channels, data } = picture;
  const Array = data.constructor as new (length: number) => typeof data;
  const into = new Array(size.height * size.width * channels);
  const columns = nearestIndices(picture.width, size.width);
  const rows = nearestIndices(picture.height, size.height);
  let position = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const from = picture.offset + rows[y]! * picture.row + columns[x]! * picture.pixel;
      for (let channel = 0; channel < channels; channel++) {
        into[position++] = data[from + channel * picture.plane]!;
      }
    }
  }
  return interleaved(into, size.height, size.width, channels);
}

/** Pillow adds up the step instead of multiplying it; the sums' rounding decides ties. */
function nearestIndices(from: number, to: number): Int32Array {
  const step = from / to;
  const indices = new Int32Array(to);
  for (let index = 0, at = step * 0.5; index < to; index++, at += step) {
    indices[index] = Math.min(from - 1, Math.trunc(at));
  }
  return indices;
}

/** The picture with its channels next to each other, copied if they are not. */
function withoutGaps(picture: Picture): Picture {
  const { channels, data, height, width } = picture;
  if (picture.pixel === channels && (picture.plane === 1 || channels === 1)) return picture;
  const Array = data.constructor as new (length: number) => typeof data;
  const into = new Array(height * width * channels);
  let position = 0;
  for (let y = 0; y < height; y++) {
    let from = picture.offset + y * picture.row;
    for (let x = 0; x < width; x++, from += picture.pixel) {
      for (let channel = 0; channel < channels; channel++) {
        into[position++] = data[from + channel * picture.plane]!;
      }
    }
  }
  return interleaved(into, height, width, channels);
}

function outputFor(picture: Picture, length: number): Uint8Array | Float32Array | Float64Array {
  if (picture.data instanceof Uint8Array) return new Uint8Array(length);
  return picture.data instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
}

function interleaved(
  data: Picture["data"],
  height: number,
  width: number,
  channels: number,
): Picture {
  return {
    data,
    height,
    width,
    channels,
    offset: 0,
    row: width * channels,
    pixel: channels,
    plane: 1,
  };
}
