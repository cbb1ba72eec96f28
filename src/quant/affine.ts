/**
 * Nodes that scale and shift each channel: batch normalization at inference, and arithmetic with a constant.
 *
 * @module
 */

import { getFloat, getInt } from "../onnx/attributes.ts";
import { constantValue } from "../onnx/edit.ts";
import type { Graph, Node } from "../onnx/model.ts";
import type { Tensor } from "../onnx/tensor.ts";

/** y = scale · x + shift, one pair a channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** How the value that is scaled and shifted is laid out. */
export interface Layout {
  readonly rank: number;
  /** The channel axis. */
  readonly axis: number;
  readonly channels: number;
}

/**
 * What a node does to one of its inputs, if that is to scale and shift its channels by constants.
 *
 * @param input The input in question.
 */
export function affineOf(
  graph: Graph,
  node: Node,
  input: string,
  layout: Layout,
): Affine | undefined {
  if (node.domain !== "") return undefined;
  if (node.opType === "BatchNormalization") return batchNormalization(graph, node, input, layout);
  const [left, right] = node.inputs;
  if (node.inputs.length !== 2 || left === right) return undefined;
  const operand = constantValue(graph, left === input ? right! : left!);
  const values = operand && perChannel(operand, layout);
  if (values === undefined) return undefined;
  const fill = (value: number) => new Float64Array(layout.channels).fill(value);
  switch (node.opType) {
    case "Add":
      return { scale: fill(1), shift: values };
    case "Mul":
      return { scale: values, shift: fill(0) };
    case "Sub":
      return left === input
        ? { scale: fill(1), shift: values.map((value) => -value) }
        : { scale: fill(-1), shift: values };
    case "Div":
      return left === input
        ? { scale: values.map((value) => 1 / value), shift: fill(0) }
        : undefined;
    default:
      return undefined;
  }
}

/** y = γ · (x − μ) / √(σ² + ε) + β (Ioffe and Szegedy 2015). */
function batchNormalization(
  graph: Graph,
  node: Node,
  input: string,
  layout: Layout,
): Affine | undefined {
  if (node.inputs[0] !== input || layout.axis !== 1) return undefined;
  if (getInt(node, "training_mode", 0) !== 0) return undefined;
  const [gamma, beta, mean, variance] = node.inputs.slice(1, 5).map((name) => {
    const data = constantValue(graph, name);
    return data?.type === "float32" && data.dims[0] === layout.channels
      ? data.data as Float32Array
      : undefined;
  });
  if (!gamma || !beta || !mean || !variance) return undefined;
  // The file holds epsilon in float32, and the runtime computes with that.
  const epsilon = Math.fround(getFloat(node, "epsilon", 1e-5));
  const scale = Float64Array.from(
    gamma,
    (value, channel) => value / Math.sqrt(variance[channel]! + epsilon),
  );
  const shift = Float64Array.from(
    beta,
    (value, channel) => value - mean[channel]! * scale[channel]!,
  );
  return { scale, shift };
}

/** The values of a constant per channel; `undefined` if it does not broadcast over everything else. */
export function perChannel(operand: Tensor, layout: Layout): Float64Array | undefined {
  if (operand.type !== "float32" || operand.dims.length > layout.rank) return undefined;
  const dims = [...Array<number>(layout.rank - operand.dims.length).fill(1), ...operand.dims];
  const length = dims[layout.axis]!;
  if (length !== 1 && length !== layout.channels) return undefined;
  if (dims.some((dim, axis) => axis !== layout.axis && dim !== 1)) return undefined;
  const data = operand.data as Float32Array;
  return Float64Array.from(
    { length: layout.channels },
    (_, channel) => data[length === 1 ? 0 : channel]!,
  );
}
