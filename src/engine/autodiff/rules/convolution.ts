/**
 * Convolution and its transpose by the input, in the formulation that ONNX Runtime executes well.
 *
 * The two serve Conv and ConvTranspose, whose gradients by the input are each other's forward passes.
 *
 * @module
 */

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
