/**
 * The gradient of a convolution by its weights, in the formulations that ONNX Runtime executes well.
 *
 * `dW[m, c, i, j] = Σ dY[n, m, h, w] · X[n, c, s·h + i − p, s·w + j − p]`: for each kernel position, a matrix product
 * of the upstream gradient with a shifted copy of the input. Copies cost more than products where channels are
 * few, so what is copied, and how often, decides. `bench/gradients.ts` compares the formulations.
 *
 * @module
 */

import { elementCount } from "../../../onnx/tensor.ts";
import type { Emitter, FloatType } from "../emitter.ts";
import { fitsTiles, paysTiles, tapsGradient, type TiledConvolution } from "../winograd.ts";
import { correlate } from "./convolution.ts";
import { weightsByBands } from "./weight_bands.ts";
import { shiftsFit, weightsByShifts } from "./weight_shifts.ts";
import { weightBlocksFit, weightsByBlocks } from "./weight_blocks.ts";
import { extent, kernelPositions, type Window } from "./window.ts";

/** A convolution whose weight gradient is wanted. */
export interface WeightProblem {
  readonly x: string;
  /** `[N, C, …wide]`. */
  readonly xDims: readonly number[];
  readonly upstream: string;
  /** `[N, M, …narrow]`. */
  readonly upstreamDims: readonly number[];
  readonly window: Window;
  readonly type: FloatType;
}

/**
 * - `item-shifts`: the input shifted along the last axis, the upstream gradient along the others, one product for
 *   each item of the batch, then their sum.
 * - `batch-shifts`: the same with the batch inside one product, after a transposition.
 * - `bands`: depthwise only; whole rows multiplied with whole rows, of which the bands around the diagonal count.
 * - `convolution`: the input convolved by the upstream gradient, batch and channels swapped.
 * - `item-convolution`: depthwise only; the same with every channel of every item a group of its own.
 * - `blocks`: the same as `convolution`, with the batch in blocks; needs a layout that not every processor has.
 * - `tiles`: 3×3 kernels only; Winograd's minimal filtering.
 * - `columns`: one product with one shifted copy of the input for each kernel position; fits everything.
 */
export type WeightFormulation =
  | "item-shifts"
  | "batch-shifts"
  | "bands"
  | "convolution"
  | "item-convolution"
  | "blocks"
  | "tiles"
  | "columns";

/** Rows times rows is wasteful beyond this many rows. */
const MOST_BAND_ROWS = 32;

/** The fastest formulation for these shapes, by `bench/gradients.ts`. */
export function weightFormulation(emit: Emitter, problem: WeightProblem): WeightFormulation {
  const { xDims, upstreamDims, window } = problem;
  const { group, kernel, strides } = window;
  const [, channels, ...wide] = xDims as [number, number, ...number[]];
  const [, outputs, ...narrow] = upstreamDims as [number, number, ...number[]];
  const depthwise = channels === group && outputs === group;
  if (paysTiles(emit, tiledProblem(problem), "weights")) return "tiles";
  if (elementCount(kernel) > 1 && weightBlocksFit(emit, problem)) return "blocks";
  if (depthwise && strides.some((stride) => stride > 1)) return "item-convolution";
  if (!shiftsFit(wide, narrow, window)) return "columns";
  if (depthwise) {
    return kernel.length === 2 && wide[0]! <= MOST_BAND_ROWS ? "bands" : "item-shifts";
  }
  if (group === 1 && elementCount(kernel) > 25) return "convolution";
  // Summing one weight gradient per item against transposing input and upstream gradient.
  const sums = elementCount(kernel) * outputs * (channels / group);
  const transposed = (channels + outputs) * elementCount(narrow);
  return sums <= 2 * transposed ? "item-shifts" : "batch-shifts";
}

/** Emits the gradient by the weights, `[M, C/group, …kernel]`. */
export function weightGradient(
  emit: Emitter,
  problem: WeightProblem,
  formulation: WeightFormulation = weightFormulation(emit, problem),
): string {
  switch (formulation) {
    case "item-shifts":
      return weightsByShifts(emit, problem, true);
    case "batch-shifts":
      return weightsByShifts(emit, problem, false);
    case "bands":
      return weightsByBands(emit, problem);
    case "convolution":
      return weightsByConvolution(emit, problem);
    case "item-convolution":
      return weightsByItemConvolution(emit, problem);
    case "blocks":
      return weightsByBlocks(emit, problem);
    case "tiles":
      return weightsByTiles(emit, problem);
    case "columns":
      return weightsByColumns(emit, problem);
  }
}

function weightsByTiles(emit: Emitter, problem: WeightProblem): string {
  const tiled = tiledProblem(problem);
  if (!fitsTiles(emit, tiled)) throw new RangeError("Formulation tiles needs a plain 3×3 kernel");
  return tapsGradient(emit, problem.x, problem.upstream, tiled);
}

function tiledProblem({ window, xDims, upstreamDims, type }: WeightProblem): TiledConvolution {
  return { window, wide: xDims, narrow: upstreamDims, type };
}

/** The window of the convolution whose kernel is the upstream gradient: strides become dilations. */
export function swappedWindow({ upstreamDims, window }: WeightProblem, group: number): Window {
  const none = window.kernel.map(() => 0);
  return {
    kernel: upstreamDims.slice(2),
    strides: window.dilations,
    dilations: window.strides,
    begins: none,
    ends: none,
    group,
  };
}

function weightsByConvolution(emit: Emitter, problem: WeightProblem): string {
  if (problem.window.group !== 1) throw new RangeError("Formulation convolution needs one group");
  const batchSecond = problem.xDims.map((_, axis) => axis < 2 ? 1 - axis : axis);
  const result = correlate(
    emit,
    emit.transpose(padToWindows(emit, problem), batchSecond),
    emit.transpose(problem.upstream, batchSecond),
    swappedWindow(problem, 1),
  );
  return emit.transpose(result, batchSecond);
}

function weightsByItemConvolution(emit: Emitter, problem: WeightProblem): string {
  const { upstreamDims, window } = problem;
  const [batch, channels, ...narrow] = upstreamDims as [number, number, ...number[]];
  if (channels !== window.group || problem.xDims[1] !== window.group) {
    throw new RangeError("Formulation item-convolution needs one channel a group");
  }
  const padded = padToWindows(emit, problem);
  const size = paddedSizes(problem);
  const images = batch * channels;
  const perItem = correlate(
    emit,
    emit.reshape(padded, [1, images, ...size]),
    emit.reshape(problem.upstream, [images, 1, ...narrow]),
    swappedWindow(problem, images),
  );
  const split = emit.reshape(perItem, [batch, channels, 1, ...window.kernel]);
  return emit.reduceSum(split, [0], false);
}

/** One matrix product of the upstream gradient with the input's shifted copies, batch and space as one axis. */
function weightsByColumns(emit: Emitter, problem: WeightProblem): string {
  const { xDims, upstream, upstreamDims, window } = problem;
  const [batch, channels] = xDims as [number, number];
  const [, outputs, ...narrow] = upstreamDims as [number, number, ...number[]];
  const { group, kernel, strides, dilations } = window;
  const positions = batch * elementCount(narrow);
  const batchSecond = xDims.map((_, axis) => axis < 2 ? 1 - axis : axis);
  const padded = emit.transpose(padToWindows(emit, problem), batchSecond);
  const left = emit.reshape(
    emit.transpose(upstream, batchSecond),
    [group, outputs / group, positions],
  );
  const shifted = kernelPositions(kernel).map((position) => {
    const starts = position.map((offset, axis) => offset * dilations[axis]!);
    const ends = starts.map((start, axis) => start + strides[axis]! * (narrow[axis]! - 1) + 1);
    const slice = emit.slice(padded, kernel.map((_, axis) => axis + 2), starts, ends, strides);
    return emit.reshape(slice, [group, channels / group, positions]);
  });
  const product = emit.op("MatMul", [left, emit.transpose(emit.concat(shifted, 1), [0, 2, 1])]);
  const split = emit.reshape(product, [outputs, elementCount(kernel), channels / group]);
  return emit.reshape(emit.transpose(split, [0, 2, 1]), [outputs, channels / group, ...kernel]);
}

/** Sizes that the windows reach: what {@linkcode padToWindows} pads or crops to. */
export function paddedSizes(
  { upstreamDims, window }: Pick<WeightProblem, "upstreamDims" | "window">,
): number[] {
  return window.kernel.map((_, axis) =>
    window.strides[axis]! * (upstreamDims[axis + 2]! - 1) + extent(window, axis)
  );
}

/** The input with exactly the zeros around it that the windows reach, cropped where they do not reach. */
function padToWindows(emit: Emitter, problem: WeightProblem): string {
  const { x, xDims, window } = problem;
  const ends = paddedSizes(problem).map((size, axis) =>
    size - xDims[axis + 2]! - window.begins[axis]!
  );
  return emit.pad(x, [0, 0, ...window.begins, 0, 0, ...ends]);
}
