/**
 * What rows take, before they are bounded.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import type { ConvolutionMap, LinearMap } from "../network/linear_map.ts";
import { type PairedNetwork, sizeOf, type ValueNumber } from "../network/network.ts";

/**
 * What rows take in one network, in products: those of a value are bounded in views `z` and `y` of one network each, and in
 * view `joint` of both.
 */
export const VIEW_WORK = { z: 1, joint: 3, y: 1 } as const;

/** Products of one row of a value in the middle of its map, with a coefficient for all that it depends on. */
export function rowWork(network: PairedNetwork, target: ValueNumber): number {
  const marks = new Map<ValueNumber, Uint8Array>([[target, middle(network, target)]]);
  let products = 0;
  for (let value = target; value > 0; value--) {
    const own = marks.get(value);
    if (own === undefined) continue;
    marks.delete(value);
    const step = network.steps[value - 1]!;
    const marksOf = (input: ValueNumber) => {
      const known = marks.get(input) ?? new Uint8Array(sizeOf(network, input));
      marks.set(input, known);
      return known;
    };
    if (step.kind === "affine") {
      for (const { input, map } of step.terms) {
        products += reach(map.original, own, marksOf(input));
      }
    } else if (step.kind === "maxpool") throw new TypeError("Max pools must be expanded first");
    else {
      const before = marksOf(step.input);
      own.forEach((mark, at) => before[at]! |= mark);
    }
  }
  return products;
}

/** All channels of the place in the middle of a map; the first of a vector's elements. */
function middle(network: PairedNetwork, target: ValueNumber): Uint8Array {
  const { size, dims } = network.steps[target - 1]!;
  const marks = new Uint8Array(size);
  const [, channels = size, ...axes] = dims;
  const places = elementCount(axes);
  if (places <= 1 || channels * places !== size) {
    marks[0] = 1;
    return marks;
  }
  const place = axes.reduce((at, length) => at * length + Math.floor(length / 2), 0);
  for (let at = place; at < size; at += places) marks[at] = 1;
  return marks;
}

/** Marks what marked elements depend on, and counts products, those of elements of one place as one row's. */
function reach(map: LinearMap, made: Uint8Array, given: Uint8Array): number {
  switch (map.kind) {
    case "identity":
    case "diagonal":
      made.forEach((mark, at) => given[at]! |= mark);
      return 0;
    case "index":
      made.forEach((mark, at) => {
        if (mark !== 0 && map.sources[at]! >= 0) given[map.sources[at]!] = 1;
      });
      return 0;
    case "dense":
      given.fill(1);
      return made.reduce((sum, mark) => sum + mark, 0) * map.columns;
    case "convolution":
      return reachWindows(map, made, given);
  }
}

function reachWindows({ geometry }: ConvolutionMap, made: Uint8Array, given: Uint8Array): number {
  const { channels, outputs, groups, input, output, kernel, strides, dilations, pads } = geometry;
  const places = elementCount(output);
  const inputs = elementCount(input);
  let products = 0;
  for (let place = 0; place < places; place++) {
    let count = 0;
    for (let out = 0; out < outputs; out++) count += made[out * places + place]!;
    if (count === 0) continue;
    const [oy, ox] = [Math.floor(place / output[1]), place % output[1]];
    for (let ky = 0; ky < kernel[0]; ky++) {
      const y = oy * strides[0] - pads[0] + ky * dilations[0];
      if (y < 0 || y >= input[0]) continue;
      for (let kx = 0; kx < kernel[1]; kx++) {
        const x = ox * strides[1] - pads[1] + kx * dilations[1];
        if (x < 0 || x >= input[1]) continue;
        products += count * channels / groups;
        for (let channel = 0; channel < channels; channel++) {
          given[channel * inputs + y * input[1] + x] = 1;
        }
      }
    }
  }
  return products;
}
