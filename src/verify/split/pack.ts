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
): Float32Array {
  const packed = new Float32Array(boxes * layout.length);
  let start = 0;
  layout.values.forEach((value, which) => {
    const size = layout.sizes[which]!;
    for (const field of BOUND_FIELDS) {
      const data = bounds.get(value)![field];
      // One float32 step further out than the nearest number, and past zero where that is needed.
      const outward = field.endsWith("Lower") ? -1 : 1;
      for (let box = 0; box < boxes; box++) {
        const to = box * layout.length + start;
        for (let at = 0; at < size; at++) {
          const exact = data[box * size + at]!;
          packed[to + at] = exact + outward * Math.abs(exact) * 2 ** -23 +
            outward * TINY * (exact === 0 ? 0 : 1);
        }
      }
      start += size;
    }
  });
  return packed;
}

/** Smaller than anything a bound is about, and larger than the spacing of float32 numbers next to zero. */
const TINY = 1e-40;

/** The bounds that boxes inherit: box i those of pack `parents[i]`. */
export function unpackBounds(
  layout: PackLayout,
  packs: readonly Float32Array[],
): Map<ValueNumber, ValueBounds> {
  const result = new Map<ValueNumber, ValueBounds>();
  let start = 0;
  layout.values.forEach((value, which) => {
    const size = layout.sizes[which]!;
    const fields = BOUND_FIELDS.map((field) => {
      const data = new Float64Array(packs.length * size);
      packs.forEach((pack, box) => data.set(pack.subarray(start, start + size), box * size));
      start += size;
      return [field, data] as const;
    });
    result.set(value, Object.fromEntries(fields) as unknown as ValueBounds);
  });
  return result;
}
