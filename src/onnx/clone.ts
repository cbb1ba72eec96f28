/**
 * Copying models and graphs.
 *
 * @module
 */

import { subgraphs } from "./attributes.ts";
import type { Attribute, Graph, Model, Node, ValueInfo } from "./model.ts";

/** A copy that can be edited without changing the original. Tensors are shared. */
export function cloneModel(model: Model): Model {
  return {
    ...model,
    opsets: new Map(model.opsets),
    metadata: new Map(model.metadata),
    graph: cloneGraph(model.graph),
  };
}

/** A copy that can be edited without changing the original. Tensors are shared. */
export function cloneGraph(graph: Graph): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map(cloneNode),
    inputs: graph.inputs.map(cloneValue),
    outputs: graph.outputs.map(cloneValue),
    initializers: new Map(graph.initializers),
    values: new Map(Array.from(graph.values, ([name, info]) => [name, cloneValue(info)])),
    ...(graph.sparse && { sparse: new Map(graph.sparse) }),
  };
}

function cloneNode(node: Node): Node {
  return {
    ...node,
    inputs: [...node.inputs],
    outputs: [...node.outputs],
    attributes: subgraphs(node).length === 0
      ? new Map(node.attributes)
      : new Map(Array.from(node.attributes, ([name, value]) => [name, cloneAttribute(value)])),
    ...(node.metadata && { metadata: new Map(node.metadata) }),
  };
}

function cloneAttribute(attribute: Attribute): Attribute {
  if (attribute.kind === "graph") return { ...attribute, value: cloneGraph(attribute.value) };
  if (attribute.kind === "graphs") return { ...attribute, value: attribute.value.map(cloneGraph) };
  return attribute;
}

function cloneValue(info: ValueInfo): ValueInfo {
  return { ...info, dims: info.dims && [...info.dims] };
}
