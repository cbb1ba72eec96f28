/**
 * A model as a {@linkcode Network}.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { describeNode } from "../../onnx/attributes.ts";
import type { Graph, Model, Node, ValueInfo } from "../../onnx/model.ts";
import { sortNodes } from "../../onnx/order.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { Constants } from "./constants.ts";
import { Lowering } from "./lowering.ts";
import type { Network } from "./network.ts";
import { OPERATORS } from "./operators.ts";

/**
 * Reads a model as a network.
 *
 * Flattening and reshaping leave no step behind; biases and batch normalization are folded into the affine map in
 * front of them; LeakyRelu, PRelu and Clip become Relu and affine maps.
 *
 * @throws {UserError} If the model has several inputs or outputs, an open shape beside the batch, or an operator that
 *   bound propagation does not know: names the node and the operator.
 */
export function lowerModel(model: Model): Network {
  const graph: Graph = { ...model.graph, nodes: [...model.graph.nodes] };
  sortNodes(graph);
  const constants = new Constants(graph);
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const [input, ...others] = inputs;
  const [output, ...rest] = graph.outputs;
  if (input === undefined || others.length > 0) {
    throw new UserError(
      `The model must have one input to be verified: it has ${listed(inputs) || "none"}`,
    );
  }
  if (output === undefined || rest.length > 0) {
    throw new UserError(
      `The model must have one output to be verified: it has ${listed(graph.outputs) || "none"}`,
    );
  }
  const dims = inputShape(input);
  const lowering = new Lowering(
    { name: input.name, dims, size: elementCount(dims) },
    constants,
    model.opsets.get("") ?? 1,
    consumerCounts(graph),
  );
  for (const node of graph.nodes) lowerNode(lowering, node);
  const result = lowering.value(output.name);
  if (result === undefined) {
    throw new UserError(`Output "${output.name}" does not depend on input "${input.name}"`);
  }
  return lowering.finish(result.number, output.name);
}

function lowerNode(lowering: Lowering, node: Node): void {
  const reads = node.inputs.some((name) => lowering.value(name) !== undefined);
  if (!reads) return;
  const rule = node.domain === "" || node.domain === "com.microsoft"
    ? OPERATORS[node.opType]
    : undefined;
  if (rule === undefined) {
    throw new UserError({
      message: `Node ${
        describeNode(node)
      } cannot be verified: there are no bounds for this operator`,
      hint: `Operators that can be: ${Object.keys(OPERATORS).sort().join(", ")}`,
    });
  }
  rule(node, lowering);
}

function inputShape({ name, dims }: ValueInfo): number[] {
  if (dims === undefined) throw new UserError(`Input "${name}" has no shape: verify needs one`);
  return dims.map((dim, axis) => {
    if (axis === 0 && typeof dim !== "number") return 1;
    if (typeof dim !== "number") {
      throw new UserError({
        message: `Dimension ${axis} of input "${name}" is open: verify needs a fixed shape`,
        hint: "Fix it with the stage `prepare`",
      });
    }
    if (axis === 0 && dims.length > 1 && dim !== 1) {
      throw new UserError(
        `Input "${name}" has a fixed batch of ${dim}: verify needs a batch of 1, or an open one`,
      );
    }
    return dim;
  });
}

function consumerCounts(graph: Graph): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(add);
  for (const { name } of graph.outputs) add(name);
  return counts;
}

function listed(values: readonly ValueInfo[]): string {
  return values.map(({ name }) => `"${name}"`).join(", ");
}
