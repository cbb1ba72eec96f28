/**
 * Quantizing weights.
 *
 * @module
 */

import { Random } from "../base/random.ts";
import type { Tensor } from "../onnx/tensor.ts";
import {
  elementsByScale,
  forEachRun,
  gatherRows,
  type Granularity,
  type ScaleAxis,
} from "./granularity.ts";
import {
  dequantize,
  grid,
  integers,
  parametersFromRange,
  type QuantizationParameters,
  quantize,
  type QuantizedValues,
} from "./grid.ts";
import { chooseRangeOf } from "./observers/table.ts";
import type { RangeMethod, RangeSettings } from "./ranges.ts";

/** How weights are rounded. */
export type Rounding = "nearest" | "stochastic";

/** How weights are quantized. */
export interface WeightOptions {
  /** 1 … 8 or 16; at least 2 where symmetric. */
  readonly bits: number;
  /** Zero point 0. */
  readonly symmetric: boolean;
  /** Two's complement; true unless told. */
  readonly signed?: boolean;
  /** Leaves out the lowest integer of a signed grid; false unless told. */
  readonly narrow?: boolean;
  readonly granularity: Granularity;
  /** The axis of scales, for `channel` and `group`. */
  readonly axis?: number;
  /** Elements along the axis that share a scale, for `group`. */
  readonly blockSize?: number;
  readonly range: RangeMethod;
  readonly settings?: RangeSettings;
  /** To the nearest integer, half to even, unless told. */
  readonly rounding?: Rounding;
  /** For stochastic rounding. */
  readonly seed?: number;
}

/** Quantized weights, and how far they are off. */
export interface WeightResult {
  /** One integer an element. */
  readonly values: QuantizedValues;
  readonly parameters: QuantizationParameters;
  readonly error: WeightError;
}

/** How far quantized weights are from the float ones. */
export interface WeightError {
  /** Mean (w − ŵ)². */
  readonly meanSquare: number;
  /** Mean w² over mean (w − ŵ)², in decibel; `undefined` if there is no error. */
  readonly signalToNoise?: number;
  /** Greatest |w − ŵ|. */
  readonly maximum: number;
}

/**
 * Quantizes a float32 tensor of finite values.
 *
 * @throws {TypeError} If the tensor is not float32.
 * @throws {RangeError} If there is no such grid, the axis or block size is missing or does not fit the shape.
 */
export function quantizeWeights(tensor: Tensor, options: WeightOptions): WeightResult {
  const { type, dims, data } = tensor;
  if (type !== "float32") throw new TypeError(`Weights must be float32: current value is ${type}`);
  const weights = data as Float32Array;
  const parameters = weightParameters(weights, dims, options);
  const values = options.rounding === "stochastic"
    ? quantizeStochastically(weights, dims, parameters, options.seed ?? 0)
    : quantize(weights, dims, parameters);
  return { values, parameters, error: weightError(weights, dequantize(values, dims, parameters)) };
}

/** The scales and zero points of weights, each from the range that the method chooses for the weights that share it. */
export function weightParameters(
  weights: Float32Array,
  dims: readonly number[],
  options: WeightOptions,
): QuantizationParameters {
  const { bits, symmetric, signed = true, narrow = false, range, settings = {} } = options;
  const levels = grid(bits, { symmetric, signed, narrow });
  const where = scaleAxis(options);
  const groups = elementsByScale(dims, where);
  const scale = new Float32Array(groups.length);
  const zeroPoint = new Int32Array(groups.length);
  groups.forEach((rows, index) => {
    const { min, max } = chooseRangeOf(gatherRows(weights, rows), range, settings, levels);
    const parameters = parametersFromRange(min, max, levels);
    scale[index] = parameters.scale;
    zeroPoint[index] = parameters.zeroPoint;
  });
  return { scale, zeroPoint, grid: levels, ...where };
}

function scaleAxis({ granularity, axis, blockSize }: WeightOptions): ScaleAxis {
  if (granularity === "tensor") return {};
  if (axis === undefined) throw new RangeError(`Granularity ${granularity} needs an axis`);
  if (granularity === "channel") return { axis };
  if (blockSize === undefined) throw new RangeError("Granularity group needs a block size");
  return { axis, blockSize };
}

/**
 * Rounds up or down at random, so that the expected value is exact: up with the probability of the fraction
 * (Gupta et al., "Deep learning with limited numerical precision", 2015).
 */
export function quantizeStochastically(
  data: Float32Array,
  dims: readonly number[],
  parameters: QuantizationParameters,
  seed: number,
): QuantizedValues {
  const { scale, zeroPoint, grid: { qmin, qmax } } = parameters;
  const random = Random.from(seed, "quantize/rounding");
  const values = integers(parameters.grid, data.length);
  forEachRun(dims, parameters, (start, length, first, step) => {
    for (let i = start, k = first; i < start + length; i++, k += step) {
      const rounded = Math.floor(data[i]! / scale[k]! + random.uniform()) + zeroPoint[k]!;
      values[i] = Math.min(Math.max(rounded, qmin), qmax);
    }
  });
  return values;
}

/** How far approximate weights are from the exact ones. */
export function weightError(exact: Float32Array, approximate: Float32Array): WeightError {
  let signal = 0;
  let noise = 0;
  let maximum = 0;
  for (let index = 0; index < exact.length; index++) {
    const difference = exact[index]! - approximate[index]!;
    signal += exact[index]! * exact[index]!;
    noise += difference * difference;
    maximum = Math.max(maximum, Math.abs(difference));
  }
  return {
    meanSquare: exact.length === 0 ? 0 : noise / exact.length,
    ...(noise > 0 && { signalToNoise: 10 * Math.log10(signal / noise) }),
    maximum,
  };
}
