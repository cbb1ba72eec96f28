/**
 * The passes of a separable convolution over pictures.
 *
 * @module
 */

import type { Picture } from "../source.ts";
import { PRECISION_BITS, ROUNDING, type Taps } from "./taps.ts";

/** Filters every row of a picture of bytes into `into`, channels next to each other. */
export function horizontalBytes(picture: Picture, taps: Taps, into: Uint8Array): void {
  if (picture.channels === 3) return horizontalColours(picture, taps, into);
  const data = picture.data as Uint8Array;
  const { first, count, fixed, stride } = taps;
  const { channels, pixel, plane } = picture;
  let position = 0;
  for (let y = 0; y < picture.height; y++) {
    const row = picture.offset + y * picture.row;
    for (let x = 0; x < first.length; x++) {
      const start = row + first[x]! * pixel;
      const end = x * stride + count[x]!;
      for (let channel = 0; channel < channels; channel++) {
        let sum = ROUNDING;
        let from = start + channel * plane;
        for (let tap = x * stride; tap < end; tap++, from += pixel) {
          sum = (sum + Math.imul(data[from]!, fixed[tap]!)) | 0;
        }
        into[position++] = toByte(sum);
      }
    }
  }
}

/** The same for three channels at once, which takes half the time. */
function horizontalColours(picture: Picture, taps: Taps, into: Uint8Array): void {
  const data = picture.data as Uint8Array;
  const { first, count, fixed, stride } = taps;
  const { pixel, plane } = picture;
  let position = 0;
  for (let y = 0; y < picture.height; y++) {
    const row = picture.offset + y * picture.row;
    for (let x = 0; x < first.length; x++) {
      const end = x * stride + count[x]!;
      let from = row + first[x]! * pixel;
      let sum0 = ROUNDING;
      let sum1 = ROUNDING;
      let sum2 = ROUNDING;
      for (let tap = x * stride; tap < end; tap++, from += pixel) {
        const weight = fixed[tap]!;
        sum0 = (sum0 + Math.imul(data[from]!, weight)) | 0;
        sum1 = (sum1 + Math.imul(data[from + plane]!, weight)) | 0;
        sum2 = (sum2 + Math.imul(data[from + 2 * plane]!, weight)) | 0;
      }
      into[position++] = toByte(sum0);
      into[position++] = toByte(sum1);
      into[position++] = toByte(sum2);
    }
  }
}

/**
 * Filters every column of a picture of bytes whose channels are next to each other. Adds up whole rows, so that memory is read
 * in order.
 */
export function verticalBytes(picture: Picture, taps: Taps, into: Uint8Array): void {
  const data = picture.data as Uint8Array;
  const { first, count, fixed, stride } = taps;
  const width = picture.width * picture.channels;
  const sums = new Int32Array(width);
  for (let y = 0; y < first.length; y++) {
    sums.fill(ROUNDING);
    const end = y * stride + count[y]!;
    let row = picture.offset + first[y]! * picture.row;
    for (let tap = y * stride; tap < end; tap++, row += picture.row) {
      const weight = fixed[tap]!;
      for (let index = 0; index < width; index++) {
        sums[index]! += Math.imul(data[row + index]!, weight);
      }
    }
    const to = y * width;
    for (let index = 0; index < width; index++) into[to + index] = toByte(sums[index]!);
  }
}

function toByte(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Filters every row of a picture of other numbers. */
export function horizontalFloats(
  picture: Picture,
  taps: Taps,
  into: Float32Array | Float64Array,
): void {
  const { first, count, weights, stride } = taps;
  const { channels, data, pixel, plane } = picture;
  let position = 0;
  for (let y = 0; y < picture.height; y++) {
    const row = picture.offset + y * picture.row;
    for (let x = 0; x < first.length; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let from = row + first[x]! * pixel + channel * plane;
        for (let tap = 0; tap < count[x]!; tap++, from += pixel) {
          sum += Number(data[from]) * weights[x * stride + tap]!;
        }
        into[position++] = sum;
      }
    }
  }
}

/** Filters every column of a picture of other numbers. */
export function verticalFloats(
  picture: Picture,
  taps: Taps,
  into: Float32Array | Float64Array,
): void {
  const { first, count, weights, stride } = taps;
  const { channels, data, pixel, plane, row } = picture;
  let position = 0;
  for (let y = 0; y < first.length; y++) {
    for (let x = 0; x < picture.width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let from = picture.offset + first[y]! * row + x * pixel + channel * plane;
        for (let tap = 0; tap < count[y]!; tap++, from += row) {
          sum += Number(data[from]) * weights[y * stride + tap]!;
        }
        into[position++] = sum;
      }
    }
  }
}
