/**
 * Rounding of activations: QuantizeLinear, a Clip of its integers, DequantizeLinear.
 *
 * @module
 */

import { count, type Grid, type NetworkReader, type StoredGrid, unsupported } from "../network.ts";
import type { Constant, OnnxNode } from "../onnx_file.ts";
import { axisOf, integer, type Rule, spread } from "./common.ts";

/** The rules of this file. */
export const QUANTIZERS: Readonly<Record<string, Rule>> = {
  QuantizeLinear: (node, reader) => {
    const { number, dims } = reader.value(node, 0);
    const scale = perElement(node, reader.constant(node, 1)!, dims);
    const zero = reader.constant(node, 2);
    // 2 is the number of uint8.
    const type = zero?.type ?? (integer(node, "output_dtype", 0) || 2);
    const ends = INTEGERS[type];
    if (ends === undefined) throw unsupported(node, `to the ONNX type ${type}`);
    if (integer(node, "block_size", 0) !== 0) throw unsupported(node, "with blocks");
    const stored: StoredGrid = {
      scale,
      zero: zero === undefined ? new Float64Array(scale.length) : perElement(node, zero, dims),
      least: ends[0],
      most: ends[1],
    };
    if (!scale.every((each) => each > 0 && each < Infinity)) {
      throw unsupported(node, "with a scale that is not positive");
    }
    const grid = levelsOf(stored);
    reader.add(node, { kind: "quantize", size: count(dims), input: number, grid }, dims);
    reader.grids.set(node.outputs[0]!, stored);
  },
  DequantizeLinear: (node, reader) => {
    const x = reader.value(node, 0);
    const stored = reader.grids.get(node.inputs[0]!);
    if (stored === undefined) throw unsupported(node, "of integers that no quantizer made");
    const zero = reader.constant(node, 2);
    const same = (given: Float64Array, expected: Float64Array) =>
      given.every((value, at) => value === expected[at]);
    const zeros = zero === undefined
      ? new Float64Array(stored.zero.length)
      : perElement(node, zero, x.dims);
    const scales = perElement(node, reader.constant(node, 1)!, x.dims);
    if (!same(scales, stored.scale) || !same(zeros, stored.zero)) {
      throw unsupported(node, "with another scale or zero point than its quantizer");
    }
    reader.alias(node, x, x.dims);
  },
};

/** Narrows the integers that a quantizer makes. */
export function narrowGrid(
  node: OnnxNode,
  reader: NetworkReader,
  low: number,
  high: number,
): void {
  const stored = reader.grids.get(node.inputs[0]!)!;
  const narrowed = {
    ...stored,
    least: Math.max(stored.least, low),
    most: Math.min(stored.most, high),
  };
  if (!(narrowed.least <= narrowed.most)) throw unsupported(node, `from ${low} to ${high}`);
  reader.requantize(node, reader.value(node, 0), levelsOf(narrowed));
  reader.grids.set(node.outputs[0]!, narrowed);
}

/** The ends of integer types, by their numbers in ONNX. */
const INTEGERS: Readonly<Record<number, readonly [number, number]>> = {
  2: [0, 255],
  3: [-128, 127],
  4: [0, 65535],
  5: [-32768, 32767],
  21: [0, 15],
  22: [-8, 7],
  25: [0, 3],
  26: [-2, 1],
};

function levelsOf({ scale, zero, least, most }: StoredGrid): Grid {
  return {
    scale,
    first: zero.map((each) => least - each),
    last: zero.map((each) => most - each),
  };
}

/** One value for all elements, or one along an axis. */
function perElement(node: OnnxNode, constant: Constant, dims: readonly number[]): Float64Array {
  const { length } = constant.values;
  if (constant.error !== 0) throw unsupported(node, "with scales that are not exact");
  if (length === 1) return new Float64Array(count(dims)).fill(constant.values[0]!);
  const axis = axisOf(node, 1, dims.length);
  return spread(node, { ...constant, dims: dims.map((_, at) => at === axis ? length : 1) }, dims);
}
