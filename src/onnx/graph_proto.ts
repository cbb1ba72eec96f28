/**
 * Models, graphs and nodes to and from their protobuf messages.
 *
 * What the model value has no place for is kept encoded (`rest`, `opaque`), so a file that is read and written
 * says the same as before.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { attributeFromProto, attributeToProto, compact } from "./attribute_proto.ts";
import { describeNode } from "./attributes.ts";
import type { Graph, Model, Node } from "./model.ts";
import {
  create,
  encodeRest,
  fromBinary,
  type GraphProto as GraphMessage,
  GraphProtoSchema,
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

/** A graph from its message. */
export function graphFromProto(proto: GraphMessage): Graph {
  const rest = encodeRest(GraphProtoSchema, proto, {
    quantizationAnnotation: proto.quantizationAnnotation,
    metadataProps: proto.metadataProps,
  });
  const graph: Graph = {
    name: proto.name,
    nodes: proto.node.map(nodeFromProto),
    inputs: proto.input.map(valueFromProto),
    outputs: proto.output.map(valueFromProto),
    initializers: byName(
      proto.initializer,
      ({ name }) => name,
      (tensor) => tensorFromProto(tensor, `Initializer "${tensor.name}"`),
      "Initializer",
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

/** The message of a graph. */
export function graphToProto(graph: Graph): GraphMessage {
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
  node.attributes = byName(
    proto.attribute,
    ({ name }) => name,
    (attribute) => attributeFromProto(attribute, node),
    `In node ${describeNode(node)} attribute`,
  );
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

function standardDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/** A map by name; two things of one name would be one thing lost. */
function byName<Item, Value>(
  items: readonly Item[],
  name: (item: Item) => string,
  value: (item: Item) => Value,
  what: string,
): Map<string, Value> {
  const map = new Map<string, Value>();
  for (const item of items) {
    if (map.has(name(item))) throw new UserError(`${what} "${name(item)}" is there twice`);
    map.set(name(item), value(item));
  }
  return map;
}
