/**
 * Compressed bytes, unpacked only to the size that is expected of them.
 *
 * @module
 */

import { fileError } from "../problems.ts";

/** Node's zlib, which is loaded only for files that are compressed. */
const zlib = () => process.getBuiltinModule("node:zlib");

/** Whether some bytes start a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The first bytes of what a gzip file's first bytes unpack to. */
export function gunzipStart(path: string, start: Uint8Array): Uint8Array {
  const { gunzipSync, constants } = zlib();
  return unpack(path, () => gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH }));
}

/** The first bytes of what a deflated stream's first bytes unpack to. */
export function inflateStart(path: string, start: Uint8Array): Uint8Array {
  const { inflateRawSync, constants } = zlib();
  return unpack(path, () => inflateRawSync(start, { finishFlush: constants.Z_SYNC_FLUSH }));
}

/** Unpacks a gzip file to exactly `size` bytes. */
export function gunzip(path: string, bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return exactly(
    path,
    size,
    () => zlib().gunzipSync(bytes, { maxOutputLength: Math.max(size, 1) }),
  );
}

/** Unpacks a deflated stream to exactly `size` bytes. */
export function inflate(path: string, bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return exactly(
    path,
    size,
    () => zlib().inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) }),
  );
}

function exactly(path: string, size: number, action: () => Uint8Array): Uint8Array<ArrayBuffer> {
  const result = unpack(path, action);
  if (result.length !== size) {
    throw fileError(
      `File "${path}" is truncated: it unpacks to ${result.length} bytes, expected ${size}`,
      "Get the file again",
    );
  }
  return new Uint8Array(result.buffer as ArrayBuffer, result.byteOffset, result.length);
}

function unpack(path: string, action: () => Uint8Array): Uint8Array {
  try {
    return action();
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ERR_BUFFER_TOO_LARGE") {
      throw fileError(`File "${path}" holds more data than its header says`, "Get the file again");
    }
    throw fileError(
      `File "${path}" does not unpack: ${(error as Error).message}`,
      "Get the file again",
      error,
    );
  }
}
