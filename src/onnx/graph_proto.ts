/**
 * Models, graphs, nodes and attributes to and from their protobuf messages.
 *
 * What the model value has no place for is kept encoded (`rest`, `opaque`), so a file that is read and written
 * says the same as before.
 *
 * @module
 */

import { describeNode } from "./attributes.ts";
import type { Attribute, AttributeValue, Graph, Model, Node } from "./model.ts";
import {
  type AttributeProto as AttributeMessage,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  create,
  encodeRest,
  fromBinary,
  type GraphProto as GraphMessage,
  GraphProtoSchema,
  isFieldSet,
  mergeFromBinary,
  type ModelProto as ModelMessage,
  ModelProtoSchema,
  type NodeProto as NodeMessage,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  toBinary,
} from "./protobuf.ts";
import { tensorFromProto, tensorToProto } from "./tensor_proto.ts";
import { valueFromProto, valueToProto } from "./value_proto.ts";

/** A model from its message. */
export function modelFromProto(proto: ModelMessage): Model {
  const rest = encodeRest(ModelProtoSchema, proto, {
    trainingInfo: proto.trainingInfo,
    functions: proto.functions,
    configuration: proto.configuration,
  });
  return {
    irVersion: Number(proto.irVersion),
    opsets: new Map(
      proto.opsetImport.map(({ domain, version }) => [standardDomain(domain), Number(version)]),
    ),
    producerName: proto.producerName,
    producerVersion: proto.producerVersion,
    modelVersion: compact(proto.modelVersion),
    domain: proto.domain,
    ...(proto.docString !== "" && { doc: proto.docString }),
    metadata: new Map(proto.metadataProps.map(({ key, value }) => [key, value])),
    graph: graphFromProto(proto.graph ?? create(GraphProtoSchema)),
    ...(rest && { rest }),
  };
}

/** The message of a model. */
export function modelToProto(model: Model): ModelMessage {
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(model.irVersion),
    opsetImport: Array.from(
      model.opsets,
      ([domain, version]) => ({ domain, version: BigInt(version) }),
    ),
    graph: graphToProto(model.graph),
    metadataProps: Array.from(model.metadata, ([key, value]) => ({ key, value })),
  });
  if (model.producerName !== "") proto.producerName = model.producerName;
  if (model.producerVersion !== "") proto.producerVersion = model.producerVersion;
  if (model.modelVersion !== 0) proto.modelVersion = BigInt(model.modelVersion);
  if (model.domain !== "") proto.domain = model.domain;
  if (model.doc !== undefined) proto.docString = model.doc;
  if (model.rest !== undefined) mergeFromBinary(ModelProtoSchema, proto, model.rest);
  return proto;
}

function graphFromProto(proto: GraphMessage): Graph {
  const rest = encodeRest(GraphProtoSchema, proto, {
    quantizationAnnotation: proto.quantizationAnnotation,
    metadataProps: proto.metadataProps,
  });
  const graph: Graph = {
    name: proto.name,
    nodes: proto.node.map(nodeFromProto),
    inputs: proto.input.map(valueFromProto),
    outputs: proto.output.map(valueFromProto),
    initializers: new Map(
      proto.initializer.map((
        tensor,
      ) => [tensor.name, tensorFromProto(tensor, `Initializer "${tensor.name}"`)]),
    ),
    values: new Map(proto.valueInfo.map((info) => [info.name, valueFromProto(info)])),
  };
  if (proto.docString !== "") graph.doc = proto.docString;
  if (rest !== undefined) graph.rest = rest;
  if (proto.sparseInitializer.length > 0) {
    graph.sparse = new Map(
      proto.sparseInitializer.map((sparse) => [
        sparse.values?.name ?? "",
        toBinary(SparseTensorProtoSchema, sparse),
      ]),
    );
  }
  return graph;
}

function graphToProto(graph: Graph): GraphMessage {
  const proto = create(GraphProtoSchema, {
    name: graph.name,
    node: graph.nodes.map(nodeToProto),
    initializer: Array.from(graph.initializers, ([name, tensor]) => tensorToProto(tensor, name)),
    sparseInitializer: Array.from(graph.sparse ?? [], ([name, bytes]) => {
      const sparse = fromBinary(SparseTensorProtoSchema, bytes);
      if (sparse.values !== undefined) sparse.values.name = name;
      return sparse;
    }),
    input: graph.inputs.map(valueToProto),
    output: graph.outputs.map(valueToProto),
    valueInfo: Array.from(graph.values.values(), valueToProto),
  });
  if (graph.doc !== undefined) proto.docString = graph.doc;
  if (graph.rest !== undefined) mergeFromBinary(GraphProtoSchema, proto, graph.rest);
  return proto;
}

function nodeFromProto(proto: NodeMessage): Node {
  const node: Node = {
    name: proto.name,
    opType: proto.opType,
    domain: standardDomain(proto.domain),
    inputs: proto.input,
    outputs: proto.output,
    attributes: new Map(),
  };
  for (const attribute of proto.attribute) {
    node.attributes.set(attribute.name, attributeFromProto(attribute, node));
  }
  if (proto.docString !== "") node.doc = proto.docString;
  if (proto.metadataProps.length > 0) {
    node.metadata = new Map(proto.metadataProps.map(({ key, value }) => [key, value]));
  }
  const rest = encodeRest(NodeProtoSchema, proto, {
    ...(proto.overload !== "" && { overload: proto.overload }),
    deviceConfigurations: proto.deviceConfigurations,
  });
  if (rest !== undefined) node.rest = rest;
  return node;
}

function nodeToProto(node: Node): NodeMessage {
  const proto = create(NodeProtoSchema, {
    input: node.inputs,
    output: node.outputs,
    opType: node.opType,
    attribute: Array.from(node.attributes, ([name, value]) => attributeToProto(name, value)),
  });
  if (node.name !== "") proto.name = node.name;
  if (node.domain !== "") proto.domain = node.domain;
  if (node.doc !== undefined) proto.docString = node.doc;
  if (node.metadata !== undefined) {
    proto.metadataProps = create(NodeProtoSchema, {
      metadataProps: Array.from(node.metadata, ([key, value]) => ({ key, value })),
    }).metadataProps;
  }
  if (node.rest !== undefined) mergeFromBinary(NodeProtoSchema, proto, node.rest);
  return proto;
}

function attributeFromProto(proto: AttributeMessage, node: Node): Attribute {
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

function attributeToProto(name: string, attribute: Attribute): AttributeMessage {
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

function standardDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/** A number where it is exact, else the bigint. */
function compact(value: bigint): number | bigint {
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
