/**
 * Which elements of a tensor share a scale.
 *
 * @module
 */

import { elementCount } from "../onnx/tensor.ts";

/** How finely scales are given. */
export type Granularity = "tensor" | "channel" | "group";

/** The axis and block size of scales; neither for one scale a tensor. */
export interface ScaleAxis {
  /** Negative counts from the end. */
  readonly axis?: number;
  /** Elements along the axis that share a scale. */
  readonly blockSize?: number;
}

/** A tensor divided at the axis of its scales: `[outer, length, inner]`. */
export interface AxisDivision {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Divides a shape at an axis; a shape without one is a single row. */
export function divideAtAxis(dims: readonly number[], axis: number | undefined): AxisDivision {
  if (axis === undefined) return { outer: 1, length: 1, inner: elementCount(dims) };
  const at = axis < 0 ? axis + dims.length : axis;
  const length = dims[at];
  if (length === undefined) {
    throw new RangeError(`Axis ${axis} does not exist in shape [${dims}]`);
  }
  return {
    outer: elementCount(dims.slice(0, at)),
    length,
    inner: elementCount(dims.slice(at + 1)),
  };
}

/**
 * The shape of a tensor's scales: `[]`, `[channels]`, or the tensor's own with its axis divided into blocks.
 *
 * @throws {RangeError} If the axis does not exist, or the block size is not a positive integer.
 */
export function scaleDims(dims: readonly number[], { axis, blockSize }: ScaleAxis): number[] {
  if (axis === undefined) return [];
  const { length } = divideAtAxis(dims, axis);
  if (blockSize === undefined) return [length];
  if (!Number.isInteger(blockSize) || blockSize < 1) {
    throw new RangeError(`Block size must be an integer ≥ 1: current value is ${blockSize}`);
  }
  const blocked = [...dims];
  blocked[axis < 0 ? axis + dims.length : axis] = Math.ceil(length / blockSize);
  return blocked;
}

/**
 * Goes through a tensor in runs of consecutive elements: from `start`, `length` elements of which the first has
 * the scale `scale` and each next one the scale `step` further on (0 or 1).
 *
 * @throws {RangeError} If the number of scales does not fit the shape.
 */
export function forEachRun(
  dims: readonly number[],
  parameters: ScaleAxis & { readonly scale: { readonly length: number } },
  visit: (start: number, length: number, scale: number, step: 0 | 1) => void,
): void {
  const { axis, blockSize } = parameters;
  const expected = elementCount(scaleDims(dims, parameters));
  if (parameters.scale.length !== expected) {
    throw new RangeError(
      `Shape [${dims}] needs ${expected} scales: current value has ${parameters.scale.length}`,
    );
  }
  const { outer, length, inner } = divideAtAxis(dims, axis);
  if (axis === undefined || blockSize === undefined) {
    const rows = outer * length;
    if (inner === 1) {
      for (let row = 0; row < outer; row++) visit(row * length, length, 0, 1);
    } else for (let row = 0; row < rows; row++) visit(row * inner, inner, row % length, 0);
    return;
  }
  const blocks = Math.ceil(length / blockSize);
  for (let row = 0; row < outer * length; row++) {
    const position = row % length;
    const block = (row - position) / length * blocks + Math.floor(position / blockSize);
    if (inner > 1) visit(row * inner, inner, block * inner, 1);
    else if (position % blockSize === 0) {
      visit(row, Math.min(blockSize, length - position), block, 0);
    }
  }
}

/**
 * For every scale, the elements that share it, as `count` rows of `run` consecutive elements, `stride` apart.
 *
 * @returns In the order of the scales.
 */
export function elementsByScale(
  dims: readonly number[],
  { axis, blockSize }: ScaleAxis,
): ElementRows[] {
  const { outer, length, inner } = divideAtAxis(dims, axis);
  const list: ElementRows[] = [];
  if (axis === undefined || blockSize === undefined) {
    for (let channel = 0; channel < length; channel++) {
      list.push({ start: channel * inner, run: inner, count: outer, stride: length * inner });
    }
    return list;
  }
  for (let row = 0; row < outer; row++) {
    for (let from = 0; from < length; from += blockSize) {
      const count = Math.min(blockSize, length - from);
      const start = (row * length + from) * inner;
      for (let column = 0; column < inner; column++) {
        list.push({ start: start + column, run: 1, count, stride: inner });
      }
    }
  }
  return list;
}

/** Rows of consecutive elements. */
export interface ElementRows {
  readonly start: number;
  /** Elements in a row. */
  readonly run: number;
  /** Rows. */
  readonly count: number;
  /** Elements between the beginnings of rows. */
  readonly stride: number;
}

/** The elements in one array. */
export function gatherRows(
  data: Float32Array,
  { start, run, count, stride }: ElementRows,
): Float32Array {
  if (run === stride || count === 1) return data.subarray(start, start + run * count);
  const gathered = new Float32Array(run * count);
  for (let row = 0, at = start, to = 0; row < count; row++, at += stride) {
    for (let i = at; i < at + run; i++) gathered[to++] = data[i]!;
  }
  return gathered;
}
