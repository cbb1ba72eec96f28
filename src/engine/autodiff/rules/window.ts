/**
 * The geometry of sliding windows: what convolutions and pools share.
 *
 * @module
 */

import { getInt, getInts, getString } from "../../../onnx/attributes.ts";
import type { Node } from "../../../onnx/model.ts";

/** A sliding window with explicit pads, one entry per spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros before the first element of an axis. */
  readonly begins: readonly number[];
  readonly ends: readonly number[];
  readonly group: number;
}

/** How far a dilated kernel reaches: (k − 1) · dilation + 1. */
export function extent(window: Window, axis: number): number {
  return (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
}

/**
 * Reads a window from a node's attributes, with `auto_pad` made explicit.
 *
 * @param wide Spatial sizes on the side the window slides over.
 * @param narrow Spatial sizes on the other side: one element per window position.
 */
export function windowOf(
  node: Node,
  kernel: readonly number[],
  wide: readonly number[],
  narrow: readonly number[],
): Window {
  const ones = kernel.map(() => 1);
  const window = {
    kernel,
    strides: getInts(node, "strides", ones).map(Number),
    dilations: getInts(node, "dilations", ones).map(Number),
    group: getInt(node, "group", 1),
  };
  const auto = getString(node, "auto_pad", "NOTSET");
  // A ConvTranspose with an output shape pads as if it were SAME, whatever auto_pad says.
  if (auto.startsWith("SAME") || node.attributes.has("output_shape")) {
    const totals = kernel.map((_, axis) => {
      const reach = extent({ ...window, begins: [], ends: [] }, axis);
      const extra = getInts(node, "output_padding", kernel.map(() => 0))[axis]!;
      return Math.max(
        0,
        window.strides[axis]! * (narrow[axis]! - 1) + reach + Number(extra) - wide[axis]!,
      );
    });
    // The odd zero goes to the end for SAME_UPPER, to the beginning otherwise.
    const lessFirst = auto === "SAME_UPPER";
    const small = totals.map((total) => Math.floor(total / 2));
    const large = totals.map((total, axis) => total - small[axis]!);
    return { ...window, begins: lessFirst ? small : large, ends: lessFirst ? large : small };
  }
  const pads = auto === "VALID"
    ? [...kernel, ...kernel].map(() => 0)
    : getInts(node, "pads", [...kernel, ...kernel].map(() => 0)).map(Number);
  return { ...window, begins: pads.slice(0, kernel.length), ends: pads.slice(kernel.length) };
}

/** Every position of a kernel, last axis fastest. */
export function kernelPositions(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (positions, size) =>
      positions.flatMap((position) =>
        Array.from({ length: size }, (_, index) => [...position, index])
      ),
    [[]],
  );
}
