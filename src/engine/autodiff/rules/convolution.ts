/**
 * Convolution and its transpose by the input, in the formulation that ONNX Runtime executes well.
 *
 * The two serve Conv and ConvTranspose, whose gradients by the input are each other's forward passes.
 *
 * @module
 */

import { elementCount } from "../../../onnx/tensor.ts";
import {
  convolveBlocks,
  fitsBlocks,
  fromBlocks,
  mirroredBlocks,
  toBlocks,
  transposedWeightBlocks,
  weightBlocks,
} from "../blocks.ts";
import type { Emitter, FloatType } from "../emitter.ts";
import { fitsTiles, paysTiles, scatterTiles, type TiledConvolution } from "../winograd.ts";
import { extent, type Window } from "./window.ts";

/** Attributes of a Conv or ConvTranspose node. */
function attributes(window: Window, pads: readonly number[]): Record<string, number | number[]> {
  return {
    kernel_shape: [...window.kernel],
    strides: [...window.strides],
    dilations: [...window.dilations],
    pads: [...pads],
    group: window.group,
  };
}

/** Cross-correlation `[N, C, …wide] → [N, M, …narrow]` with weights `[M, C/group, …kernel]`. */
export function correlate(emit: Emitter, x: string, weight: string, window: Window): string {
  return emit.op("Conv", [x, weight], attributes(window, [...window.begins, ...window.ends]));
}

/** A convolution whose gradient by the input is wanted. */
export interface InputProblem {
  readonly upstream: string;
  /** `[N, M, …narrow]`. */
  readonly upstreamDims: readonly number[];
  readonly weight: string;
  /** `[M, C/group, …kernel]`. */
  readonly weightDims: readonly number[];
  /** `[N, C, …wide]`. */
  readonly xDims: readonly number[];
  readonly window: Window;
  readonly type: FloatType;
}

/**
 * - `flipped`: the upstream gradient convolved by the weights, mirrored and with channels swapped.
 * - `blocks`: the same with channels in blocks.
 * - `tiles`: the same by Winograd's minimal filtering.
 * - `transposed`: ONNX's transposed convolution; fits everything.
 */
export type InputFormulation = "flipped" | "blocks" | "tiles" | "transposed";

/** The formulation that is fastest, by `bench/gradients.ts`. */
export function inputFormulation(emit: Emitter, problem: InputProblem): InputFormulation {
  const { window, weightDims, type } = problem;
  const fits = window.kernel.every((_, axis) =>
    window.strides[axis] === 1 && window.begins[axis]! < extent(window, axis) &&
    window.ends[axis]! < extent(window, axis)
  );
  if (!fits) return "transposed";
  if (paysTiles(emit, tiledProblem(problem), "images")) return "tiles";
  const sides = [weightDims[0]!, inputChannels(weightDims, window)] as const;
  return elementCount(window.kernel) > 1 && fitsBlocks(emit, window, sides, type)
    ? "blocks"
    : "flipped";
}

/** The transpose of {@linkcode correlate} by its input: `[N, M, …narrow] → [N, C, …wide]`. */
export function scatterWindows(
  emit: Emitter,
  problem: InputProblem,
  formulation: InputFormulation = inputFormulation(emit, problem),
): string {
  const { upstream, weight, weightDims, window } = problem;
  const [wide, narrow] = [problem.xDims.slice(2), problem.upstreamDims.slice(2)];
  if (formulation === "tiles") {
    const tiled = tiledProblem(problem);
    if (!fitsTiles(emit, tiled)) throw new RangeError("Formulation tiles needs a plain 3×3 kernel");
    return scatterTiles(emit, upstream, weight, tiled);
  }
  if (formulation !== "transposed") {
    const begins = window.begins.map((pad, axis) => extent(window, axis) - 1 - pad);
    // The window may leave elements at the end unread: their gradient is zero.
    const ends = wide.map((size, axis) => size - 1 - (narrow[axis]! - 1) + window.begins[axis]!);
    if (formulation === "blocks") {
      const result = convolveBlocks(
        emit,
        toBlocks(emit, upstream),
        flippedBlocks(emit, weight, weightDims, window),
        { ...window, begins, ends },
      );
      return fromBlocks(emit, result, inputChannels(weightDims, window));
    }
    return emit.op(
      "Conv",
      [upstream, flipped(emit, weight, weightDims, window)],
      attributes(window, [...begins, ...ends]),
    );
  }
  const unread = window.kernel.map((_, axis) =>
    wide[axis]! + window.begins[axis]! + window.ends[axis]! - extent(window, axis) -
    window.strides[axis]! * (narrow[axis]! - 1)
  );
  return emit.op("ConvTranspose", [upstream, weight], {
    ...attributes(window, [...window.begins, ...window.ends]),
    output_padding: unread,
  });
}

function tiledProblem({ window, xDims, upstreamDims, type }: InputProblem): TiledConvolution {
  return { window, wide: xDims, narrow: upstreamDims, type };
}

/** C of weights `[M, C/group, …]`. */
function inputChannels(dims: readonly number[], { group }: Window): number {
  return dims[1]! * group;
}

/** What {@linkcode flipped} gives, in blocks. */
function flippedBlocks(
  emit: Emitter,
  weight: string,
  dims: readonly number[],
  { group }: Window,
): string {
  if (group > 1) return mirroredBlocks(emit, weightBlocks(emit, weight, dims), dims);
  const [outputs, channels, ...kernel] = dims as [number, number, ...number[]];
  const transposed = transposedWeightBlocks(emit, weight, dims);
  return mirroredBlocks(emit, transposed, [channels, outputs, ...kernel]);
}

/** Weights `[M, C/group, …]` as those of the transposed convolution, `[C, M/group, …]`, mirrored in space. */
function flipped(
  emit: Emitter,
  weight: string,
  dims: readonly number[],
  { group }: Window,
): string {
  const [outer, inner, ...kernel] = dims as [number, number, ...number[]];
  const axes = kernel.flatMap((size, axis) => size > 1 ? [axis + 2] : []);
  const mirrored = axes.length === 0 ? weight : emit.slice(
    weight,
    axes,
    axes.map(() => -1),
    axes.map(() => -(2 ** 31)),
    axes.map(() => -1),
  );
  if (group === 1) {
    return emit.transpose(
      mirrored,
      dims.map((_, axis) => axis < 2 ? 1 - axis : axis),
    );
  }
  if (inner === 1 && outer === group) return mirrored;
  const split = emit.reshape(mirrored, [group, outer / group, inner, ...kernel]);
  const swapped = emit.transpose(
    split,
    [0, 2, 1, ...kernel.map((_, axis) => axis + 3)],
  );
  return emit.reshape(swapped, [group * inner, outer / group, ...kernel]);
}
