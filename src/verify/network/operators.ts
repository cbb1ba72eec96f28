/**
 * How each ONNX operator becomes steps, keyed by operator name.
 *
 * @module
 */

import { getFloat, getInt, getInts } from "../../onnx/attributes.ts";
import type { Node } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { fullShape, transposeSources } from "./constants.ts";
import type { Lowering } from "./lowering.ts";
import { batchNormalization, gemm, matMul, product, sum } from "./operators/affine.ts";
import { filled, listArgument, spread } from "./operators/arguments.ts";
import { clip, extreme, leaky } from "./operators/clamps.ts";
import { concat, index, moveTo, pad, slice } from "./operators/moves.ts";
import { dequantizeLinear, quantizeLinear } from "./operators/quantizers.ts";
import { averagePool, convolution, globalAveragePool, maxPool } from "./windows.ts";

/** Adds the steps of a node. */
export type OperatorRule = (node: Node, lowering: Lowering) => void;

/** The rules of the operators that bounds are known for. */
export const OPERATORS: Readonly<Record<string, OperatorRule>> = {
  Gemm: gemm,
  MatMul: matMul,
  Conv: convolution,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  MaxPool: maxPool,
  BatchNormalization: batchNormalization,
  Add: (node, lowering) => sum(node, lowering, 1),
  Sub: (node, lowering) => sum(node, lowering, -1),
  Mul: product,
  Div: product,
  Neg: (node, lowering) => {
    const x = lowering.activation(node, 0);
    lowering.addScaling(node, x, filled(x.dims, -1), undefined, x.dims);
  },
  Identity: moveTo(({ dims }) => dims),
  Dropout: (node, lowering) => {
    if (lowering.constant(node, 2)?.data[0]) {
      throw lowering.unsupported(node, "it drops values at random in training mode");
    }
    const { number, dims } = lowering.activation(node, 0);
    lowering.alias(node, number, dims);
  },
  Flatten: moveTo(({ dims }, node) => {
    const axis = getInt(node, "axis", 1);
    const front = elementCount(dims.slice(0, axis < 0 ? axis + dims.length : axis));
    return [front, elementCount(dims) / front];
  }),
  Reshape: moveTo(({ dims }, node, lowering) =>
    fullShape(dims, [...lowering.constant(node, 1)!.data])
  ),
  Squeeze: moveTo(({ dims }, node, lowering) => {
    const axes = listArgument(node, lowering, 1, "axes");
    return dims.filter((dim, at) =>
      axes === undefined
        ? dim !== 1
        : !axes.some((axis) => (axis + dims.length) % dims.length === at)
    );
  }),
  Unsqueeze: moveTo(({ dims }, node, lowering) => {
    const axes = listArgument(node, lowering, 1, "axes") ?? [];
    const rank = dims.length + axes.length;
    const places = new Set(axes.map((axis) => (axis + rank) % rank));
    const rest = [...dims];
    return Array.from({ length: rank }, (_, at) => places.has(at) ? 1 : rest.shift()!);
  }),
  Transpose: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    const order = getInts(node, "perm", dims.map((_, axis) => dims.length - 1 - axis));
    index(node, lowering, number, transposeSources(dims, order), order.map((axis) => dims[axis]!));
  },
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Relu: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    lowering.add(node, { kind: "relu", input: number }, dims);
  },
  Sigmoid: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    lowering.add(node, { kind: "sigmoid", input: number }, dims);
  },
  Tanh: (node, lowering) => {
    const { number, dims } = lowering.activation(node, 0);
    lowering.add(node, { kind: "tanh", input: number }, dims);
  },
  LeakyRelu: (node, lowering) => {
    const x = lowering.activation(node, 0);
    leaky(node, lowering, x, filled(x.dims, Math.fround(getFloat(node, "alpha", 0.01))));
  },
  PRelu: (node, lowering) => {
    const x = lowering.activation(node, 0);
    const slopes = lowering.constant(node, 1)!;
    leaky(node, lowering, x, spread(node, lowering, slopes, x.dims), slopes.relativeError);
  },
  Clip: clip,
  Max: (node, lowering) => extreme(node, lowering, 1),
  Min: (node, lowering) => extreme(node, lowering, -1),
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};
