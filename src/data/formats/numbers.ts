/**
 * Numbers as bytes of files.
 *
 * @module
 */

import type { RawArray } from "../source.ts";

/** The element types that numeric files have. */
export type NumericType =
  | "bool"
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "uint64"
  | "int64"
  | "float16"
  | "float32"
  | "float64";

const ARRAYS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float16: Float16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Bytes that one number takes. */
export function bytesPerNumber(type: NumericType): number {
  return ARRAYS[type].BYTES_PER_ELEMENT;
}

/** An array for `length` numbers, all zero. */
export function zeros(type: NumericType, length: number): RawArray {
  return new ARRAYS[type](length);
}

/** The numbers in some bytes; the bytes may be reused or reordered in place. */
export function numbers(
  type: NumericType,
  bytes: Uint8Array<ArrayBuffer>,
  bigEndian: boolean,
): RawArray {
  const size = bytesPerNumber(type);
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  if (bigEndian && size > 1) swapBytes(aligned, size);
  return new ARRAYS[type](aligned.buffer, aligned.byteOffset, aligned.length / size);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      const kept = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = kept;
    }
  }
}

/**
 * Numbers as labels: whole, not negative, at most 31 bits.
 *
 * @returns The labels, or the index of the first number that is no label.
 */
export function asLabels(values: RawArray): Int32Array | { readonly wrong: number } {
  const labels = new Int32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = Number(values[index]);
    if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) return { wrong: index };
    labels[index] = value;
  }
  return labels;
}
