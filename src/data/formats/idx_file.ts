/**
 * One idx file: a big-endian array with its type and shape in front (the format of MNIST).
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import { fileError, shown } from "../problems.ts";
import { fileSize, readRange, readWhole } from "../random_access.ts";
import { type Block, once, requireValues } from "./block.ts";
import { gunzip, gunzipStart, isGzip } from "./gzip.ts";
import { bytesPerNumber, type NumericType } from "./numbers.ts";

const TYPES: Readonly<Record<number, NumericType>> = {
  0x08: "uint8",
  0x09: "int8",
  0x0b: "int16",
  0x0c: "int32",
  0x0d: "float32",
  0x0e: "float64",
};

/** Enough of a file for its header, and for a gzip member's header before it. */
const START_BYTES = 65536;

/**
 * Opens an idx file, packed or not; its first dimension counts items.
 *
 * @throws {UserError} If it is not an idx file, or not as long as its header says.
 */
export function openIdx(path: string): Block {
  const size = fileSize(path);
  const start = readRange(path, 0, Math.min(size, START_BYTES));
  const packed = isGzip(start);
  const head = packed ? gunzipStart(path, start) : start;
  const type = head.length >= 4 && head[0] === 0 && head[1] === 0 ? TYPES[head[2]!] : undefined;
  if (type === undefined) {
    const found = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
    throw fileError(
      `File "${path}" is not an idx file: it starts with ${
        found.join(" ") || "nothing"
      }, expected 00 00, a type ` +
        "(08 for bytes) and the number of dimensions",
    );
  }
  const rank = head[3]!;
  const dataOffset = 4 + 4 * rank;
  if (rank === 0) throw fileError(`File "${path}" holds a single number, expected items`);
  if (head.length < dataOffset) {
    throw fileError(`File "${path}" is truncated in its header`, "Get the file again");
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const [count, ...itemDims] = dims as [number, ...number[]];
  requireValues(itemDims, `file "${path}"`);
  const expected = dataOffset + elementCount(dims) * bytesPerNumber(type);
  if (!packed && size !== expected) {
    throw fileError(
      `File "${path}" has ${size} bytes, expected ${expected} for ${type} of shape ${shown(dims)}` +
        (size < expected ? ": it is truncated" : ""),
      "Get the file again",
    );
  }
  // Deflate packs at most 1032 bytes into one, so a larger claim is a lie that must not be allocated.
  if (packed && expected > 1032 * size) {
    throw fileError(
      `File "${path}" claims shape ${shown(dims)}, which ${size} packed bytes cannot hold`,
      "Get the file again",
    );
  }
  return {
    type,
    bigEndian: true,
    count,
    dims: itemDims,
    storage: packed
      ? { load: once(() => gunzip(path, readWhole(path), expected).subarray(dataOffset)) }
      : { path, offset: dataOffset },
  };
}
