/**
 * Which channels each weight of a linear layer connects.
 *
 * @module
 */

import { getFloat, getInt } from "../onnx/attributes.ts";
import { constantValue } from "../onnx/edit.ts";
import type { Graph, Node } from "../onnx/model.ts";
import { elementCount, type Tensor } from "../onnx/tensor.ts";

/** A layer whose outputs are sums over its inputs, channel by channel: Conv, Gemm or MatMul with constant weights. */
export interface ChannelLayer {
  readonly node: Node;
  readonly weights: Tensor<"float32">;
  readonly inputs: number;
  readonly outputs: number;
  /** What the products count: 1 but for a Gemm with another alpha. */
  readonly factor: number;
  /** The output channel of the weight at an index. */
  outputAt(index: number): number;
  /** The input channel of the weight at an index. */
  inputAt(index: number): number;
}

/** A node as such a layer; `undefined` if it is none. */
export function channelLayer(graph: Graph, node: Node): ChannelLayer | undefined {
  if (node.domain !== "") return undefined;
  const found = constantValue(graph, node.inputs[1] ?? "");
  if (found?.type !== "float32" || constantValue(graph, node.inputs[0]!) !== undefined) {
    return undefined;
  }
  const weights = found as Tensor<"float32">;
  const { dims } = weights;
  switch (node.opType) {
    case "Conv": {
      if (dims.length < 3) return undefined;
      const groups = getInt(node, "group", 1);
      const size = elementCount(dims.slice(2));
      const [outputs, within] = dims as [number, number];
      const perGroup = outputs / groups;
      return {
        node,
        weights,
        outputs,
        inputs: within * groups,
        factor: 1,
        outputAt: (index) => Math.floor(index / (within * size)),
        inputAt: (index) => {
          const output = Math.floor(index / (within * size));
          return Math.floor(output / perGroup) * within + Math.floor(index / size) % within;
        },
      };
    }
    case "Gemm":
    case "MatMul": {
      if (dims.length !== 2) return undefined;
      if (getInt(node, "transA", 0) !== 0) return undefined;
      const isByOutput = node.opType === "Gemm" && getInt(node, "transB", 0) === 1;
      const [rows, columns] = dims as [number, number];
      const row = (index: number) => Math.floor(index / columns);
      const column = (index: number) => index % columns;
      return {
        node,
        weights,
        outputs: isByOutput ? rows : columns,
        inputs: isByOutput ? columns : rows,
        factor: node.opType === "Gemm" ? getFloat(node, "alpha", 1) : 1,
        outputAt: isByOutput ? row : column,
        inputAt: isByOutput ? column : row,
      };
    }
    default:
      return undefined;
  }
}

/** The constant bias of a layer as it is added, zeros where it has none; `undefined` if it is computed. */
export function layerBias(graph: Graph, { node, outputs }: ChannelLayer): Float64Array | undefined {
  const name = node.inputs[2] ?? "";
  if (name === "") return new Float64Array(outputs);
  const bias = constantValue(graph, name);
  if (bias?.type !== "float32" || bias.data.length !== outputs) return undefined;
  const beta = node.opType === "Gemm" ? getFloat(node, "beta", 1) : 1;
  return Float64Array.from(bias.data as Float32Array, (value) => value * beta);
}
