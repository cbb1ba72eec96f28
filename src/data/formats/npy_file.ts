/**
 * One NumPy array file (`.npy`, format versions 1 to 3).
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import { capital, counted, fileError, shown } from "../problems.ts";
import { fileSize, readRange } from "../random_access.ts";
import { type Block, once, requireValues } from "./block.ts";
import { bytesPerNumber, type NumericType } from "./numbers.ts";

/** What a file's header says. */
export interface NpyHeader {
  readonly type: NumericType;
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly dims: readonly number[];
  /** Where the numbers start. */
  readonly offset: number;
}

const TYPES: Readonly<Record<string, NumericType>> = {
  b1: "bool",
  u1: "uint8",
  i1: "int8",
  u2: "uint16",
  i2: "int16",
  u4: "uint32",
  i4: "int32",
  u8: "uint64",
  i8: "int64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];

/** NumPy itself refuses longer headers, because Python's parser is slow on them. */
const MOST_HEADER_BYTES = 65536;

/** As many bytes of a file as a header can have. */
export const NPY_START_BYTES = MOST_HEADER_BYTES + 12;

/**
 * Opens an array; its first dimension counts items.
 *
 * @throws {UserError} If it is not an array of numbers, or not as long as its header says.
 */
export function openNpy(path: string): Block {
  const size = fileSize(path);
  const name = `file "${path}"`;
  const header = parseNpyHeader(readRange(path, 0, Math.min(size, NPY_START_BYTES)), name);
  checkSize(header, size, name);
  return npyBlock(header, name, { path, offset: header.offset });
}

/** @throws {UserError} If an array does not have exactly the size that its header says. */
export function checkSize(header: NpyHeader, size: number, name: string): void {
  const expected = header.offset + elementCount(header.dims) * bytesPerNumber(header.type);
  if (size === expected) return;
  throw fileError(
    `${capital(name)} has ${
      counted(size, "byte")
    }, expected ${expected} for ${header.type} of shape ` +
      `${shown(header.dims)}${size < expected ? ": it is truncated" : ""}`,
    "Write the array again with numpy.save",
  );
}

/**
 * The items of an array.
 *
 * @param storage Where the numbers are.
 */
export function npyBlock(header: NpyHeader, name: string, storage: Block["storage"]): Block {
  const [count, ...dims] = header.dims;
  if (count === undefined) {
    throw fileError(`${capital(name)} holds a single number, expected items`);
  }
  requireValues(dims, name);
  const block = { type: header.type, bigEndian: header.bigEndian, count, dims, storage };
  if (!header.fortran || header.dims.filter((dim) => dim > 1).length < 2) return block;
  const load = () => {
    if ("load" in storage) return storage.load();
    const bytes = elementCount(header.dims) * bytesPerNumber(header.type);
    return readRange(storage.path, storage.offset, bytes);
  };
  return {
    ...block,
    storage: { load: once(() => rowMajor(load(), header.dims, bytesPerNumber(header.type))) },
  };
}

/** @throws {UserError} If the bytes do not start an array of numbers. */
export function parseNpyHeader(start: Uint8Array, name: string): NpyHeader {
  if (!MAGIC.every((byte, index) => start[index] === byte)) {
    throw fileError(
      `${capital(name)} is not a NumPy array (.npy): it does not start with \\x93NUMPY`,
    );
  }
  const major = start[6] ?? 0;
  if (major < 1 || major > 3) {
    throw fileError(
      `${capital(name)} is a NumPy array of format version ${major}, expected 1, 2 or 3`,
    );
  }
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const textStart = major === 1 ? 10 : 12;
  const truncated = () =>
    fileError(`${capital(name)} is truncated in its header`, "Get the file again");
  if (start.length < textStart) throw truncated();
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MOST_HEADER_BYTES) {
    throw fileError(
      `${capital(name)} has a header of ${length} bytes, expected at most ${MOST_HEADER_BYTES}`,
    );
  }
  const offset = textStart + length;
  if (start.length < offset) throw truncated();
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(
    start.subarray(textStart, offset),
  );
  const description = /'descr'\s*:\s*(?:'([^']*)'|(\S[^:]*),)/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text);
  if (description === null || order === null || shape === null) {
    throw fileError(
      `${capital(name)} has a header that NumPy does not write: ${text.trim().slice(0, 100)}`,
    );
  }
  const code = description[1] ?? description[2]!;
  const type = TYPES[code.slice(1)];
  if (type === undefined || !"<>|=".includes(code[0]!)) {
    throw fileError(
      `${capital(name)} holds elements of type ${code}, expected numbers or booleans`,
      "Save it with numpy.save as a plain numeric array, such as array.astype('float32')",
    );
  }
  const dims = shape[1]!.split(",").map((part) => part.trim()).filter((part) => part !== "")
    .map((part) => Number(part.replace(/L$/, "")));
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw fileError(`${capital(name)} has a shape that is not one: (${shape[1]})`);
  }
  return { type, bigEndian: code[0] === ">", fortran: order[1] === "True", dims, offset };
}

/** Reorders a column-major array (first index fastest) so that its items come one after the other. */
function rowMajor(
  bytes: Uint8Array<ArrayBuffer>,
  dims: readonly number[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(bytes.length);
  const strides = dims.map((_, axis) => elementCount(dims.slice(0, axis)));
  const index = new Array<number>(dims.length).fill(0);
  const total = bytes.length / size;
  let from = 0;
  for (let to = 0; to < total; to++) {
    for (let byte = 0; byte < size; byte++) into[to * size + byte] = bytes[from * size + byte]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
  return into;
}
