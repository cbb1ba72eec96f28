/**
 * Tensors: the one value that flows between files, engine and stages.
 *
 * @module
 */

/** ONNX element types by their number in `TensorProto.DataType`. */
export const DATA_TYPE_NUMBERS = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const;

/** The element type of a tensor. */
export type DataType = keyof typeof DATA_TYPE_NUMBERS;

/** The storage of each element type. Sub-byte types are packed, low bits first; exotic floats are raw bytes. */
export interface TensorData {
  float32: Float32Array;
  uint8: Uint8Array;
  int8: Int8Array;
  uint16: Uint16Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  string: string[];
  bool: Uint8Array;
  float16: Uint16Array;
  float64: Float64Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  complex64: Float32Array;
  complex128: Float64Array;
  bfloat16: Uint16Array;
  float8e4m3fn: Uint8Array;
  float8e4m3fnuz: Uint8Array;
  float8e5m2: Uint8Array;
  float8e5m2fnuz: Uint8Array;
  uint4: Uint8Array;
  int4: Uint8Array;
  float4e2m1: Uint8Array;
  float8e8m0: Uint8Array;
  uint2: Uint8Array;
  int2: Uint8Array;
}

/** An n-dimensional array in row-major order. Treat the data as read-only once it is in a graph. */
export interface Tensor<T extends DataType = DataType> {
  readonly type: T;
  readonly dims: readonly number[];
  readonly data: TensorData[T];
  /** Parts of the `TensorProto` that say nothing about the values (doc, metadata), encoded. */
  readonly rest?: Uint8Array;
}

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** How many bits one element of a type takes in a file; `undefined` for strings. */
export function bitsPerElement(type: DataType): number | undefined {
  switch (type) {
    case "uint2":
    case "int2":
      return 2;
    case "uint4":
    case "int4":
    case "float4e2m1":
      return 4;
    case "uint8":
    case "int8":
    case "bool":
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
    case "float8e8m0":
      return 8;
    case "uint16":
    case "int16":
    case "float16":
    case "bfloat16":
      return 16;
    case "float32":
    case "int32":
    case "uint32":
      return 32;
    case "float64":
    case "int64":
    case "uint64":
    case "complex64":
      return 64;
    case "complex128":
      return 128;
    case "string":
      return undefined;
  }
}

/** How many values the data of a tensor holds: sub-byte types are packed, complex numbers take two. */
export function storedLength(type: DataType, dims: readonly number[]): number {
  const count = elementCount(dims);
  const bits = bitsPerElement(type);
  if (bits !== undefined && bits < 8) return Math.ceil(count * bits / 8);
  return type === "complex64" || type === "complex128" ? 2 * count : count;
}

/**
 * A tensor of the given type, with its length checked against its shape.
 *
 * @throws {RangeError} If the data does not have as many elements as the shape says.
 */
export function tensor<T extends DataType>(
  type: T,
  dims: readonly number[],
  data: TensorData[T],
): Tensor<T> {
  const expected = storedLength(type, dims);
  if (data.length !== expected) {
    throw new RangeError(
      `Tensor ${type}[${dims}] must have ${expected} stored values: current value has ${data.length}`,
    );
  }
  return { type, dims, data };
}

/** A float32 tensor. */
export function float32(dims: readonly number[], values: ArrayLike<number>): Tensor<"float32"> {
  return tensor(
    "float32",
    dims,
    values instanceof Float32Array ? values : Float32Array.from(values),
  );
}

/** A one-dimensional int64 tensor, as shapes, axes and pads are given. */
export function int64s(values: readonly number[]): Tensor<"int64"> {
  return tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
}

/** A scalar (zero-dimensional) float32 tensor. */
export function scalar(value: number): Tensor<"float32"> {
  return tensor("float32", [], Float32Array.of(value));
}
