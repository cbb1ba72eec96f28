/**
 * Writing NumPy archives. Equal arrays give equal bytes.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Tensor } from "../../onnx/tensor.ts";

const DESCRIPTIONS = { float32: "<f4", float64: "<f8", int32: "<i4", uint8: "|u1" } as const;
/** Headers of arrays end at a multiple of this. */
const ALIGNMENT = 64;
/** The first moment that a zip file can name: 1 January 1980. */
const DATE = 0x21;

/**
 * The bytes of a NumPy archive (`.npz`), not compressed.
 *
 * @param arrays By name.
 * @throws {TypeError} If an array is of a type that is not written.
 */
export function encodeNpz(arrays: Readonly<Record<string, Tensor>>): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const file = new TextEncoder().encode(`${name}.npy`);
    const content = encodeNpy(array);
    const common = new Uint8Array(26);
    const view = new DataView(common.buffer);
    view.setUint16(0, 20, true);
    view.setUint16(8, DATE, true);
    view.setUint32(10, crc32(content), true);
    view.setUint32(14, content.length, true);
    view.setUint32(18, content.length, true);
    view.setUint16(22, file.length, true);
    parts.push(signature(0x04034b50), common, file, content);
    const entry = new Uint8Array(14);
    new DataView(entry.buffer).setUint32(10, offset, true);
    directory.push(signature(0x02014b50), Uint8Array.of(20, 0), common, entry, file);
    offset += 4 + common.length + file.length + content.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = new Uint8Array(18);
  const view = new DataView(end.buffer);
  const count = Object.keys(arrays).length;
  view.setUint16(4, count, true);
  view.setUint16(6, count, true);
  view.setUint32(8, size, true);
  view.setUint32(12, offset, true);
  return joined([...parts, ...directory, signature(0x06054b50), end]);
}

/** The bytes of a NumPy array file (`.npy`), format version 1. */
function encodeNpy({ type, dims, data }: Tensor): Uint8Array<ArrayBuffer> {
  const description = DESCRIPTIONS[type as keyof typeof DESCRIPTIONS];
  if (description === undefined) throw new TypeError(`An array of ${type} is not written`);
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(", ")})`;
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT - 10;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return joined([
    Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, length & 255, length >> 8),
    header,
    new Uint8Array(buffer, byteOffset, byteLength),
  ]);
}

function signature(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
