/**
 * Folding what follows a linear operator into its weights and bias.
 *
 * @module
 */

import { getInt } from "../../../onnx/attributes.ts";
import { constantValue, consumers, removeNodes, uniqueName } from "../../../onnx/edit.ts";
import type { Graph, Node } from "../../../onnx/model.ts";
import { float32, type Tensor } from "../../../onnx/tensor.ts";
import { type Affine, affineOf, type Layout } from "../../../quant/affine.ts";
import {
  type ChannelStatistics,
  statisticsOfNode,
} from "../../../quant/distributions/batch_norm.ts";

/** How the weights of an operator map to output channels. */
interface Weights {
  readonly tensor: Tensor<"float32">;
  readonly layout: Layout;
  /** The output channel of the weight at an index. */
  channelAt(index: number): number;
}

/** What was folded. */
export interface FoldCount {
  batchNorms: number;
  /** Additions, multiplications and the like with a constant per channel. */
  others: number;
  /** What is known of the values that folded nodes gave out. */
  statistics: Map<string, ChannelStatistics>;
}

/** Which nodes to fold. */
export interface FoldOptions {
  readonly batchNorm: boolean;
  readonly arithmetic: boolean;
  /** What is known of values from earlier folding. */
  readonly statistics: ReadonlyMap<string, ChannelStatistics>;
}

/**
 * Folds batch normalization, and arithmetic with a constant per channel, into the convolution, Gemm or MatMul before
 * it. Computed in float64 and rounded once.
 */
export function foldAffine(graph: Graph, options: FoldOptions): FoldCount {
  const count = { batchNorms: 0, others: 0, statistics: new Map(options.statistics) };
  const outputs = new Set(graph.outputs.map((output) => output.name));
  for (const node of [...graph.nodes]) {
    for (;;) {
      const result = node.outputs[0]!;
      const uses = consumers(graph).get(result) ?? [];
      const next = uses[0]?.node;
      if (next === undefined || uses.length !== 1 || outputs.has(result)) break;
      const isBatchNorm = next.opType === "BatchNormalization";
      if (isBatchNorm ? !options.batchNorm : !options.arithmetic) break;
      const known = statisticsOfNode(graph, next);
      const affine = foldInto(graph, node, next);
      if (affine === undefined) break;
      const before = count.statistics.get(result);
      count.statistics.delete(result);
      const after = known ?? (before && moved(before, affine));
      if (after !== undefined) count.statistics.set(next.outputs[0]!, after);
      if (isBatchNorm) count.batchNorms++;
      else count.others++;
    }
  }
  return count;
}

/** The statistics of a value that is scaled and shifted. */
function moved(
  { mean, deviation }: ChannelStatistics,
  { scale, shift }: Affine,
): ChannelStatistics {
  return {
    mean: mean.map((value, channel) => value * scale[channel]! + shift[channel]!),
    deviation: deviation.map((value, channel) => value * Math.abs(scale[channel]!)),
  };
}

/** Folds a node into the one before it, if that can be: what it did. */
function foldInto(graph: Graph, node: Node, next: Node): Affine | undefined {
  const weights = weightsOf(graph, node);
  const affine = weights && affineOf(graph, next, node.outputs[0]!, weights.layout);
  if (weights === undefined || affine === undefined) return undefined;
  if (![...affine.scale, ...affine.shift].every(Number.isFinite)) return undefined;
  const hasBias = node.opType !== "MatMul";
  if (!hasBias && affine.shift.some((shift) => shift !== 0)) return undefined;
  if (hasBias && !foldBias(graph, node, affine)) return undefined;
  const { tensor, channelAt } = weights;
  const scaled = tensor.data.map((value, index) => value * affine.scale[channelAt(index)]!);
  setConstant(graph, node, 1, float32(tensor.dims, scaled), "weight");
  removeNodes(graph, [next]);
  graph.values.delete(node.outputs[0]!);
  node.outputs[0] = next.outputs[0]!;
  return affine;
}

function foldBias(graph: Graph, node: Node, { scale, shift }: Affine): boolean {
  const name = node.inputs[2] ?? "";
  const bias = name === "" ? undefined : constantValue(graph, name);
  if (name !== "" && (bias?.type !== "float32" || bias.data.length !== scale.length)) return false;
  const old = bias?.data as Float32Array | undefined;
  const values = shift.map((value, channel) => (old?.[channel] ?? 0) * scale[channel]! + value);
  setConstant(graph, node, 2, float32([scale.length], Float32Array.from(values)), "bias");
  return true;
}

/** Gives a node input a new constant; other nodes that read the old one keep it. */
function setConstant(
  graph: Graph,
  node: Node,
  index: number,
  value: Tensor,
  what: string,
): void {
  const old = node.inputs[index] ?? "";
  const shared = old !== "" && (consumers(graph).get(old)?.length ?? 0) > 1;
  const name = old !== "" && !shared && graph.initializers.has(old)
    ? old
    : uniqueName(graph, `${node.name || node.outputs[0]}.${what}`);
  graph.initializers.set(name, value);
  graph.values.delete(name);
  node.inputs[index] = name;
}

function weightsOf(graph: Graph, node: Node): Weights | undefined {
  if (node.domain !== "") return undefined;
  const found = constantValue(graph, node.inputs[1] ?? "");
  if (found?.type !== "float32") return undefined;
  const tensor = found as Tensor<"float32">;
  const { dims } = tensor;
  const rank = dims.length;
  const last = dims.at(-1) ?? 0;
  switch (node.opType) {
    case "Conv": {
      const size = tensor.data.length / dims[0]!;
      const layout = { rank, axis: 1, channels: dims[0]! };
      return { tensor, layout, channelAt: (index) => Math.floor(index / size) };
    }
    case "ConvTranspose": {
      const groups = getInt(node, "group", 1);
      const size = tensor.data.length / (dims[0]! * dims[1]!);
      const rows = dims[0]! / groups;
      return {
        tensor,
        layout: { rank, axis: 1, channels: dims[1]! * groups },
        channelAt: (index) => {
          const row = Math.floor(index / (dims[1]! * size));
          return Math.floor(row / rows) * dims[1]! + Math.floor(index / size) % dims[1]!;
        },
      };
    }
    case "Gemm": {
      if (rank !== 2) return undefined;
      const byRow = getInt(node, "transB", 0) === 1;
      const layout = { rank: 2, axis: 1, channels: byRow ? dims[0]! : last };
      return {
        tensor,
        layout,
        channelAt: (index) => byRow ? Math.floor(index / last) : index % last,
      };
    }
    case "MatMul": {
      if (rank !== 2) return undefined;
      // The rank of the result is that of the left operand; a constant of rank 1 fits any.
      const layout = { rank: 1, axis: 0, channels: last };
      return { tensor, layout, channelAt: (index) => index % last };
    }
    default:
      return undefined;
  }
}
