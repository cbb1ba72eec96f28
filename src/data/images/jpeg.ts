/**
 * JPEG files, decoded by MozJPEG in WebAssembly. The only importer of the package.
 *
 * @module
 */

import { fileURLToPath } from "../../base/path.ts";
import createDecoder from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import { fileError } from "../problems.ts";
import type { Picture } from "../source.ts";

/** The part of the decoder's module that is used. */
interface Decoder {
  /** @returns Four channels a pixel. */
  decode(bytes: ArrayBuffer, applyOrientation: boolean): ImageData | null;
}

/** How the decoder's module is made: a compiled module in, what it prints to us. */
type CreateDecoder = (options: {
  readonly noInitialRun: boolean;
  readonly instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
  readonly printErr: (text: string) => void;
}) => Promise<Decoder>;

/** What the decoder says about the picture in hand; it carries on after most damage. */
let complaints: string[] = [];
let decoder: Promise<Decoder> | undefined;
let compiled: Promise<WebAssembly.Module> | undefined;

/** Whether some bytes start a JPEG file. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/**
 * Decodes a JPEG file, turned upright as its EXIF data says.
 *
 * @param name The file, for messages.
 * @throws {UserError} If it is truncated, damaged, or of a kind that is not supported (CMYK, arithmetic coding).
 */
export async function decodeJpeg(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Picture> {
  const gray = channelsOf(bytes, name) === 1;
  const { decode } = await (decoder ??= load());
  complaints = [];
  let image: ImageData | null = null;
  let cause: unknown;
  try {
    const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
    image = decode(whole ? bytes.buffer : bytes.slice().buffer, true);
  } catch (error) {
    cause = error;
  }
  if (image === null || complaints.length > 0) {
    // Damage can leave the decoder's memory in disorder: the next picture gets a new one.
    decoder = undefined;
    const reason = complaints.join("; ") || "it does not decode";
    throw fileError(`Picture "${name}" is damaged: ${reason}`, "Replace or remove the file", cause);
  }
  const { data, height, width } = image;
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    height,
    width,
    channels: gray ? 1 : 3,
    offset: 0,
    row: 4 * width,
    pixel: 4,
    plane: 1,
  };
}

async function load(): Promise<Decoder> {
  const module = await (compiled ??= compile());
  const create = createDecoder as unknown as CreateDecoder;
  return await create({
    noInitialRun: true,
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
    printErr: (text) => complaints.push(text),
  });
}

async function compile(): Promise<WebAssembly.Module> {
  const file = fileURLToPath(import.meta.resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"));
  return await WebAssembly.compile(await Deno.readFile(file));
}

/** The number of components in the frame header; the decoder gives four channels for any. */
function channelsOf(bytes: Uint8Array, name: string): number {
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 &&
      marker !== 0xcc;
    if (isFrame && at + 10 <= bytes.length) {
      const height = bytes[at + 5]! * 256 + bytes[at + 6]!;
      const width = bytes[at + 7]! * 256 + bytes[at + 8]!;
      const channels = bytes[at + 9]!;
      requireReasonable(height, width, bytes.length, name);
      if (channels === 1 || channels === 3) return channels;
      throw fileError(
        `Picture "${name}" has ${channels} colour components (CMYK), expected 1 or 3`,
        "Convert it to RGB",
      );
    }
    at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  throw fileError(
    `Picture "${name}" is damaged: it has no frame header`,
    "Replace or remove the file",
  );
}

/** A progressive file of few bytes can claim 65535² pixels: 17 GB. */
function requireReasonable(height: number, width: number, bytes: number, name: string): void {
  // The best a JPEG can do is a few hundred pixels a byte: one bit for each 8×8 block of three components.
  const possible = Math.max(1 << 20, 4096 * bytes);
  if (height > 0 && width > 0 && height * width <= Math.min(possible, 1 << 28)) return;
  throw fileError(
    `Picture "${name}" claims ${height}×${width} pixels in ${bytes} bytes`,
    "Replace or remove the file",
  );
}
