/**
 * Decoding of pictures, by what their bytes say they are; names of files are often wrong.
 *
 * @module
 */

import { fileError } from "../problems.ts";
import type { Picture } from "../source.ts";
import { decodeJpeg, isJpeg } from "./jpeg.ts";
import { decodePng, isPng } from "./png.ts";

/**
 * Decodes a JPEG or PNG file to bytes of 1 or 3 channels. Transparency is dropped.
 *
 * @param name The file, for messages.
 * @throws {UserError} If it is no JPEG or PNG file, or is damaged.
 */
export function decodeImage(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Picture> {
  if (isJpeg(bytes)) return decodeJpeg(bytes, name);
  if (isPng(bytes)) return decodePng(bytes, name);
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
  throw fileError(
    bytes.length === 0
      ? `File "${name}" is empty`
      : `File "${name}" is not a JPEG or PNG picture: it starts with ${start.join(" ")}`,
    "Convert it to PNG, or remove it",
  );
}
