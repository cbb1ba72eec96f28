/**
 * Constants of a graph, whichever way the file spells them.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { describeNode } from "./attributes.ts";
import type { Graph, Model, Node } from "./model.ts";
import { float32, int64s, scalar, type Tensor, tensor } from "./tensor.ts";

/** The tensor that a value always is: an initializer, or the output of a `Constant` node. */
export function constantValue(graph: Graph, name: string): Tensor | undefined {
  const initializer = graph.initializers.get(name);
  if (initializer !== undefined) return initializer;
  const maker = graph.nodes.find((node) => isConstant(node) && node.outputs[0] === name);
  return maker && constantOfNode(maker);
}

/**
 * The tensor of a `Constant` node; `undefined` where it is sparse.
 *
 * @throws {UserError} If the node holds no value.
 */
export function constantOfNode(node: Node): Tensor | undefined {
  for (const [name, attribute] of node.attributes) {
    const known = name.startsWith("value") || name === "sparse_value";
    if (!known) continue;
    switch (attribute.kind) {
      case "tensor":
        return attribute.value;
      case "float":
        return scalar(attribute.value);
      case "floats":
        return float32([attribute.value.length], attribute.value);
      case "int":
        return tensor("int64", [], BigInt64Array.of(BigInt(attribute.value)));
      case "ints":
        return attribute.value.every((value) => typeof value === "number")
          ? int64s(attribute.value)
          : tensor(
            "int64",
            [attribute.value.length],
            BigInt64Array.from(attribute.value.map((value) => BigInt(value))),
          );
      case "string":
        return tensor("string", [], [attribute.value]);
      case "strings":
        return tensor("string", [attribute.value.length], [...attribute.value]);
      default:
        return undefined;
    }
  }
  throw new UserError(`Node ${describeNode(node)} holds no value`);
}

/**
 * The same model with its `Constant` nodes as initializers, for readers that look for constants there; sparse ones stay
 * nodes. Other nodes and tensors are the model's own: nothing of it is to be changed.
 */
export function withConstantsAsInitializers(model: Model): Model {
  const { graph } = model;
  if (!graph.nodes.some(isConstant)) return model;
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const value = isConstant(node) ? constantOfNode(node) : undefined;
    if (value === undefined) return true;
    initializers.set(node.outputs[0]!, value);
    return false;
  });
  return { ...model, graph: { ...graph, nodes, initializers } };
}

function isConstant({ opType, domain }: Node): boolean {
  return opType === "Constant" && domain === "";
}
