/**
 * Images of which nothing is known but their range.
 *
 * In photographs, neighbouring pixels are alike at every size, and colours go together: amplitudes fall with frequency
 * about as 1/f (Field, "Relations between the statistics of natural images and the response properties of cortical
 * cells", 1987). So each image is a sum of random grids, each twice as fine and half as strong as the one before,
 * most of it in all channels alike.
 *
 * @module
 */

import type { Random } from "../../base/random.ts";
import { elementCount } from "../../onnx/tensor.ts";

/** Share of the noise that is the same in all channels. */
const COMMON = 0.85;

/**
 * One item of noise inside a range.
 *
 * @param dims Its shape: `[channels, height, width]` for images; for any other, numbers are independent and uniform.
 */
export function noiseItem(
  dims: readonly number[],
  [low, high]: readonly [number, number],
  random: Random,
): Float32Array {
  const values = new Float32Array(elementCount(dims));
  if (dims.length !== 3) {
    return values.map(() => Math.fround(low + (high - low) * random.uniform()));
  }
  const [channels, height, width] = dims as [number, number, number];
  const size = height * width;
  const common = fractalField(height, width, random);
  // Pictures differ in brightness and contrast.
  const center = 0.5 + 0.15 * random.normal();
  const contrast = 0.12 + 0.16 * random.uniform();
  for (let channel = 0; channel < channels; channel++) {
    const own = fractalField(height, width, random);
    const tint = 0.06 * random.normal();
    for (let at = 0; at < size; at++) {
      const mixed = COMMON * common[at]! + Math.sqrt(1 - COMMON ** 2) * own[at]!;
      const share = Math.min(Math.max(center + tint + contrast * mixed, 0), 1);
      values[channel * size + at] = Math.min(low + (high - low) * share, high);
    }
  }
  return values;
}

/** A field of mean 0 and deviation 1 in which amplitudes fall as 1/f. */
function fractalField(height: number, width: number, random: Random): Float32Array {
  const field = new Float32Array(height * width);
  const octaves = Math.ceil(Math.log2(Math.max(height, width)));
  for (let octave = 1; octave <= octaves; octave++) {
    const cells = 2 ** octave;
    const stride = cells + 1;
    const grid = Float32Array.from({ length: stride * stride }, () => random.normal());
    const amplitude = 1 / cells;
    for (let y = 0; y < height; y++) {
      const row = Math.min((y + 0.5) * cells / height, cells - 1e-3);
      const [top, down] = [Math.floor(row), row % 1];
      for (let x = 0; x < width; x++) {
        const column = Math.min((x + 0.5) * cells / width, cells - 1e-3);
        const [left, right] = [Math.floor(column), column % 1];
        const corner = top * stride + left;
        const above = grid[corner]! * (1 - right) + grid[corner + 1]! * right;
        const below = grid[corner + stride]! * (1 - right) + grid[corner + stride + 1]! * right;
        field[y * width + x]! += amplitude * (above * (1 - down) + below * down);
      }
    }
  }
  const mean = field.reduce((sum, value) => sum + value, 0) / field.length;
  const variance = field.reduce((sum, value) => sum + (value - mean) ** 2, 0) / field.length;
  const deviation = Math.sqrt(variance) || 1;
  return field.map((value) => (value - mean) / deviation);
}
