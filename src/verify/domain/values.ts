/**
 * Inputs of networks as numbers, and numbers as inputs.
 *
 * @module
 */

import { fromFloat16, toFloat16 } from "../../onnx/float16.ts";
import { type DataType, type Tensor, tensor } from "../../onnx/tensor.ts";

/** The elements of a tensor of numbers. */
export function numbersOf({ type, data }: Tensor): Float64Array {
  if (type === "float16") return Float64Array.from(fromFloat16(data as Uint16Array));
  if (type === "int64" || type === "uint64") {
    return Float64Array.from(data as BigInt64Array, Number);
  }
  return Float64Array.from(data as Float32Array);
}

/** A tensor of a type, each element rounded to the nearest value of the type. */
export function inputTensor(
  type: DataType,
  dims: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  switch (type) {
    case "float64":
      return tensor(type, dims, Float64Array.from(values));
    case "float32":
      return tensor(type, dims, Float32Array.from(values));
    case "float16":
      return tensor(type, dims, toFloat16(values));
    case "int8":
      return tensor(type, dims, Int8Array.from(values));
    case "uint8":
      return tensor(type, dims, Uint8Array.from(values));
    case "int16":
      return tensor(type, dims, Int16Array.from(values));
    case "uint16":
      return tensor(type, dims, Uint16Array.from(values));
    case "int32":
      return tensor(type, dims, Int32Array.from(values));
    default:
      throw new TypeError(`Inputs of type ${type} cannot be made of numbers`);
  }
}
