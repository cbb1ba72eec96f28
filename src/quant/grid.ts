/**
 * Uniform quantization grids, and the arithmetic of ONNX's QuantizeLinear and DequantizeLinear on them.
 *
 * `q = clamp(round_half_even(x / s) + z, qmin, qmax)` and `x̂ = s · (q − z)`, in float32, bit for bit as the
 * operators do it.
 *
 * @module
 */

import { elementCount } from "../onnx/tensor.ts";
import { forEachRun } from "./granularity.ts";

/** The integers that a quantized value can take. */
export interface Grid {
  /** 1 … 8 or 16. */
  readonly bits: number;
  readonly signed: boolean;
  /** Whether the zero point is always 0. */
  readonly symmetric: boolean;
  readonly qmin: number;
  readonly qmax: number;
}

/** What can be said of a grid besides its width. */
export interface GridOptions {
  /** Two's complement rather than unsigned; a symmetric grid is signed unless told, another is not. */
  readonly signed?: boolean;
  /** Zero point 0; false unless told. */
  readonly symmetric?: boolean;
  /** Leaves out the lowest integer of a signed grid, such as −128: then it has as many steps below zero as above. */
  readonly narrow?: boolean;
}

/**
 * A grid of `2^bits` integers, one fewer if narrow.
 *
 * @throws {RangeError} If there is no such grid: a width other than 1 … 8 and 16, an unsigned symmetric or narrow
 *   grid, or a signed symmetric one of 1 bit.
 */
export function grid(bits: number, options: GridOptions = {}): Grid {
  const { symmetric = false, narrow = false } = options;
  const signed = options.signed ?? symmetric;
  if (!Number.isInteger(bits) || bits < 1 || bits > 8 && bits !== 16) {
    throw new RangeError(`bits must be 1 to 8 or 16: current value is ${bits}`);
  }
  if ((symmetric || narrow) && !signed) {
    throw new RangeError(`A ${symmetric ? "symmetric" : "narrow"} grid must be signed`);
  }
  if ((symmetric || narrow) && bits === 1) {
    throw new RangeError("A symmetric or narrow grid must have at least 2 bits");
  }
  const half = 2 ** (bits - 1);
  return signed
    ? { bits, signed, symmetric, qmin: -half + (narrow ? 1 : 0), qmax: half - 1 }
    : { bits, signed, symmetric, qmin: 0, qmax: 2 * half - 1 };
}

/** One integer a value, in the smallest type that holds the grid; not packed. */
export type QuantizedValues = Int8Array | Uint8Array | Int16Array | Uint16Array;

/**
 * Scales and zero points of a tensor.
 *
 * - No `axis`: one of each for the whole tensor.
 * - `axis` only: one for each index of that axis (channel granularity).
 * - `axis` and `blockSize`: one for each run of `blockSize` elements along the axis, the last of which may be
 *   shorter (group granularity); in the shape of the tensor with that axis divided, row by row.
 */
export interface QuantizationParameters {
  /** Positive and normal. */
  readonly scale: Float32Array;
  /** Within the grid; as many as scales. */
  readonly zeroPoint: Int32Array;
  readonly grid: Grid;
  readonly axis?: number;
  readonly blockSize?: number;
}

/** The scale and zero point of one range. */
export interface ScaleAndZeroPoint {
  readonly scale: number;
  readonly zeroPoint: number;
}

const FLOAT32_MIN_NORMAL = 2 ** -126;
/** Adding and subtracting it rounds a double of less than 2⁵¹ to an integer, half to even: for inner loops. */
export const ROUND = 1.5 * 2 ** 52;

/** Rounds to the nearest integer, half to even; for magnitudes below 2⁵¹. */
export function roundHalfEven(value: number): number {
  return value + ROUND - ROUND;
}

/**
 * The scale and zero point with which a grid covers a range, which is first widened to hold zero: zero is always
 * exactly representable.
 *
 * On an asymmetric grid this is float32 arithmetic as in DynamicQuantizeLinear: `s = (max − min)/(qmax − qmin)`,
 * `z = round(qmin − min/s)`. On a symmetric one, the smallest scale with which both ends are on the grid. A range
 * of only zero gets the scale 1; no scale is zero or denormal.
 *
 * @throws {RangeError} If an end is not finite, or `min` is above `max`.
 */
export function parametersFromRange(min: number, max: number, grid: Grid): ScaleAndZeroPoint {
  if (!Number.isFinite(min) || !Number.isFinite(max) || min > max) {
    throw new RangeError(`A range must be finite and ordered: current value is ${min} … ${max}`);
  }
  const { qmin, qmax } = grid;
  const low = Math.fround(Math.min(min, 0));
  const high = Math.fround(Math.max(max, 0));
  if (grid.symmetric) {
    const scale = Math.fround(Math.max(high / qmax, low / qmin));
    return { scale: usable(scale), zeroPoint: 0 };
  }
  const width = Math.fround(high - low);
  // A width beyond float32 still has a scale within it.
  const steps = (Number.isFinite(width) ? width : high - low) / (qmax - qmin);
  const scale = usable(Math.fround(steps));
  const zero = Math.fround(qmin - Math.fround(low / scale));
  return { scale, zeroPoint: roundHalfEven(Math.min(Math.max(zero, qmin), qmax)) };
}

function usable(scale: number): number {
  return scale === 0 ? 1 : Math.max(scale, FLOAT32_MIN_NORMAL);
}

/** Parameters of tensor granularity. */
export function tensorParameters(
  { scale, zeroPoint }: ScaleAndZeroPoint,
  grid: Grid,
): QuantizationParameters {
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), grid };
}

/** An array of zeros that holds a grid's integers. */
export function integers(grid: Grid, length: number): QuantizedValues {
  if (grid.bits <= 8) return grid.signed ? new Int8Array(length) : new Uint8Array(length);
  return grid.signed ? new Int16Array(length) : new Uint16Array(length);
}

/**
 * Rounds values to the grid, as QuantizeLinear does: divides in float32, rounds half to even, saturates.
 *
 * @param data Of shape `dims`, row-major; NaN becomes an arbitrary integer of the grid.
 * @throws {RangeError} If the data or the parameters do not fit the shape.
 */
export function quantize(
  data: Float32Array,
  dims: readonly number[],
  parameters: QuantizationParameters,
): QuantizedValues {
  checkLength(data.length, dims);
  const { scale, zeroPoint, grid: { qmin, qmax } } = parameters;
  const values = integers(parameters.grid, data.length);
  forEachRun(dims, parameters, (start, length, first, step) => {
    for (let i = start, k = first; i < start + length; i++, k += step) {
      const zero = zeroPoint[k]!;
      const low = qmin - zero;
      const high = qmax - zero;
      const ratio = Math.fround(data[i]! / scale[k]!);
      const clamped = ratio < low ? low : ratio > high ? high : ratio;
      values[i] = clamped + ROUND - ROUND + zero;
    }
  });
  return values;
}

/**
 * The values that integers stand for, as DequantizeLinear does it: `(q − z) · s` in float32.
 *
 * @throws {RangeError} If the data or the parameters do not fit the shape.
 */
export function dequantize(
  values: ArrayLike<number>,
  dims: readonly number[],
  parameters: QuantizationParameters,
): Float32Array {
  checkLength(values.length, dims);
  const { scale, zeroPoint } = parameters;
  const data = new Float32Array(values.length);
  forEachRun(dims, parameters, (start, length, first, step) => {
    for (let i = start, k = first; i < start + length; i++, k += step) {
      data[i] = Math.fround(values[i]! - zeroPoint[k]!) * scale[k]!;
    }
  });
  return data;
}

/** The nearest values that the grid can represent: {@linkcode dequantize} after {@linkcode quantize}. */
export function fakeQuantize(
  data: Float32Array,
  dims: readonly number[],
  parameters: QuantizationParameters,
): Float32Array {
  return dequantize(quantize(data, dims, parameters), dims, parameters);
}

function checkLength(length: number, dims: readonly number[]): void {
  if (length !== elementCount(dims)) {
    throw new RangeError(
      `Data of shape [${dims}] must have ${elementCount(dims)} values: current value has ${length}`,
    );
  }
}
