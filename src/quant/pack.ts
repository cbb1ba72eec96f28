/**
 * Packing integers that are narrower than a byte, low bits first.
 *
 * For 2 and 4 bits this is how ONNX stores int2, uint2, int4 and uint4 tensors. For other widths it is a dense
 * stream of bits, as a file format made for that width would use: the basis of exact sizes.
 *
 * @module
 */

import { elementCount, type Tensor, tensor } from "../onnx/tensor.ts";
import type { Grid, QuantizedValues } from "./grid.ts";

/** The integer types that ONNX quantizes to. */
export type QuantizedType =
  | "int2"
  | "uint2"
  | "int4"
  | "uint4"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16";

/** Bytes that `count` values take when packed. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil(count * bits / 8);
}

/**
 * Packs integers into a dense little-endian stream of bits.
 *
 * @param values Signed or unsigned; negative ones in two's complement.
 * @param bits 1 … 16.
 * @throws {RangeError} If a value does not fit the width.
 */
export function pack(values: ArrayLike<number>, bits: number): Uint8Array<ArrayBuffer> {
  checkBits(bits);
  const bytes = new Uint8Array(packedBytes(values.length, bits));
  const limit = 2 ** bits;
  const mask = limit - 1;
  let pending = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!(value >= -limit / 2 && value < limit)) {
      throw new RangeError(`Value ${value} does not fit into ${bits} bits`);
    }
    pending |= (value & mask) << held;
    held += bits;
    while (held >= 8) {
      bytes[at++] = pending;
      pending >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) bytes[at] = pending;
  return bytes;
}

/**
 * The integers that {@linkcode pack} packed.
 *
 * @throws {RangeError} If there are fewer bytes than `count` values take.
 */
export function unpack(
  bytes: Uint8Array,
  bits: number,
  signed: boolean,
  count: number,
): QuantizedValues {
  checkBits(bits);
  if (bytes.length < packedBytes(count, bits)) {
    throw new RangeError(
      `${count} values of ${bits} bits take ${packedBytes(count, bits)} bytes: ` +
        `current value has ${bytes.length}`,
    );
  }
  const values = bits <= 8
    ? signed ? new Int8Array(count) : new Uint8Array(count)
    : signed
    ? new Int16Array(count)
    : new Uint16Array(count);
  const mask = 2 ** bits - 1;
  const shift = signed ? 32 - bits : 0;
  let pending = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < count; index++) {
    while (held < bits) {
      pending |= bytes[at++]! << held;
      held += 8;
    }
    values[index] = (pending & mask) << shift >> shift;
    pending >>>= bits;
    held -= bits;
  }
  return values;
}

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 16) {
    throw new RangeError(`bits must be an integer from 1 to 16: current value is ${bits}`);
  }
}

/** The narrowest ONNX integer type that holds a grid's integers. */
export function nativeType({ bits, signed }: Pick<Grid, "bits" | "signed">): QuantizedType {
  const width = bits <= 2 ? 2 : bits <= 4 ? 4 : bits <= 8 ? 8 : 16;
  return `${signed ? "" : "u"}int${width}`;
}

/** Whether values of a type are stored more than one a byte. */
export function isPacked(type: QuantizedType): type is "int2" | "uint2" | "int4" | "uint4" {
  return type === "int2" || type === "uint2" || type === "int4" || type === "uint4";
}

/**
 * An ONNX tensor of integers, packed where its type is.
 *
 * @param values One integer each, not packed.
 * @throws {RangeError} If a value does not fit the type, or there are not as many as the shape says.
 */
export function integerTensor(
  type: QuantizedType,
  dims: readonly number[],
  values: ArrayLike<number>,
): Tensor<QuantizedType> {
  if (values.length !== elementCount(dims)) {
    throw new RangeError(
      `Shape [${dims}] has ${elementCount(dims)} values: current value has ${values.length}`,
    );
  }
  const signed = !type.startsWith("u");
  const bits = Number(type.replace(/^u?int/, ""));
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = low + 2 ** bits - 1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!(value >= low && value <= high)) {
      throw new RangeError(`Value ${value} does not fit into ${type}`);
    }
  }
  if (isPacked(type)) return tensor(type, dims, pack(values, bits));
  switch (type) {
    case "int8":
      return tensor(type, dims, Int8Array.from(values));
    case "uint8":
      return tensor(type, dims, Uint8Array.from(values));
    case "int16":
      return tensor(type, dims, Int16Array.from(values));
    case "uint16":
      return tensor(type, dims, Uint16Array.from(values));
  }
}

/**
 * The integers of an ONNX tensor, unpacked: one element each.
 *
 * @throws {TypeError} If the tensor is not of an integer type of at most 32 bits.
 */
export function integerValues(tensor: Tensor): QuantizedValues | Int32Array {
  const { type, data } = tensor;
  switch (type) {
    case "int2":
    case "uint2":
    case "int4":
    case "uint4":
      return unpack(
        data as Uint8Array,
        type.endsWith("2") ? 2 : 4,
        type.startsWith("int"),
        elementCount(tensor.dims),
      );
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
      return data as QuantizedValues | Int32Array;
    default:
      throw new TypeError(`A tensor of integers must be int2 to int32: current value is ${type}`);
  }
}
