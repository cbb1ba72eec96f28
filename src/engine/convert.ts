/**
 * Tensors of ours and of the runtime: the same bytes, never copied.
 *
 * @module
 */

import type { DataType, Tensor, TensorData } from "../onnx/tensor.ts";
import type { NativeTensor, Runtime } from "./runtime.ts";

/** Element types that ONNX Runtime's JavaScript interface can carry in and out. */
const BOUNDARY_TYPES: ReadonlySet<string> = new Set<DataType>([
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
]);

/** Whether a tensor of this type can be a graph input or output. */
export function crossesBoundary(type: DataType): boolean {
  return BOUNDARY_TYPES.has(type);
}

/** The runtime's view of a tensor. */
export function toNative(runtime: Runtime, tensor: Tensor): NativeTensor {
  const Tensor = runtime.Tensor as unknown as new (
    type: string,
    data: Tensor["data"],
    dims: readonly number[],
  ) => NativeTensor;
  return new Tensor(tensor.type, tensor.data, tensor.dims);
}

/** Our view of one of the runtime's tensors. */
export function fromNative(native: NativeTensor): Tensor {
  return {
    type: native.type as DataType,
    dims: native.dims,
    data: native.data as TensorData[DataType],
  };
}
