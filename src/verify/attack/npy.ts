/**
 * Witnesses as NumPy files, so that any tool can replay them.
 *
 * @module
 */

import type { Tensor } from "../../onnx/tensor.ts";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  float64: "<f8",
  float32: "<f4",
  float16: "<f2",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  int64: "<i8",
};

/**
 * A tensor as the bytes of a `.npy` file, format version 1.0.
 *
 * @throws {TypeError} If NumPy has no such element type.
 */
export function encodeNpy({ type, dims, data }: Tensor): Uint8Array {
  const description = DESCRIPTIONS[type];
  if (description === undefined) throw new TypeError(`NumPy files cannot hold ${type}`);
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(", ")})`;
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': ${shape}, }`;
  // Magic, version and length take 10 bytes; the numbers begin at a multiple of 64.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const numbers = data as Float32Array;
  const bytes = new Uint8Array(10 + length + numbers.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, length & 0xff, length >> 8]);
  bytes.set(new TextEncoder().encode(text.padEnd(length - 1) + "\n"), 10);
  bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), 10 + length);
  return bytes;
}
