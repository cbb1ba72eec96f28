/**
 * Linear maps between flat vectors: each kind in its own form, so that convolutions stay convolutions.
 *
 * @module
 */

interface MapFacts {
  readonly rows: number;
  readonly columns: number;
  /** A bound on |weight − exact| over |exact| for all weights; absent where they are exact. */
  readonly relativeError?: number;
}

/** y = x. */
export interface IdentityMap extends MapFacts {
  readonly kind: "identity";
}

/** y[i] = factors[i]·x[i]. */
export interface DiagonalMap extends MapFacts {
  readonly kind: "diagonal";
  readonly factors: Float64Array;
}

/** y[i] = x[sources[i]], or 0 where `sources[i]` is −1: transposes, slices, pads, parts of a concatenation. */
export interface IndexMap extends MapFacts {
  readonly kind: "index";
  readonly sources: Int32Array;
}

/** y = W·x with W in row-major order. */
export interface DenseMap extends MapFacts {
  readonly kind: "dense";
  readonly weights: Float64Array;
}

/** A two-dimensional convolution over [channels, height, width]; one-dimensional ones have a height of 1. */
export interface ConvolutionMap extends MapFacts {
  readonly kind: "convolution";
  /** [outputs, channels / groups, kernel height, kernel width]. */
  readonly weights: Float64Array;
  readonly geometry: ConvolutionGeometry;
}

/** The shape of a convolution. Pairs are (height, width). */
export interface ConvolutionGeometry {
  readonly channels: number;
  readonly outputs: number;
  readonly groups: number;
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** At the beginning of each axis. */
  readonly pads: readonly [number, number];
}

/** A linear map with `rows` outputs and `columns` inputs. */
export type LinearMap = IdentityMap | DiagonalMap | IndexMap | DenseMap | ConvolutionMap;

/** The identity on vectors of a length. */
export function identity(size: number): IdentityMap {
  return { kind: "identity", rows: size, columns: size };
}

/** Calls `visit(row, column, weight)` for every weight that can be other than 0; the order is fixed. */
export function forEachWeight(
  map: LinearMap,
  visit: (row: number, column: number, weight: number) => void,
): void {
  switch (map.kind) {
    case "identity":
      for (let row = 0; row < map.rows; row++) visit(row, row, 1);
      return;
    case "diagonal":
      for (let row = 0; row < map.rows; row++) visit(row, row, map.factors[row]!);
      return;
    case "index":
      for (let row = 0; row < map.rows; row++) {
        if (map.sources[row]! >= 0) visit(row, map.sources[row]!, 1);
      }
      return;
    case "dense":
      for (let row = 0, at = 0; row < map.rows; row++) {
        for (let column = 0; column < map.columns; column++) visit(row, column, map.weights[at++]!);
      }
      return;
    case "convolution":
      forEachConvolutionWeight(map, visit);
  }
}

/** y = M·x. */
export function apply(map: LinearMap, x: Float64Array): Float64Array {
  const y = new Float64Array(map.rows);
  if (map.kind === "dense") {
    for (let row = 0, at = 0; row < map.rows; row++) {
      let sum = 0;
      for (let column = 0; column < map.columns; column++) sum += map.weights[at++]! * x[column]!;
      y[row] = sum;
    }
  } else {
    forEachWeight(map, (row, column, weight) => {
      y[row]! += weight * x[column]!;
    });
  }
  return y;
}

/** x = Mᵀ·y. */
export function applyTransposed(map: LinearMap, y: Float64Array): Float64Array {
  const x = new Float64Array(map.columns);
  forEachWeight(map, (row, column, weight) => {
    x[column]! += weight * y[row]!;
  });
  return x;
}

/** y = |M|·x, with the absolute value of every weight. */
export function applyAbsolute(map: LinearMap, x: Float64Array): Float64Array {
  const y = new Float64Array(map.rows);
  forEachWeight(map, (row, column, weight) => {
    y[row]! += Math.abs(weight) * x[column]!;
  });
  return y;
}

/** The largest number of weights that any row has: how many products a sum is made of. */
export function termsPerRow(map: LinearMap): number {
  switch (map.kind) {
    case "dense":
      return map.columns;
    case "convolution": {
      const { channels, groups, kernel } = map.geometry;
      return channels / groups * kernel[0] * kernel[1];
    }
    default:
      return 1;
  }
}

/**
 * The map with row i scaled by `factors[i]`, which are themselves exact up to three roundings.
 *
 * @param factorError What factors are off by beside those roundings, relative to themselves.
 */
export function scaleRows(map: LinearMap, factors: Float64Array, factorError = 0): LinearMap {
  const relativeError = (map.relativeError ?? 0) * (1 + factorError) + SCALING + factorError;
  return { ...scaled(map, factors), relativeError };
}

/** Weights as large as this are extreme: runtimes multiply them by factors, and products can overflow. */
export const EXTREME = 2 ** 48;

/** The largest magnitude of a weight. */
export function largestWeight(map: LinearMap): number {
  const weights = map.kind === "diagonal"
    ? map.factors
    : map.kind === "dense" || map.kind === "convolution"
    ? map.weights
    : ONE;
  let most = 0;
  for (let at = 0; at < weights.length; at++) {
    const size = Math.abs(weights[at]!);
    // Written so that what is not a number counts as too large.
    if (!(size <= most)) most = Number.isNaN(size) ? Infinity : size;
  }
  return most;
}

const ONE = Float64Array.of(1);

/** A factor of batch normalization (three roundings) and the product. */
const SCALING = 8 * 2 ** -53;

function scaled(map: LinearMap, factors: Float64Array): LinearMap {
  switch (map.kind) {
    case "identity":
      return { kind: "diagonal", rows: map.rows, columns: map.columns, factors };
    case "diagonal":
      return { ...map, factors: map.factors.map((factor, row) => factor * factors[row]!) };
    case "dense":
      return {
        ...map,
        weights: map.weights.map((weight, at) => weight * factors[Math.floor(at / map.columns)]!),
      };
    case "convolution": {
      const perOutput = map.weights.length / map.geometry.outputs;
      const positions = map.rows / map.geometry.outputs;
      return {
        ...map,
        weights: map.weights.map((weight, at) =>
          weight * factors[Math.floor(at / perOutput) * positions]!
        ),
      };
    }
    case "index":
      throw new TypeError("An index map has no weights to scale");
  }
}

/** Whether {@linkcode scaleRows} can take these factors. */
export function canScaleRows(map: LinearMap, factors: Float64Array): boolean {
  if (map.kind === "index") return false;
  if (map.kind !== "convolution") return true;
  const positions = map.rows / map.geometry.outputs;
  return factors.every((factor, row) => factor === factors[row - row % positions]);
}

function forEachConvolutionWeight(
  { weights, geometry }: ConvolutionMap,
  visit: (row: number, column: number, weight: number) => void,
): void {
  const { channels, outputs, groups, input, output, kernel, strides, dilations, pads } = geometry;
  const inGroup = channels / groups;
  const outGroup = outputs / groups;
  let row = 0;
  for (let out = 0; out < outputs; out++) {
    const firstChannel = Math.floor(out / outGroup) * inGroup;
    for (let oy = 0; oy < output[0]; oy++) {
      for (let ox = 0; ox < output[1]; ox++, row++) {
        let at = out * inGroup * kernel[0] * kernel[1];
        for (let channel = firstChannel; channel < firstChannel + inGroup; channel++) {
          for (let ky = 0; ky < kernel[0]; ky++) {
            const y = oy * strides[0] - pads[0] + ky * dilations[0];
            for (let kx = 0; kx < kernel[1]; kx++, at++) {
              const x = ox * strides[1] - pads[1] + kx * dilations[1];
              if (y < 0 || y >= input[0] || x < 0 || x >= input[1]) continue;
              visit(row, (channel * input[0] + y) * input[1] + x, weights[at]!);
            }
          }
        }
      }
    }
  }
}
