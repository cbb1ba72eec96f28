/**
 * Convolutions with 3×3 kernels by Winograd's minimal filtering: fewer products, and all of them in large matrices.
 *
 * Four neighbouring outputs of a filter with three taps are `y = Aᵀ((G·g) ⊙ (Bᵀ·d))`: six products instead of twelve, and
 * in two dimensions 36 instead of 144. Read backward, the gradient by the taps is `dg = Gᵀ((A·dy) ⊙ (Bᵀ·d))`.
 *
 * Along an axis, the transforms of all tiles are one product with a sparse matrix, which knows the padding too. The image
 * stands on its right, transposed, so that the axis that is done goes to the front: after both axes, points and tiles
 * stand before items and channels, as the products need them, and nothing was moved for its own sake.
 *
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
 *
 * @module
 */

import { elementCount, float32 } from "../../onnx/tensor.ts";
import type { Emitter, FloatType } from "./emitter.ts";
import type { Window } from "./rules/window.ts";

/** Outputs of a tile along an axis. */
const TILE = 4;

/** Points that polynomials are taken at: 0, ±1, ±2 and infinity. */
const POINTS = 6;

/** Points of a tile in two dimensions. */
const PLANE = POINTS ** 2;

/** ONNX Runtime's operators that are no layout. */
const DOMAIN = "com.microsoft";

type Matrix = readonly (readonly number[])[];

/** Bᵀ: what the inputs of a tile are at the points, [points, inputs]. */
const INPUTS: Matrix = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];

/** A, [points, outputs]. */
const OUTPUTS: Matrix = [
  [1, 0, 0, 0],
  [1, 1, 1, 1],
  [1, -1, 1, -1],
  [1, 2, 4, 8],
  [1, -2, 4, -8],
  [0, 0, 0, 1],
];

/** G, [points, taps]. */
const TAPS: Matrix = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];

/** A convolution `[N, C, H, W] → [N, M, H′, W′]`. */
export interface TiledConvolution {
  readonly window: Window;
  /** `[N, C, H, W]`. */
  readonly wide: readonly number[];
  /** `[N, M, H′, W′]`. */
  readonly narrow: readonly number[];
  readonly type: FloatType;
}

/** Whether tiles can be used: for 3×3 kernels in float32, without groups, strides or dilations, in ONNX Runtime. */
export function fitsTiles({ native }: Emitter, { window, type }: TiledConvolution): boolean {
  const { kernel, strides, dilations, group } = window;
  return native && type === "float32" && kernel.length === 2 && group === 1 &&
    kernel.every((size) => size === 3) && [...strides, ...dilations].every((each) => each === 1);
}

/**
 * Whether tiles are worth their transforms, by `bench/gradients.ts`: with many channels, in images that are not large.
 *
 * @param by What is computed: by weights the gradient, by images the convolution or the gradient.
 */
export function paysTiles(
  emit: Emitter,
  convolution: TiledConvolution,
  by: "images" | "weights",
): boolean {
  if (!fitsTiles(emit, convolution)) return false;
  const { wide, narrow } = convolution;
  const isWhole = narrow.slice(2).every((size) => size % TILE === 0);
  const worth = by === "weights" && isWhole ? WORTH_BY_WEIGHTS : WORTH;
  const [batch, channels] = wide as [number, number];
  const outputs = narrow[1]!;
  const tiles = narrow.slice(2).map(tilesOf) as [number, number];
  const products = PLANE * batch * tiles[0] * tiles[1] * channels * outputs;
  const direct = 9 * elementCount(narrow) * channels;
  return products + transformWork(wide, tiles) + transformWork(narrow, tiles) < worth * direct;
}

/** A multiplication of a transform, and an element that one writes, in multiplications of large matrices. */
const TRANSFORMED = 1.35;
const WRITTEN = 16;

/** Share of the direct convolution's multiplications below which tiles are faster. */
const WORTH = 0.75;

/** The same for the gradient by the weights, which is slower elsewhere, if no tile reaches over the edge. */
const WORTH_BY_WEIGHTS = 1.3;

function transformWork(
  [batch, channels, height, width]: readonly number[],
  [down, across]: readonly [number, number],
): number {
  const first = POINTS * across * batch! * channels! * height!;
  const second = POINTS * across * batch! * channels! * POINTS * down;
  return first * (TRANSFORMED * width! + WRITTEN) + second * (TRANSFORMED * height! + WRITTEN);
}

/**
 * Emits a convolution of images.
 *
 * @param weight `[M, C, 3, 3]`.
 */
export function convolveTiles(
  emit: Emitter,
  images: string,
  weight: string,
  { window, wide, narrow }: TiledConvolution,
): string {
  return convolve(emit, images, wide, weight, narrow, window.begins, false);
}

/**
 * Emits the gradient by the images, `[N, C, H, W]`.
 *
 * @param upstream `[N, M, H′, W′]`.
 * @param weight `[M, C, 3, 3]`.
 */
export function scatterTiles(
  emit: Emitter,
  upstream: string,
  weight: string,
  { window, wide, narrow }: TiledConvolution,
): string {
  return convolve(emit, upstream, narrow, weight, wide, window.begins.map((pad) => 2 - pad), true);
}

/**
 * Emits the gradient by the weights, `[M, C, 3, 3]`.
 *
 * @param images `[N, C, H, W]`.
 * @param upstream `[N, M, H′, W′]`.
 */
export function tapsGradient(
  emit: Emitter,
  images: string,
  upstream: string,
  { window, wide, narrow }: TiledConvolution,
): string {
  const [channels, outputs] = [wide[1]!, narrow[1]!];
  const tiles = narrow.slice(2).map(tilesOf) as [number, number];
  // A product for each pair of points, summed over the tiles of all items.
  const products = multiply(
    emit,
    planes(emit, OUTPUTS, upstream, narrow, tiles, [0, 0]),
    planes(emit, INPUTS, images, wide, tiles, window.begins),
    { transA: 1 },
  );
  const taps = multiply(
    emit,
    emit.reshape(products, [PLANE, outputs * channels]),
    tapMatrix(emit, { widthFirst: true, mirrored: false }),
    { transA: 1 },
  );
  return emit.reshape(taps, [outputs, channels, 3, 3]);
}

/** @param isTransposed Whether weights are those of the convolution whose transpose this is. */
function convolve(
  emit: Emitter,
  images: string,
  from: readonly number[],
  weight: string,
  to: readonly number[],
  begins: readonly number[],
  isTransposed: boolean,
): string {
  const [batch, channels, height] = from as [number, number, number];
  const [, outputs, ...size] = to as [number, number, number, number];
  const [down, across] = size.map(tilesOf) as [number, number];
  const byWidth = forward(emit, INPUTS, images, across, begins[1]!, [
    batch * channels * height,
    from[3]!,
  ]);
  const tiled = forward(emit, INPUTS, byWidth, down, begins[0]!, [
    POINTS * across * batch * channels,
    height,
  ]);
  const weightDims = isTransposed ? [channels, outputs] : [outputs, channels];
  const taps = multiply(
    emit,
    tapMatrix(emit, { widthFirst: false, mirrored: isTransposed }),
    emit.reshape(weight, [channels * outputs, 9]),
    { transB: 1 },
  );
  // Rows of tiles share the weights of a pair of points.
  const products = multiply(
    emit,
    emit.reshape(tiled, [POINTS, down, POINTS, across * batch, channels]),
    emit.reshape(taps, [POINTS, 1, POINTS, ...weightDims]),
    { transB: isTransposed ? 0 : 1 },
  );
  const byHeight = backward(emit, products, size[0]!, down, POINTS * across * batch * outputs);
  const result = backward(emit, byHeight, size[1]!, across, batch * outputs * size[0]!);
  return emit.reshape(result, to);
}

/** Images `[N, C, H, W]` as the tiles of each pair of points, `[points of W × points of H, tiles × N, C]`. */
function planes(
  emit: Emitter,
  matrix: Matrix,
  images: string,
  [batch, channels, height, width]: readonly number[],
  [down, across]: readonly [number, number],
  begins: readonly number[],
): string {
  const byWidth = forward(emit, matrix, images, across, begins[1]!, [
    batch! * channels! * height!,
    width!,
  ]);
  // One product for each point of the width, so that its tiles stay behind those of the height.
  const both = forward(emit, matrix, byWidth, down, begins[0]!, [
    POINTS,
    across * batch! * channels!,
    height!,
  ]);
  return emit.reshape(both, [PLANE, down * across * batch!, channels!]);
}

const tilesOf = (size: number) => Math.ceil(size / TILE);

/** Tiles of the last axis at the points, in its place before the last but one: `[…, rows, size] → […, points × tiles, rows]`. */
function forward(
  emit: Emitter,
  matrix: Matrix,
  value: string,
  tiles: number,
  begin: number,
  dims: readonly number[],
): string {
  const transform = axisMatrix(emit, matrix, tiles, begin, dims.at(-1)!);
  return multiply(emit, transform, emit.reshape(value, dims), { transB: 1 });
}

/** The outputs that points and tiles in front stand for, at the end: `[points × tiles, rows] → [rows, size]`. */
function backward(emit: Emitter, value: string, size: number, tiles: number, rows: number): string {
  const transform = axisMatrix(emit, OUTPUTS, tiles, 0, size);
  return multiply(emit, emit.reshape(value, [POINTS * tiles, rows]), transform, { transA: 1 });
}

function multiply(
  emit: Emitter,
  left: string,
  right: string,
  attributes: Readonly<Record<string, number>>,
): string {
  return emit.op("FusedMatMul", [left, right], attributes, DOMAIN);
}

/** Each tile of an axis at each point, `[points × tiles, size]`; what lies outside of the image is zero. */
function axisMatrix(
  emit: Emitter,
  matrix: Matrix,
  tiles: number,
  begin: number,
  size: number,
): string {
  const kind = matrix === INPUTS ? "inputs" : "outputs";
  return emit.once(`winograd:${kind}:${tiles}:${begin}:${size}`, () => {
    const result = new Float32Array(POINTS * tiles * size);
    matrix.forEach((factors, point) => {
      for (let tile = 0; tile < tiles; tile++) {
        factors.forEach((factor, index) => {
          const at = tile * TILE + index - begin;
          if (at >= 0 && at < size) result[(point * tiles + tile) * size + at] = factor;
        });
      }
    });
    return emit.constant(float32([POINTS * tiles, size], result), kind);
  });
}

/** What each tap is at each pair of points, `[points × points, 9]`. */
function tapMatrix(
  emit: Emitter,
  { widthFirst, mirrored }: { readonly widthFirst: boolean; readonly mirrored: boolean },
): string {
  return emit.once(`winograd:taps:${widthFirst}:${mirrored}`, () => {
    const matrix = mirrored ? TAPS.map((row) => row.toReversed()) : TAPS;
    const values = matrix.flatMap((first) =>
      matrix.flatMap((second) => {
        const [down, across] = widthFirst ? [second, first] : [first, second];
        return down.flatMap((a) => across.map((b) => a * b));
      })
    );
    return emit.constant(float32([PLANE, 9], Float32Array.from(values)), "taps");
  });
}
