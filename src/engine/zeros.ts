/**
 * Tensors filled with zeros.
 *
 * @module
 */

import {
  bitsPerElement,
  type DataType,
  elementCount,
  type Tensor,
  type TensorData,
} from "../onnx/tensor.ts";

const ARRAYS: { readonly [T in DataType]?: new (length: number) => TensorData[T] } = {
  float32: Float32Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bfloat16: Uint16Array,
};

/** A tensor of zeros (of empty strings for `string`). */
export function zeros<T extends DataType>(type: T, dims: readonly number[]): Tensor<T> {
  const count = elementCount(dims);
  if (type === "string") {
    return { type, dims, data: new Array<string>(count).fill("") as TensorData[T] };
  }
  if (type === "complex64") {
    return { type, dims, data: new Float32Array(2 * count) as TensorData[T] };
  }
  if (type === "complex128") {
    return { type, dims, data: new Float64Array(2 * count) as TensorData[T] };
  }
  const NumberArray = ARRAYS[type];
  if (NumberArray !== undefined) return { type, dims, data: new NumberArray(count) };
  const bytes = Math.ceil(count * bitsPerElement(type)! / 8);
  return { type, dims, data: new Uint8Array(bytes) as TensorData[T] };
}
