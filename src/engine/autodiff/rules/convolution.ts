/**
 * Convolution gradients in the formulations that ONNX Runtime executes well.
 *
 * The same two building blocks serve Conv and ConvTranspose, whose gradients are each other's forward passes.
 *
 * @module
 */

import { elementCount } from "../../../onnx/tensor.ts";
import type { Emitter } from "../emitter.ts";
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

/** How the gradient by a convolution's input is computed. */
export type InputFormulation = "flipped" | "transposed";

/** The formulation that is faster, by `bench/gradients.ts`. */
export function inputFormulation(window: Window): InputFormulation {
  const fits = window.kernel.every((_, axis) =>
    window.strides[axis] === 1 && window.begins[axis]! < extent(window, axis) &&
    window.ends[axis]! < extent(window, axis)
  );
  return fits ? "flipped" : "transposed";
}

/**
 * The transpose of {@linkcode correlate} by its input: `[N, M, …narrow] → [N, C, …wide]`.
 *
 * @param weightDims `[M, C/group, …kernel]`.
 */
export function scatterWindows(
  emit: Emitter,
  upstream: string,
  weight: string,
  weightDims: readonly number[],
  window: Window,
  wide: readonly number[],
  narrow: readonly number[],
  formulation: InputFormulation = inputFormulation(window),
): string {
  if (formulation === "flipped") {
    const begins = window.begins.map((pad, axis) => extent(window, axis) - 1 - pad);
    // The window may leave elements at the end unread: their gradient is zero.
    const ends = wide.map((size, axis) => size - 1 - (narrow[axis]! - 1) + window.begins[axis]!);
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

/** How the gradient by a convolution's weights is computed. */
export type WeightFormulation = "columns" | "convolution";

/** The formulation that is faster, by `bench/gradients.ts`. */
export function weightFormulation(window: Window): WeightFormulation {
  return window.group === 1 && elementCount(window.kernel) > 25 ? "convolution" : "columns";
}

/**
 * The transpose of {@linkcode correlate} by its weights: from the input `[N, C, …wide]` and the upstream
 * gradient `[N, M, …narrow]` to `[M, C/group, …kernel]`.
 */
export function correlateByWeights(
  emit: Emitter,
  x: string,
  xDims: readonly number[],
  upstream: string,
  upstreamDims: readonly number[],
  window: Window,
  formulation: WeightFormulation = weightFormulation(window),
): string {
  return formulation === "columns"
    ? weightsByColumns(emit, x, xDims, upstream, upstreamDims, window)
    : weightsByConvolution(emit, x, xDims, upstream, upstreamDims, window);
}

/** One matrix product of the upstream gradient with the input's shifted copies, batch and space as one axis. */
function weightsByColumns(
  emit: Emitter,
  x: string,
  xDims: readonly number[],
  upstream: string,
  upstreamDims: readonly number[],
  window: Window,
): string {
  const [batch, channels] = xDims as [number, number];
  const outputs = upstreamDims[1]!;
  const narrow = upstreamDims.slice(2);
  const { group, kernel } = window;
  const positions = batch * elementCount(narrow);
  const batchSecond = xDims.map((_, axis) => axis < 2 ? 1 - axis : axis);
  const padded = emit.transpose(padToWindows(emit, x, xDims, upstreamDims, window), batchSecond);
  const left = emit.reshape(
    emit.transpose(upstream, batchSecond),
    [group, outputs / group, positions],
  );
  const volume = elementCount(kernel);
  const shifted = Array.from({ length: volume }, (_, index) => {
    const slice = shift(emit, padded, offsets(index, kernel), narrow, window);
    return emit.reshape(slice, [group, channels / group, positions]);
  });
  const columns = emit.concat(shifted, 1);
  const product = emit.op("MatMul", [left, emit.transpose(columns, [0, 2, 1])]);
  if (channels === group) return emit.reshape(product, [outputs, 1, ...kernel]);
  const split = emit.reshape(product, [outputs, volume, channels / group]);
  return emit.reshape(emit.transpose(split, [0, 2, 1]), [outputs, channels / group, ...kernel]);
}

/** A convolution of the input by the upstream gradient, batch and channels swapped; strides become dilations. */
function weightsByConvolution(
  emit: Emitter,
  x: string,
  xDims: readonly number[],
  upstream: string,
  upstreamDims: readonly number[],
  window: Window,
): string {
  if (window.group !== 1) throw new RangeError("Group must be 1 for the convolution formulation");
  const batchSecond = xDims.map((_, axis) => axis < 2 ? 1 - axis : axis);
  const padded = emit.transpose(padToWindows(emit, x, xDims, upstreamDims, window), batchSecond);
  const result = correlate(emit, padded, emit.transpose(upstream, batchSecond), {
    kernel: upstreamDims.slice(2),
    strides: window.dilations,
    dilations: window.strides,
    begins: window.kernel.map(() => 0),
    ends: window.kernel.map(() => 0),
    group: 1,
  });
  return emit.transpose(result, batchSecond);
}

/** The input with exactly the zeros around it that the windows reach, cropped where they do not reach. */
function padToWindows(
  emit: Emitter,
  x: string,
  xDims: readonly number[],
  upstreamDims: readonly number[],
  window: Window,
): string {
  const ends = window.kernel.map((_, axis) =>
    window.strides[axis]! * (upstreamDims[axis + 2]! - 1) + extent(window, axis) -
    xDims[axis + 2]! - window.begins[axis]!
  );
  return emit.pad(x, [0, 0, ...window.begins, 0, 0, ...ends]);
}

/** Position of the index-th kernel element along each axis, last axis fastest. */
function offsets(index: number, kernel: readonly number[]): number[] {
  const result: number[] = [];
  for (let axis = kernel.length - 1; axis >= 0; axis--) {
    result.unshift(index % kernel[axis]!);
    index = Math.floor(index / kernel[axis]!);
  }
  return result;
}

/** The elements that one kernel position meets: `[…, …wide] → […, …narrow]`. */
function shift(
  emit: Emitter,
  padded: string,
  position: readonly number[],
  narrow: readonly number[],
  window: Window,
): string {
  const starts = position.map((offset, axis) => offset * window.dilations[axis]!);
  const ends = starts.map((start, axis) => start + window.strides[axis]! * (narrow[axis]! - 1) + 1);
  if (window.kernel.every((size, axis) => size === 1 && window.strides[axis] === 1)) return padded;
  return emit.slice(padded, position.map((_, axis) => axis + 2), starts, ends, window.strides);
}
