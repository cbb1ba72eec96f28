/**
 * PNG files. The only importer of `fast-png`.
 *
 * @module
 */

import { convertIndexedToRgb, decode, encode } from "fast-png";
import { fileError } from "../problems.ts";
import type { Picture } from "../source.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether some bytes start a PNG file. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/**
 * Decodes a PNG file. 16-bit samples keep their high byte, as in Pillow.
 *
 * @param name The file, for messages.
 * @throws {UserError} If it is truncated or damaged.
 */
export function decodePng(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Picture> {
  requireReasonable(bytes, name);
  try {
    return Promise.resolve(picture(bytes));
  } catch (error) {
    throw fileError(
      `Picture "${name}" is damaged: ${(error as Error).message}`,
      "Replace or remove the file",
      error,
    );
  }
}

/** The bytes of a PNG file: rows from the top, 8 bits a sample, gray or RGB. */
export function encodePng(
  image: { width: number; height: number; channels: number; data: Uint8Array },
): Uint8Array {
  return encode(image);
}

function picture(bytes: Uint8Array): Picture {
  const image = decode(bytes, { checkCrc: true });
  const { width, height, depth } = image;
  if (image.palette !== undefined) {
    const colours = image.palette[0]?.length ?? 3;
    const data = convertIndexedToRgb(image);
    return view(new Uint8Array(data), height, width, colours);
  }
  return view(toBytes(image.data, depth, width, image.channels), height, width, image.channels);
}

/** Gray or colour pixels; an alpha channel is skipped over. */
function view(data: Uint8Array, height: number, width: number, channels: number): Picture {
  if (data.length !== height * width * channels) throw new RangeError("It has too few pixels");
  return {
    data,
    height,
    width,
    channels: channels < 3 ? 1 : 3,
    offset: 0,
    row: width * channels,
    pixel: channels,
    plane: 1,
  };
}

function toBytes(
  data: Uint8Array | Uint8ClampedArray | Uint16Array,
  depth: number,
  width: number,
  channels: number,
): Uint8Array {
  if (depth === 16) return Uint8Array.from(data, (value) => value >> 8);
  if (depth === 8) return new Uint8Array(data);
  return unpackGray(data, depth, width * channels);
}

/** Samples of 1, 2 or 4 bits, rows padded to whole bytes, spread over 0 … 255. */
function unpackGray(data: ArrayLike<number>, depth: number, width: number): Uint8Array {
  const rowBytes = Math.ceil(width * depth / 8);
  const rows = Math.floor(data.length / rowBytes);
  const mask = (1 << depth) - 1;
  const into = new Uint8Array(rows * width);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * rowBytes + (bit >> 3)]!;
      into[y * width + x] = ((byte >> (8 - depth - (bit & 7))) & mask) * (255 / mask);
    }
  }
  return into;
}

/** A few bytes can claim 2³¹ pixels a side; deflate packs at most 1032 bytes into one. */
function requireReasonable(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  if (bytes.length < 33) {
    throw fileError(
      `Picture "${name}" is damaged: it ends in its header`,
      "Replace or remove the file",
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const possible = Math.min(8 * 1032 * bytes.length, 1 << 28);
  if (width > 0 && height > 0 && width * height <= possible) return;
  throw fileError(
    `Picture "${name}" claims ${height}×${width} pixels in ${bytes.length} bytes`,
    "Replace or remove the file",
  );
}
