/**
 * What each ONNX operator means to quantization, keyed by operator name: which ones ONNX Runtime computes in
 * integers between a DequantizeLinear and a QuantizeLinear, and which ones only move values around.
 *
 * An operator that is not in the table stays in float.
 *
 * @module
 */

import { getInt, getString } from "../../onnx/attributes.ts";
import { constantValue } from "../../onnx/edit.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** Where the weights of an operator are and how their axes read. */
export interface WeightAxes {
  /** Index of the node input that holds the weights. */
  readonly input: number;
  /** Output channel axis: one scale per index with channel granularity. */
  readonly channel: number;
  /** Input channel axis: cut into blocks with group granularity. */
  readonly block: number;
}

/** An operator with weights and, perhaps, a bias. */
export interface WeightedRule {
  readonly role: "weighted";
  /** Where the weights are, for weights of the given rank; `undefined` if that rank cannot be quantized. */
  axes(node: Node, rank: number): WeightAxes | undefined;
  /** Index of the bias input, for operators that have one. */
  readonly bias?: number;
}

/** An operator over several activations: all of them and the result are quantized. */
export interface CombineRule {
  readonly role: "combine";
  /** Whether inputs that nothing else reads take the result's scale, so that no value is rounded twice. */
  readonly shares?: boolean;
}

/** An operator over one activation (input 0) that has its own integer kernel and its own output scale. */
export interface UnaryRule {
  readonly role: "unary";
}

/** An operator whose outputs hold values of input 0 (or zero) and nothing else: it keeps the input's scale. */
export interface MoveRule {
  readonly role: "move";
  /** Whether this node does so; where it does not, it stays in float. */
  applies?(node: Node, graph: Graph): boolean;
}

/** An activation that a following quantizer does by itself: the quantizer goes after it. */
export interface ClampRule {
  readonly role: "clamp";
  /** Whether this node is one; where it is not, it stays in float. */
  applies?(node: Node, graph: Graph): boolean;
}

/** What an operator means to quantization. */
export type OperatorRule = WeightedRule | CombineRule | UnaryRule | MoveRule | ClampRule;

const CONV: WeightedRule = {
  role: "weighted",
  axes: (_, rank) => rank >= 3 ? { input: 1, channel: 0, block: 1 } : undefined,
  bias: 2,
};

/** The rules of the standard ONNX operators. */
export const OPERATOR_RULES: Readonly<Record<string, OperatorRule>> = {
  Conv: CONV,
  ConvTranspose: {
    role: "weighted",
    axes: (_, rank) => rank >= 3 ? { input: 1, channel: 1, block: 0 } : undefined,
    bias: 2,
  },
  Gemm: {
    role: "weighted",
    axes: (node, rank) =>
      rank !== 2
        ? undefined
        : getInt(node, "transB", 0) === 1
        ? { input: 1, channel: 0, block: 1 }
        : { input: 1, channel: 1, block: 0 },
    bias: 2,
  },
  MatMul: {
    role: "weighted",
    axes: (_, rank) => rank >= 2 ? { input: 1, channel: rank - 1, block: rank - 2 } : undefined,
  },

  Add: { role: "combine" },
  Mul: { role: "combine" },
  Concat: { role: "combine", shares: true },

  AveragePool: { role: "unary" },
  GlobalAveragePool: { role: "unary" },
  ReduceMean: { role: "unary" },
  LeakyRelu: { role: "unary" },
  Sigmoid: { role: "unary" },

  MaxPool: { role: "move", applies: (node) => (node.outputs[1] ?? "") === "" },
  GlobalMaxPool: { role: "move" },
  ReduceMax: { role: "move" },
  Reshape: { role: "move" },
  Flatten: { role: "move" },
  Squeeze: { role: "move" },
  Unsqueeze: { role: "move" },
  Transpose: { role: "move" },
  Slice: { role: "move" },
  Split: { role: "move" },
  Expand: { role: "move" },
  Tile: { role: "move" },
  Gather: { role: "move" },
  DepthToSpace: { role: "move" },
  SpaceToDepth: { role: "move" },
  Identity: { role: "move" },
  Dropout: { role: "move" },
  Pad: { role: "move", applies: padsWithInput },
  Resize: {
    role: "move",
    applies: (node) => getString(node, "mode", "nearest") === "nearest",
  },

  Relu: { role: "clamp" },
  Clip: { role: "clamp" },
  // With a bound for each channel.
  Min: { role: "clamp", applies: hasConstantBound },
  Max: { role: "clamp", applies: hasConstantBound },
};

/** Whether a node's operator can have weights, in a form that is quantized or not. */
export function takesWeights({ domain, opType }: Node): boolean {
  return domain === "" && Object.hasOwn(OPERATOR_RULES, opType) &&
    OPERATOR_RULES[opType]!.role === "weighted";
}

/** The rule of a node; `undefined` where its operator stays in float. */
export function ruleOf(node: Node, graph: Graph): OperatorRule | undefined {
  if (node.domain !== "") return undefined;
  const rule = Object.hasOwn(OPERATOR_RULES, node.opType) ? OPERATOR_RULES[node.opType] : undefined;
  const isConditional = rule?.role === "move" || rule?.role === "clamp";
  return isConditional && rule.applies?.(node, graph) === false ? undefined : rule;
}

function hasConstantBound({ inputs }: Node, graph: Graph): boolean {
  return inputs.length === 2 && constantValue(graph, inputs[1]!) !== undefined;
}

/** Padding values are on the input's grid when they are copies of the input, or zero. */
function padsWithInput(node: Node, graph: Graph): boolean {
  if (getString(node, "mode", "constant") !== "constant") return true;
  const name = node.inputs[2] ?? "";
  if (name === "") return true;
  const value: Tensor | undefined = constantValue(graph, name);
  return value !== undefined && Number(value.data[0]) === 0;
}
