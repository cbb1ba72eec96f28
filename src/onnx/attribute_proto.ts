/**
 * Node attributes to and from `AttributeProto`.
 *
 * @module
 */

import { describeNode } from "./attributes.ts";
import { graphFromProto, graphToProto } from "./graph_proto.ts";
import type { Attribute, AttributeValue, Node } from "./model.ts";
import {
  type AttributeProto as AttributeMessage,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  create,
  fromBinary,
  isFieldSet,
  toBinary,
} from "./protobuf.ts";
import { tensorFromProto, tensorToProto } from "./tensor_proto.ts";

/** An attribute from its message; `node` is named in messages. */
export function attributeFromProto(proto: AttributeMessage, node: Node): Attribute {
  const value = valueOfAttribute(proto, node);
  if (value === undefined) {
    return { kind: "opaque", value: toBinary(AttributeProtoSchema, proto) };
  }
  return proto.docString === "" ? value : { ...value, doc: proto.docString };
}

function valueOfAttribute(proto: AttributeMessage, node: Node): AttributeValue | undefined {
  if (proto.refAttrName !== "" || proto.$unknown !== undefined) return undefined;
  const where = () => `Attribute "${proto.name}" of node ${describeNode(node)}`;
  switch (proto.type === AttributeType.UNDEFINED ? inferType(proto) : proto.type) {
    case AttributeType.INT:
      return { kind: "int", value: compact(proto.i) };
    case AttributeType.FLOAT:
      return { kind: "float", value: proto.f };
    case AttributeType.STRING: {
      const text = decodeText(proto.s);
      return text === undefined
        ? { kind: "bytes", value: proto.s.slice() }
        : { kind: "string", value: text };
    }
    case AttributeType.TENSOR:
      return proto.t && { kind: "tensor", value: tensorFromProto(proto.t, where()) };
    case AttributeType.GRAPH:
      return proto.g && { kind: "graph", value: graphFromProto(proto.g) };
    case AttributeType.INTS:
      return { kind: "ints", value: proto.ints.map(compact) };
    case AttributeType.FLOATS:
      return { kind: "floats", value: proto.floats };
    case AttributeType.STRINGS: {
      const texts = proto.strings.map(decodeText);
      return texts.every((text) => text !== undefined)
        ? { kind: "strings", value: texts }
        : undefined;
    }
    case AttributeType.TENSORS:
      return {
        kind: "tensors",
        value: proto.tensors.map((tensor) => tensorFromProto(tensor, where())),
      };
    case AttributeType.GRAPHS:
      return { kind: "graphs", value: proto.graphs.map(graphFromProto) };
    default:
      return undefined;
  }
}

/** The type of an attribute in files older than the field that says it. */
function inferType(proto: AttributeMessage): AttributeType {
  const field = AttributeProtoSchema.field;
  if (isFieldSet(proto, field.f)) return AttributeType.FLOAT;
  if (isFieldSet(proto, field.i)) return AttributeType.INT;
  if (isFieldSet(proto, field.s)) return AttributeType.STRING;
  if (isFieldSet(proto, field.t)) return AttributeType.TENSOR;
  if (isFieldSet(proto, field.g)) return AttributeType.GRAPH;
  if (proto.floats.length > 0) return AttributeType.FLOATS;
  if (proto.ints.length > 0) return AttributeType.INTS;
  if (proto.strings.length > 0) return AttributeType.STRINGS;
  if (proto.tensors.length > 0) return AttributeType.TENSORS;
  if (proto.graphs.length > 0) return AttributeType.GRAPHS;
  return AttributeType.UNDEFINED;
}

/** The message of an attribute. */
export function attributeToProto(name: string, attribute: Attribute): AttributeMessage {
  if (attribute.kind === "opaque") {
    const proto = fromBinary(AttributeProtoSchema, attribute.value);
    proto.name = name;
    return proto;
  }
  const proto = create(AttributeProtoSchema, { name });
  if (attribute.doc !== undefined) proto.docString = attribute.doc;
  switch (attribute.kind) {
    case "int":
      proto.type = AttributeType.INT;
      proto.i = BigInt(attribute.value);
      break;
    case "float":
      proto.type = AttributeType.FLOAT;
      proto.f = attribute.value;
      break;
    case "string":
      proto.type = AttributeType.STRING;
      proto.s = new TextEncoder().encode(attribute.value);
      break;
    case "bytes":
      proto.type = AttributeType.STRING;
      proto.s = attribute.value;
      break;
    case "tensor":
      proto.type = AttributeType.TENSOR;
      proto.t = tensorToProto(attribute.value);
      break;
    case "graph":
      proto.type = AttributeType.GRAPH;
      proto.g = graphToProto(attribute.value);
      break;
    case "ints":
      proto.type = AttributeType.INTS;
      proto.ints = attribute.value.map(BigInt);
      break;
    case "floats":
      proto.type = AttributeType.FLOATS;
      proto.floats = [...attribute.value];
      break;
    case "strings": {
      const encoder = new TextEncoder();
      proto.type = AttributeType.STRINGS;
      proto.strings = attribute.value.map((text) => encoder.encode(text));
      break;
    }
    case "tensors":
      proto.type = AttributeType.TENSORS;
      proto.tensors = attribute.value.map((tensor) => tensorToProto(tensor));
      break;
    case "graphs":
      proto.type = AttributeType.GRAPHS;
      proto.graphs = attribute.value.map(graphToProto);
      break;
  }
  return proto;
}

/** A number where it is exact, else the bigint. */
export function compact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
