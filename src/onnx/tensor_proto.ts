/**
 * Tensors to and from `TensorProto`, in every form a file may store them.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import {
  create,
  encodeRest,
  fromBinary,
  isFieldSet,
  mergeFromBinary,
  type TensorProto as TensorMessage,
  TensorProto_DataLocation,
  TensorProtoSchema,
  toBinary,
} from "./protobuf.ts";
import { emptyData, tensorBytes, tensorFromBytes } from "./tensor_bytes.ts";
import {
  DATA_TYPE_NUMBERS,
  type DataType,
  storedLength,
  type Tensor,
  type TensorData,
} from "./tensor.ts";

const DATA_TYPES = new Map<number, DataType>(
  Object.entries(DATA_TYPE_NUMBERS).map(([name, number]) => [number, name as DataType]),
);

/** The element type with a `TensorProto.DataType` number, where it is one that is known. */
export function dataType(number: number): DataType | undefined {
  return DATA_TYPES.get(number);
}

/**
 * Reads an encoded `TensorProto`, such as the `.pb` files of the ONNX conformance cases.
 *
 * @throws {UserError} If it is not one, or its data does not fit its shape.
 */
export function decodeTensor(bytes: Uint8Array): Tensor {
  let proto: TensorMessage;
  try {
    proto = fromBinary(TensorProtoSchema, bytes);
  } catch (cause) {
    throw new UserError("Not an encoded ONNX tensor", { cause });
  }
  return tensorFromProto(proto, proto.name === "" ? "Tensor" : `Tensor "${proto.name}"`);
}

/** Encodes a tensor as a `TensorProto`. */
export function encodeTensor(tensor: Tensor, name?: string): Uint8Array {
  return toBinary(TensorProtoSchema, tensorToProto(tensor, name));
}

/**
 * A tensor from its message; external data must have been brought in before.
 *
 * @param where Names the tensor in messages, such as `Initializer "w"`.
 * @throws {UserError} If the data does not fit the shape. Nothing is allocated for what is not there.
 */
export function tensorFromProto(proto: TensorMessage, where: string): Tensor {
  const type = dataType(proto.dataType);
  if (type === undefined) {
    throw new UserError({
      message: `${where} has an element type that is not supported: ${proto.dataType}`,
      hint: "Element types 1 (float32) to 26 (int2) of the ONNX standard are supported",
    });
  }
  if (isFieldSet(proto, TensorProtoSchema.field.segment)) {
    throw new UserError(`${where} is stored in segments, which no ONNX tool supports`);
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw new UserError({
      message: `${where} is stored in a file beside the model`,
      hint: "Open the model by its path, so that the file is found",
    });
  }
  const dims = proto.dims.map((dim) => {
    if (dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new UserError(`${where} has an impossible shape: [${proto.dims.join(", ")}]`);
    }
    return Number(dim);
  });
  const data = readData(proto, type, dims, where);
  const rest = encodeRest(TensorProtoSchema, proto, {
    ...(proto.docString !== "" && { docString: proto.docString }),
    metadataProps: proto.metadataProps,
  });
  return { type, dims, data, ...(rest && { rest }) };
}

/** The message of a tensor, its values as raw little-endian bytes. */
export function tensorToProto(tensor: Tensor, name?: string): TensorMessage {
  const proto = create(TensorProtoSchema, {
    dims: tensor.dims.map(BigInt),
    dataType: DATA_TYPE_NUMBERS[tensor.type],
  });
  if (name !== undefined) proto.name = name;
  if (tensor.type === "string") {
    const encoder = new TextEncoder();
    proto.stringData = (tensor.data as string[]).map((text) => encoder.encode(text));
  } else {
    proto.rawData = tensorBytes(tensor);
  }
  if (tensor.rest !== undefined) mergeFromBinary(TensorProtoSchema, proto, tensor.rest);
  return proto;
}

function readData(
  proto: TensorMessage,
  type: DataType,
  dims: readonly number[],
  where: string,
): TensorData[DataType] {
  const stored = storedValues(proto, type);
  // Some exporters write an empty raw_data beside the values.
  const isRaw = isFieldSet(proto, TensorProtoSchema.field.rawData) &&
    (proto.rawData.length > 0 || stored.length === 0);
  if (type !== "string" && isRaw) return tensorFromBytes(type, dims, proto.rawData, where).data;
  const needed = storedLength(type, dims);
  if (stored.length !== needed) {
    throw new UserError(
      `${where} needs ${needed} stored values for ${type}[${
        dims.join(", ")
      }] but has ${stored.length}`,
    );
  }
  if (type === "string") return (stored as Uint8Array[]).map((bytes) => decodeText(bytes, where));
  const data = emptyData(type, needed);
  if (type === "uint32") {
    for (let index = 0; index < needed; index++) data[index] = Number(stored[index]);
  } else {
    (data as { set(values: ArrayLike<unknown>): void }).set(stored);
  }
  return data;
}

/** The field that holds a type's values when they are not raw bytes. */
function storedValues(proto: TensorMessage, type: DataType): ArrayLike<unknown> {
  switch (type) {
    case "float32":
    case "complex64":
      return proto.floatData;
    case "float64":
    case "complex128":
      return proto.doubleData;
    case "int64":
      return proto.int64Data;
    case "uint32":
    case "uint64":
      return proto.uint64Data;
    case "string":
      return proto.stringData;
    default:
      return proto.int32Data;
  }
}

function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UserError(`${where} holds a string that is not UTF-8`);
  }
}
