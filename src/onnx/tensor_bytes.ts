/**
 * The values of tensors as the raw little-endian bytes that files hold.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import {
  bitsPerElement,
  type DataType,
  elementCount,
  type Tensor,
  type TensorData,
} from "./tensor.ts";

/** The element types whose values have a fixed size. */
export type NumericType = Exclude<DataType, "string">;

/** Storage of such values. */
export type NumericData = TensorData[NumericType];

/**
 * The bytes of a tensor as files hold them, without a copy.
 *
 * @throws {TypeError} If it is a tensor of strings.
 */
export function tensorBytes(tensor: Tensor): Uint8Array {
  if (tensor.type === "string") throw new TypeError("A tensor of strings has no raw bytes");
  const { buffer, byteOffset, byteLength } = tensor.data as NumericData;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * A tensor from its raw little-endian bytes, which are copied.
 *
 * @throws {UserError} If there are not exactly as many bytes as the shape needs.
 */
export function tensorFromBytes<T extends NumericType>(
  type: T,
  dims: readonly number[],
  bytes: Uint8Array,
  where = "Tensor",
): Tensor<T> {
  const needed = Math.ceil(elementCount(dims) * bitsPerElement(type)! / 8);
  if (bytes.length !== needed) {
    throw new UserError(
      `${where} needs ${needed} bytes for ${type}[${dims.join(", ")}] but has ${bytes.length}`,
    );
  }
  const copy = new ArrayBuffer(needed);
  new Uint8Array(copy).set(bytes);
  return { type, dims, data: dataOver(type, copy) as TensorData[T] };
}

/** Zeros for so many stored values. */
export function emptyData(type: NumericType, length: number): NumericData {
  return dataOver(type, new ArrayBuffer(length * storedBytes(type)));
}

/** Bytes of one stored value: of the array's element, of which complex numbers take two and sub-byte ones a part. */
function storedBytes(type: NumericType): number {
  const bits = bitsPerElement(type)!;
  return Math.max(type.startsWith("complex") ? bits / 2 : bits, 8) / 8;
}

/** The typed array that holds a type's values, over a buffer. */
function dataOver(type: NumericType, buffer: ArrayBuffer): NumericData {
  switch (type) {
    case "float32":
    case "complex64":
      return new Float32Array(buffer);
    case "float64":
    case "complex128":
      return new Float64Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "uint64":
      return new BigUint64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
    case "float16":
    case "bfloat16":
      return new Uint16Array(buffer);
    case "int8":
      return new Int8Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}
