/**
 * Telling what is wrong with bytes that should be an ONNX model.
 *
 * @module
 */

import type { Problem } from "../base/errors.ts";

/** What well-known files begin with, at which byte. */
const SIGNATURES: readonly (readonly [offset: number, bytes: string, what: string])[] = [
  [0, "\x89PNG", "a PNG image"],
  [0, "\xff\xd8\xff", "a JPEG image"],
  [0, "GIF8", "a GIF image"],
  [0, "PK\x03\x04", "a ZIP archive (as PyTorch and Keras save their models)"],
  [0, "\x1f\x8b", "a gzip archive"],
  [0, "\x28\xb5\x2f\xfd", "a Zstandard archive"],
  [0, "\x89HDF", "an HDF5 file (as Keras saves its models)"],
  [0, "\x93NUMPY", "a NumPy array"],
  [0, "\x80\x02", "a Python pickle (as PyTorch saves its models)"],
  [0, "%PDF", "a PDF document"],
  [0, "\x7fELF", "a program"],
  [4, "TFL3", "a TensorFlow Lite model"],
  [4, "ORTM", "a model in ONNX Runtime's own ORT format"],
];

/** The wire type of each field of `ModelProto`: 0 varint, 2 length-delimited. */
const MODEL_FIELDS: ReadonlyMap<number, number> = new Map([
  [1, 0],
  [2, 2],
  [3, 2],
  [4, 2],
  [5, 0],
  [6, 2],
  [7, 2],
  [8, 2],
  [14, 2],
  [20, 2],
  [25, 2],
  [26, 2],
]);

/**
 * What keeps bytes from being an ONNX model, found by looking at their outermost structure only.
 *
 * @param name How messages name the file.
 * @returns `undefined` when the outermost structure is that of a whole model.
 */
export function findFormProblem(bytes: Uint8Array, name: string): Problem | undefined {
  if (bytes.length === 0) return { message: `${name} is empty` };
  const known = SIGNATURES.find(([offset, text]) => startsWith(bytes, offset, text));
  if (known !== undefined) return notOnnx(name, `it is ${known[2]}`);
  if (startsWith(bytes, 0, "version https://git-lfs")) {
    return {
      message: `${name} is a Git LFS pointer, not the model itself`,
      hint: "Run `git lfs pull` to get the model",
    };
  }
  if (isText(bytes)) return notOnnx(name, "it is a text file");

  let offset = 0;
  let fields = 0;
  const seen = new Set<number>();
  while (offset < bytes.length) {
    const tag = readVarint(bytes, offset);
    if (tag === undefined) return fields > 0 ? truncated(name, bytes) : notOnnx(name);
    const field = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    const expected = MODEL_FIELDS.get(field);
    const plausible = expected === undefined
      ? fields > 0 && field > 0 && [0, 1, 2, 5].includes(wireType)
      : expected === wireType;
    if (!plausible) return notOnnx(name);
    offset = tag.end;
    if (wireType === 1 || wireType === 5) {
      offset += wireType === 1 ? 8 : 4;
    } else {
      const value = readVarint(bytes, offset);
      if (value === undefined) return fields > 0 ? truncated(name, bytes) : notOnnx(name);
      offset = value.end + (wireType === 2 ? value.value : 0);
    }
    if (offset > bytes.length) {
      // A first field that is already too long says more about the form than about the length.
      return fields > 0 || field === 7 ? truncated(name, bytes, offset) : notOnnx(name);
    }
    seen.add(field);
    fields++;
  }
  if (seen.has(7) && seen.has(8)) return undefined;
  if (!seen.has(1)) return notOnnx(name);
  return truncated(name, bytes);
}

function notOnnx(name: string, because?: string): Problem {
  return {
    message: `${name} is not an ONNX model${because ? `: ${because}` : ""}`,
    hint: "Export the network to ONNX first, for example with torch.onnx.export or tf2onnx",
  };
}

function truncated(name: string, bytes: Uint8Array, expected?: number): Problem {
  const length = `${bytes.length} bytes`;
  return {
    message: `${name} is a truncated ONNX model: it ends after ${length}` +
      (expected === undefined ? "" : ` of at least ${expected}`),
    hint: "Download or export it again",
  };
}

function startsWith(bytes: Uint8Array, offset: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[offset + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether the first kilobyte holds only printable characters; a model's field tags are control characters. */
function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 1024);
  return head.every((byte) => byte >= 0x20 && byte !== 0x7f || byte >= 9 && byte <= 13) &&
    head.some((byte) => byte < 0x80);
}

function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return undefined;
}
