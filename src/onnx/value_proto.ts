/**
 * Declared types and shapes to and from `ValueInfoProto`.
 *
 * @module
 */

import type { Dimension, OpaqueType, ValueInfo } from "./model.ts";
import {
  create,
  encodeRest,
  fromBinary,
  isFieldSet,
  toBinary,
  type TypeProto as TypeMessage,
  type TypeProto_Tensor as TensorTypeMessage,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto as ValueInfoMessage,
  ValueInfoProtoSchema,
} from "./protobuf.ts";
import { DATA_TYPE_NUMBERS } from "./tensor.ts";
import { dataType } from "./tensor_proto.ts";

/** The declared type of a value from its message. */
export function valueFromProto(proto: ValueInfoMessage): ValueInfo {
  const info: ValueInfo = { name: proto.name, type: undefined, dims: undefined };
  if (proto.docString !== "") info.doc = proto.docString;
  const leftover = { metadataProps: proto.metadataProps, type: create(TypeProtoSchema) };
  let keepType = false;
  if (isFieldSet(proto, ValueInfoProtoSchema.field.type)) {
    const type = proto.type!;
    const tensorType = type.value.case === "tensorType" ? type.value.value : undefined;
    const known = tensorType &&
      (tensorType.elemType === 0 || dataType(tensorType.elemType) !== undefined);
    if (tensorType === undefined || !known) {
      info.opaque = { kind: opaqueKind(type), bytes: toBinary(TypeProtoSchema, type) };
    } else {
      info.type = dataType(tensorType.elemType);
      if (isFieldSet(tensorType, TypeProto_TensorSchema.field.shape)) {
        info.dims = tensorType.shape!.dim.map(({ value }): Dimension => {
          if (value.case === "dimValue") return Number(value.value);
          return value.case === "dimParam" && value.value !== "" ? value.value : undefined;
        });
      }
      keepType = isAnnotated(type, tensorType);
      if (keepType) leftover.type = type;
    }
  }
  const rest = encodeRest(ValueInfoProtoSchema, proto, {
    metadataProps: leftover.metadataProps,
    ...(keepType && { type: leftover.type }),
  });
  if (rest !== undefined) info.rest = rest;
  return info;
}

/** The message of a declared type. */
export function valueToProto(info: ValueInfo): ValueInfoMessage {
  const proto = info.rest === undefined
    ? create(ValueInfoProtoSchema)
    : fromBinary(ValueInfoProtoSchema, info.rest);
  proto.name = info.name;
  if (info.doc !== undefined) proto.docString = info.doc;
  if (info.opaque !== undefined) {
    proto.type = fromBinary(TypeProtoSchema, info.opaque.bytes);
  } else if (info.type !== undefined || info.dims !== undefined) {
    const type = proto.type ?? create(TypeProtoSchema);
    const kept = type.value.case === "tensorType" ? type.value.value : undefined;
    const tensorType = kept ?? create(TypeProto_TensorSchema);
    if (info.type !== undefined) tensorType.elemType = DATA_TYPE_NUMBERS[info.type];
    setShape(tensorType, info.dims);
    type.value = { case: "tensorType", value: tensorType };
    proto.type = type;
  }
  return proto;
}

/** Writes the shape, keeping what else is said of each dimension while the rank is the same. */
function setShape(tensorType: TensorTypeMessage, dims: readonly Dimension[] | undefined): void {
  if (dims === undefined) {
    delete tensorType.shape;
    return;
  }
  const before = tensorType.shape?.dim ?? [];
  const shape = create(TypeProto_TensorSchema, { shape: { dim: dims.map(() => ({})) } }).shape!;
  if (tensorType.shape?.$unknown !== undefined) shape.$unknown = tensorType.shape.$unknown;
  dims.forEach((dim, index) => {
    const proto = before.length === dims.length ? before[index]! : shape.dim[index]!;
    proto.value = typeof dim === "number"
      ? { case: "dimValue", value: BigInt(dim) }
      : dim !== undefined
      ? { case: "dimParam", value: dim }
      : { case: undefined };
    shape.dim[index] = proto;
  });
  tensorType.shape = shape;
}

/** Whether a tensor type says more than its element type and shape. */
function isAnnotated(type: TypeMessage, tensorType: TensorTypeMessage): boolean {
  return type.denotation !== "" || type.$unknown !== undefined ||
    tensorType.$unknown !== undefined || tensorType.shape?.$unknown !== undefined ||
    (tensorType.shape?.dim ?? []).some((dim) =>
      dim.denotation !== "" || dim.$unknown !== undefined
    );
}

function opaqueKind(type: TypeMessage): OpaqueType["kind"] {
  switch (type.value.case) {
    case "sequenceType":
      return "sequence";
    case "mapType":
      return "map";
    case "optionalType":
      return "optional";
    case "sparseTensorType":
      return "sparse";
    default:
      return "unknown";
  }
}
