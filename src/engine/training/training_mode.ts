/**
 * A model as training sees it: batch normalization by the batch's statistics, and what can be trained.
 *
 * @module
 */

import { Emitter } from "../autodiff/emitter.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import type { Carried } from "./options.ts";

/**
 * Switches every BatchNormalization to the batch's statistics, in place.
 *
 * With momentum 0 the node gives the batch's own statistics, which its gradient needs; the running ones are
 * computed beside it.
 *
 * @param momentum Share of the running statistics that each step keeps.
 * @returns The running statistics, to be carried from step to step.
 */
export function enterTrainingMode(graph: Graph, momentum = 0.9): Map<string, Carried> {
  const carried = new Map<string, Carried>();
  const inference = graph.nodes;
  graph.nodes = [];
  const emit = new Emitter(graph, "batch");
  emit.reserve({ ...graph, nodes: inference });
  for (const node of inference) {
    const running = node.inputs.slice(3, 5);
    const stored = running.every((name) => graph.initializers.has(name));
    if (node.opType !== "BatchNormalization" || node.domain !== "" || !stored) {
      // A normalization whose statistics are computed has nothing to carry and stays as it is.
      graph.nodes.push(node);
      continue;
    }
    // ONNX Runtime writes these outputs over the node's inputs 3 and 4, which must therefore be no one else's.
    const scratch = running.map((name) => emit.sub(name, name));
    const batch = running.map((name) => emit.fresh(name));
    graph.nodes.push({
      ...node,
      inputs: [...node.inputs.slice(0, 3), ...scratch],
      outputs: [node.outputs[0]!, ...batch],
      attributes: new Map([
        ...node.attributes,
        ["training_mode", { kind: "int", value: 1 }],
        ["momentum", { kind: "float", value: 0 }],
      ]),
    });
    running.forEach((name, index) => {
      const kept = emit.mul(name, emit.scalar(momentum, "float32"));
      const next = emit.add(kept, emit.mul(batch[index]!, emit.scalar(1 - momentum, "float32")));
      carried.set(name, { initial: graph.initializers.get(name)!, next });
    });
  }
  return carried;
}

/** What a parameter is to its node: decides how it starts and whether it decays. */
export type ParameterRole = "weight" | "bias" | "scale" | "mean" | "variance" | "slope";

/** A float32 initializer that a network learns or estimates. */
export interface Parameter {
  readonly name: string;
  readonly role: ParameterRole;
  readonly tensor: Tensor<"float32">;
  /** How many inputs go into one output of its node; for weights. */
  readonly fanIn: number;
}

const ROLES: Readonly<Record<string, readonly (ParameterRole | undefined)[]>> = {
  Conv: [undefined, "weight", "bias"],
  ConvTranspose: [undefined, "weight", "bias"],
  Gemm: ["weight", "weight", "bias"],
  MatMul: ["weight", "weight"],
  BatchNormalization: [undefined, "scale", "bias", "mean", "variance"],
  LayerNormalization: [undefined, "scale", "bias"],
  InstanceNormalization: [undefined, "scale", "bias"],
  PRelu: [undefined, "slope"],
};

/** The parameters of a graph, each once, in the order of the nodes that use them. */
export function parametersOf(graph: Graph): Parameter[] {
  const found = new Map<string, Parameter>();
  for (const node of graph.nodes) {
    node.inputs.forEach((name, index) => {
      const role = roleOf(graph, node, index);
      const tensor = graph.initializers.get(name);
      if (role === undefined || tensor?.type !== "float32" || found.has(name)) return;
      found.set(name, {
        name,
        role,
        tensor: tensor as Tensor<"float32">,
        fanIn: role === "weight" ? fanIn(node, index, tensor.dims) : 0,
      });
    });
  }
  return [...found.values()];
}

function roleOf(graph: Graph, node: Node, index: number): ParameterRole | undefined {
  if (node.domain !== "") return undefined;
  if (node.opType === "Add") {
    // A bias written as an addition: one constant vector beside a computed value.
    const dims = graph.initializers.get(node.inputs[index]!)?.dims ?? [];
    const wide = dims.filter((dim) => dim !== 1).length === 1;
    return wide && !graph.initializers.has(node.inputs[1 - index]!) ? "bias" : undefined;
  }
  return ROLES[node.opType]?.[index];
}

function fanIn(node: Node, index: number, dims: readonly number[]): number {
  const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1);
  switch (node.opType) {
    case "Conv":
      return product(dims.slice(1));
    case "ConvTranspose":
      return dims[0]! * product(dims.slice(2));
    case "Gemm": {
      const transposed = node.attributes.get(index === 0 ? "transA" : "transB");
      const flipped = transposed?.kind === "int" && Number(transposed.value) !== 0;
      return dims[(index === 0) !== flipped ? 1 : 0]!;
    }
    default:
      return index === 0 ? dims.at(-1)! : dims.at(-2) ?? dims[0]!;
  }
}
