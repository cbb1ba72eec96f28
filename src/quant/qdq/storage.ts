/**
 * Which ONNX type holds the integers of a grid, and tensors of that type.
 *
 * @module
 */

import { type DataType, elementCount, type Tensor, tensor } from "../../onnx/tensor.ts";
import type { Grid } from "../grid.ts";
import { pack, unpack } from "../pack.ts";

/**
 * How integers below 8 bits are stored.
 *
 * - `native`: in 4-bit and 2-bit tensors, so that files have their real size.
 * - `container`: in 8-bit tensors that hold the narrow values, so that every runtime takes them.
 */
export type Encoding = "native" | "container";

/** The types that ONNX quantizes to. */
export type QuantizedType = `${"" | "u"}int${2 | 4 | 8 | 16}`;

/** The width of an integer type and its range. */
export interface TypeRange {
  readonly bits: number;
  readonly signed: boolean;
  readonly min: number;
  readonly max: number;
}

/** The narrowest type that holds a grid in an encoding. */
export function storageType(
  { bits, signed }: Pick<Grid, "bits" | "signed">,
  encoding: Encoding,
): QuantizedType {
  const width = bits > 8 ? 16 : encoding === "container" || bits > 4 ? 8 : bits > 2 ? 4 : 2;
  return `${signed ? "" : "u"}int${width}`;
}

/** The range of an integer type of up to 32 bits; `undefined` for any other. */
export function typeRange(type: DataType): TypeRange | undefined {
  const match = /^(u?)int(2|4|8|16|32)$/.exec(type);
  if (match === null) return undefined;
  const signed = match[1] === "";
  const bits = Number(match[2]);
  const count = 2 ** bits;
  return { bits, signed, min: signed ? -count / 2 : 0, max: signed ? count / 2 - 1 : count - 1 };
}

/** Whether several values share a byte. */
export function isPacked(type: DataType): boolean {
  return (typeRange(type)?.bits ?? 8) < 8;
}

/** A tensor of quantized integers, given one each. */
export function integerTensor(
  type: QuantizedType,
  dims: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  switch (type) {
    case "int2":
    case "uint2":
      return tensor(type, dims, pack(values, 2));
    case "int4":
    case "uint4":
      return tensor(type, dims, pack(values, 4));
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
 * The integers of a tensor, one each.
 *
 * @throws {TypeError} If it does not hold integers of up to 32 bits.
 */
export function integerValues({ type, dims, data }: Tensor): ArrayLike<number> {
  const range = typeRange(type);
  if (range === undefined) {
    throw new TypeError(`Tensor must hold integers: current type is ${type}`);
  }
  if (range.bits >= 8) return data as Int32Array;
  return unpack(data as Uint8Array, range.bits, range.signed, elementCount(dims));
}
