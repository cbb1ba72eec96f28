/**
 * Gradients of pooling.
 *
 * @module
 */

import { getInt, getInts } from "../../../onnx/attributes.ts";
import { elementCount, float32 } from "../../../onnx/tensor.ts";
import type { RuleContext, RuleTable } from "../rule.ts";
import { scatterWindows } from "./convolution.ts";
import { extent, type Window, windowOf } from "./window.ts";

/** Adds each gradient to the element that was the maximum, by the pool's own record of indices. */
function maxPool(c: RuleContext): [string] {
  const dims = c.inputDims(0);
  if (getInt(c.node, "storage_order", 0) !== 0) throw c.unsupported("its storage_order is 1");
  const indices = c.requireOutput(1);
  const zeros = c.emit.full([elementCount(dims)], 0, c.type);
  const flat = [c.emit.reshape(indices, [-1]), c.emit.reshape(c.upstream, [-1])] as const;
  const sum = c.emit.op("ScatterElements", [zeros, ...flat], { axis: 0, reduction: "add" });
  return [c.emit.reshape(sum, dims)];
}

function averagePool(c: RuleContext): [string] {
  const [x, y] = [c.inputDims(0), c.outputDims()];
  const [wide, narrow] = [x.slice(2), y.slice(2)];
  const window = windowOf(c.node, getInts(c.node, "kernel_shape", []).map(Number), wide, narrow);
  const counts = windowCounts(window, wide, narrow, getInt(c.node, "count_include_pad", 0) !== 0);
  const even = counts.every((count) => count === counts[0]);
  const share = c.emit.mul(
    c.upstream,
    even
      ? c.scalar(1 / counts[0]!)
      : c.emit.constant(typed(c, [1, 1, ...narrow], counts.map((n) => 1 / n))),
  );
  if (tiles(window, wide, narrow)) return [c.emit.reshape(spread(c, share, narrow, window), x)];
  // Every channel is its own image, so one 1→1 kernel of ones serves all.
  const images = x[0]! * x[1]!;
  const ends = narrow.map((count, axis) =>
    Math.max(
      window.ends[axis]!,
      window.strides[axis]! * (count - 1) + extent(window, axis) - wide[axis]! -
        window.begins[axis]!,
    )
  );
  const upstreamDims = [images, 1, ...narrow];
  const weightDims = [1, 1, ...window.kernel];
  const result = scatterWindows(c.emit, {
    upstream: c.emit.reshape(share, upstreamDims),
    upstreamDims,
    weight: c.emit.full(weightDims, 1, c.type),
    weightDims,
    xDims: [images, 1, ...wide],
    window: { ...window, ends, group: 1 },
    type: c.type,
  });
  return [c.emit.reshape(result, x)];
}

/** Whether the windows cover the input exactly, side by side. */
function tiles(window: Window, wide: readonly number[], narrow: readonly number[]): boolean {
  return window.kernel.every((size, axis) =>
    size === window.strides[axis] && window.dilations[axis] === 1 && window.begins[axis] === 0 &&
    size * narrow[axis]! === wide[axis]
  );
}

/** Repeats every element over its window: `[N, C, a, b] → [N, C, a, k, b, k]`. */
function spread(
  c: RuleContext,
  share: string,
  narrow: readonly number[],
  { kernel }: Window,
): string {
  const lead = c.outputDims().slice(0, 2);
  const split = narrow.flatMap((size) => [size, 1]);
  const tiled = narrow.flatMap((size, axis) => [size, kernel[axis]!]);
  return c.emit.op("Expand", [
    c.emit.reshape(share, [...lead, ...split]),
    c.emit.ints([...lead, ...tiled]),
  ]);
}

/** How many elements each window averages over. */
function windowCounts(
  window: Window,
  wide: readonly number[],
  narrow: readonly number[],
  includePads: boolean,
): number[] {
  const perAxis = narrow.map((count, axis) =>
    Array.from({ length: count }, (_, position) => {
      const start = position * window.strides[axis]! - window.begins[axis]!;
      const low = includePads ? -window.begins[axis]! : 0;
      const high = wide[axis]! + (includePads ? window.ends[axis]! : 0);
      let inside = 0;
      for (let k = 0; k < window.kernel[axis]!; k++) {
        const at = start + k * window.dilations[axis]!;
        if (at >= low && at < high) inside++;
      }
      return inside;
    })
  );
  return perAxis.reduce((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
}

function typed(c: RuleContext, dims: readonly number[], values: number[]) {
  return c.type === "float32"
    ? float32(dims, values)
    : { type: "float64" as const, dims, data: Float64Array.from(values) };
}

/** Rules for MaxPool, AveragePool and the global pools. */
export const POOL: RuleTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (c) => {
    const dims = c.inputDims(0);
    const share = c.emit.mul(c.upstream, c.scalar(1 / elementCount(dims.slice(2))));
    return [c.emit.op("Expand", [share, c.emit.ints(dims)])];
  },
  GlobalMaxPool: (c) => {
    const mask = c.emit.op("Cast", [c.emit.op("Equal", [c.input(0), c.output()])], {
      to: c.type === "float32" ? 1 : 11,
    });
    const axes = c.inputDims(0).flatMap((_, axis) => axis < 2 ? [] : [axis]);
    const share = c.emit.div(c.upstream, c.emit.reduceSum(mask, axes, true));
    return [c.emit.mul(mask, share)];
  },
};
