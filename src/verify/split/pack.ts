/**
 * Bounds of a box in the form in which its parts inherit them: float32, rounded outward.
 *
 * @module
 */

import { BOUND_FIELDS, type ValueBounds } from "../bounds/batch.ts";
import { type PairedNetwork, sizeOf, type ValueNumber } from "../network/network.ts";

/** Which values are packed, and how many numbers a box takes. */
export interface PackLayout {
  readonly values: readonly ValueNumber[];
  readonly sizes: readonly number[];
  readonly length: number;
}

/** The layout for some values of a network. */
export function packLayout(network: PairedNetwork, values: Iterable<ValueNumber>): PackLayout {
  const list = [...values];
  const sizes = list.map((value) => sizeOf(network, value));
  const length = sizes.reduce((total, size) => total + size, 0) * BOUND_FIELDS.length;
  return { values: list, sizes, length };
}

/** Packs the bounds of every box of a batch: [boxes × length]. */
export function packBounds(
  layout: PackLayout,
  boxes: number,
  bounds: ReadonlyMap<ValueNumber, ValueBounds>,
): Float32Array<ArrayBuffer> {
  const { length, values, sizes } = layout;
  const packed = new Float32Array(boxes * length);
  let start = 0;
  for (let which = 0; which < values.length; which++) {
    const size = sizes[which]!;
    for (const field of BOUND_FIELDS) {
      pack(
        bounds.get(values[which]!)![field],
        size,
        field.endsWith("Lower"),
        packed,
        start,
        length,
      );
      start += size;
    }
  }
  return packed;
}

/** Views of the bounds of one box, by value, in numbers that are packed one by one. */
export function boundViews({ sizes }: PackLayout, numbers: Float64Array): ValueBounds[] {
  let start = 0;
  return sizes.map((size) => {
    const views = BOUND_FIELDS.map((field) => {
      const view = numbers.subarray(start, start + size);
      start += size;
      return [field, view] as const;
    });
    return Object.fromEntries(views) as unknown as ValueBounds;
  });
}

/** By number of a box, whether it is a lower bound (−1) or an upper one (1). */
export function waysOf({ sizes }: PackLayout): Float64Array {
  return Float64Array.from(
    sizes.flatMap((size) =>
      BOUND_FIELDS.flatMap((field) =>
        new Array<number>(size).fill(field.endsWith("Lower") ? -1 : 1)
      )
    ),
  );
}

/** Packs the numbers of one box; see {@linkcode boundViews}. */
export function packBox(
  numbers: Float64Array,
  ways: Float64Array,
  packed: Float32Array,
  start: number,
): void {
  for (let at = 0; at < numbers.length; at++) {
    const exact = numbers[at]!, way = ways[at]!;
    const moved = exact === 0 ? 0 : exact + way * (STEP * Math.abs(exact) + TINY);
    packed[start + at] = way < 0 ? Math.min(moved, MOST) : Math.max(moved, -MOST);
  }
}

/** One float32 step further out than the nearest number, and past zero where that is needed. */
function pack(
  data: Float64Array,
  size: number,
  isLower: boolean,
  packed: Float32Array,
  start: number,
  stride: number,
): void {
  const [step, tiny] = isLower ? [-STEP, -TINY] : [STEP, TINY];
  for (let from = 0, to = start; from < data.length; to += stride) {
    for (let at = 0; at < size; at++, from++) {
      const exact = data[from]!;
      const moved = exact === 0 ? 0 : exact + step * Math.abs(exact) + tiny;
      packed[to + at] = isLower ? Math.min(moved, MOST) : Math.max(moved, -MOST);
    }
  }
}

/** Of a float32 number, at most. */
const STEP = 2 ** -23;

/** Smaller than anything a bound is about, and larger than the spacing of float32 numbers next to zero. */
const TINY = 1e-40;

/** The largest float32: what is beyond it becomes infinite, which rounds inward where a number is beyond on both sides. */
const MOST = (2 - 2 ** -23) * 2 ** 127;

/** The bounds that boxes inherit, from [boxes × length]. */
export function unpackBounds(
  layout: PackLayout,
  boxes: number,
  packed: Float32Array,
): Map<ValueNumber, ValueBounds> {
  const { length, values, sizes } = layout;
  const result = new Map<ValueNumber, ValueBounds>();
  let start = 0;
  for (let which = 0; which < values.length; which++) {
    const size = sizes[which]!;
    const bounds: Partial<Record<keyof ValueBounds, Float64Array>> = {};
    for (const field of BOUND_FIELDS) {
      const data = new Float64Array(boxes * size);
      for (let to = 0, from = start; to < data.length; from += length) {
        for (let at = 0; at < size; at++, to++) data[to] = packed[from + at]!;
      }
      bounds[field] = data;
      start += size;
    }
    result.set(values[which]!, bounds as ValueBounds);
  }
  return result;
}
