/**
 * Tensors that a model keeps in files beside it.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import {
  type AttributeProto as AttributeMessage,
  type GraphProto as GraphMessage,
  type ModelProto as ModelMessage,
  type NodeProto as NodeMessage,
  type SparseTensorProto as SparseTensorMessage,
  type TensorProto as TensorMessage,
  TensorProto_DataLocation,
} from "./protobuf.ts";

/** The names of the files that a model's tensors are in, each once, in the order of first use. */
export function externalLocations(model: ModelMessage): string[] {
  const found = new Set<string>();
  for (const tensor of tensorsOf(model)) {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
    found.add(placeOf(tensor).location);
  }
  return [...found];
}

/**
 * Brings every external tensor's bytes into its message.
 *
 * @param read Gives the bytes of a file by the name that the model uses.
 * @throws {UserError} If a file is shorter than a tensor's place in it.
 */
export function inlineExternalData(
  model: ModelMessage,
  read: (location: string) => Uint8Array,
): void {
  for (const tensor of tensorsOf(model)) {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
    const { location, offset, length } = placeOf(tensor);
    const file = read(location);
    const end = length === undefined ? file.length : offset + length;
    if (end > file.length || offset > file.length) {
      throw new UserError({
        message: `File "${location}" is too short: tensor "${tensor.name}" is at bytes ` +
          `${offset} to ${end}, the file has ${file.length}`,
        hint: "Download or export the model again, with all its files",
      });
    }
    tensor.rawData = file.subarray(offset, end);
    tensor.externalData = [];
    tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
  }
}

/**
 * Refuses the name of an external file that leads out of the model's folder.
 *
 * @throws {UserError} If the name is absolute, climbs with `..`, or is empty.
 */
export function requireInsideFolder(location: string): void {
  const parts = location.split(/[/\\]/);
  const climbs = parts.includes("..");
  const absolute = parts[0] === "" || /^[A-Za-z]:/.test(location);
  if (climbs || absolute || location.includes("\0")) {
    throw new UserError({
      message: `The model wants to read "${location}", which is not in its own folder`,
      hint: "External data must lie beside the model file",
    });
  }
}

function placeOf(tensor: TensorMessage): { location: string; offset: number; length?: number } {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  if (location === undefined || location === "") {
    throw new UserError(
      `Tensor "${tensor.name}" is in another file, but the model does not say which`,
    );
  }
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined || text === "") return undefined;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value)) {
      throw new UserError(
        `Tensor "${tensor.name}" has an impossible ${key} in "${location}": ${text}`,
      );
    }
    return value;
  };
  const length = number("length");
  return { location, offset: number("offset") ?? 0, ...(length !== undefined && { length }) };
}

function* tensorsOf(model: ModelMessage): Generator<TensorMessage> {
  if (model.graph) yield* tensorsOfGraph(model.graph);
  for (const { node, attributeProto } of model.functions) {
    yield* tensorsOfNodes(node);
    yield* tensorsOfAttributes(attributeProto);
  }
  for (const { initialization, algorithm } of model.trainingInfo) {
    if (initialization) yield* tensorsOfGraph(initialization);
    if (algorithm) yield* tensorsOfGraph(algorithm);
  }
}

function* tensorsOfGraph(graph: GraphMessage): Generator<TensorMessage> {
  yield* graph.initializer;
  yield* tensorsOfSparse(graph.sparseInitializer);
  yield* tensorsOfNodes(graph.node);
}

function* tensorsOfNodes(nodes: readonly NodeMessage[]): Generator<TensorMessage> {
  for (const node of nodes) yield* tensorsOfAttributes(node.attribute);
}

function* tensorsOfAttributes(attributes: readonly AttributeMessage[]): Generator<TensorMessage> {
  for (const attribute of attributes) {
    if (attribute.t) yield attribute.t;
    yield* attribute.tensors;
    if (attribute.sparseTensor) yield* tensorsOfSparse([attribute.sparseTensor]);
    yield* tensorsOfSparse(attribute.sparseTensors);
    if (attribute.g) yield* tensorsOfGraph(attribute.g);
    for (const graph of attribute.graphs) yield* tensorsOfGraph(graph);
  }
}

function* tensorsOfSparse(list: readonly SparseTensorMessage[]): Generator<TensorMessage> {
  for (const { values, indices } of list) {
    if (values) yield values;
    if (indices) yield indices;
  }
}
