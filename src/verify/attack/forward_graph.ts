/**
 * A paired network as a float32 graph of both networks, on a batch of points, as the gradient compiler takes it.
 *
 * @module
 */

import { GraphBuilder } from "../../onnx/build.ts";
import type { Model } from "../../onnx/model.ts";
import { float32 } from "../../onnx/tensor.ts";
import type { ConvolutionMap, LinearMap } from "../network/linear_map.ts";
import {
  type PairedNetwork,
  type PairedStep,
  type Quantizer,
  type Side,
  SIDES,
} from "../network/network.ts";

/**
 * Input `points` [points, inputs], input `weights` [points, outputs]; outputs `difference` [points, outputs], which is
 * f′ − f, and `objective`, the sum of the differences by their weights.
 */
export function differenceGraph(network: PairedNetwork, points: number): Model {
  const builder = new GraphBuilder("difference");
  const x = builder.input("points", "float32", [points, network.input.size]);
  const [original, quantized] = SIDES.map((side) => {
    const values = [x];
    for (const step of network.steps) values.push(emitStep(builder, step, side, values, points));
    return values[network.output]!;
  });
  builder.op("Sub", [quantized!, original!], {}, { name: "difference" });
  const size = network.output === 0 ? network.input.size : network.steps[network.output - 1]!.size;
  const weights = builder.input("weights", "float32", [points, size]);
  const weighted = builder.op("Mul", ["difference", weights]);
  builder.op("ReduceSum", [weighted], { keepdims: 0 }, { name: "objective" });
  builder.output("difference");
  builder.output("objective");
  return builder.build();
}

function emitStep(
  builder: GraphBuilder,
  step: PairedStep,
  side: Side,
  values: readonly string[],
  points: number,
): string {
  if (step.kind === "affine") {
    const parts = step.terms.map(({ input, map }) =>
      emitMap(builder, map[side], values[input]!, points)
    );
    parts.push(builder.constant(float32([1, step.size], step.offset[side].values)));
    return parts.slice(1).reduce((sum, part) => builder.op("Add", [sum, part]), parts[0]!);
  }
  const x = values[step.input]!;
  switch (step.kind) {
    case "relu":
      return builder.op("Relu", [x]);
    case "sigmoid":
      return builder.op("Sigmoid", [x]);
    case "tanh":
      return builder.op("Tanh", [x]);
    case "maxpool": {
      const taken = gather(builder, x, step.sources, points, -3e38);
      const windows = reshape(builder, taken, [points, step.size, step.window]);
      return builder.op("ReduceMax", [windows, builder.constant([2])], { keepdims: 0 });
    }
    case "quantize": {
      const quantizer = step.quantizer[side];
      return quantizer === undefined ? x : emitQuantizer(builder, quantizer, x);
    }
  }
}

/** The grid in elementary operators, whose gradient lets through what is not saturated. */
function emitQuantizer(builder: GraphBuilder, quantizer: Quantizer, x: string): string {
  const { scale, zeroPoint, qmin, qmax } = quantizer;
  const scales = builder.constant(float32([1, scale.length], scale));
  const zeros = builder.constant(float32([1, scale.length], zeroPoint));
  const level = builder.op("Add", [builder.op("Round", [builder.op("Div", [x, scales])]), zeros]);
  const clipped = builder.op("Clip", [level, builder.constant(qmin), builder.constant(qmax)]);
  return builder.op("Mul", [builder.op("Sub", [clipped, zeros]), scales]);
}

function emitMap(builder: GraphBuilder, map: LinearMap, x: string, points: number): string {
  switch (map.kind) {
    case "identity":
      return x;
    case "diagonal":
      return builder.op("Mul", [x, builder.constant(float32([1, map.rows], map.factors))]);
    case "index":
      return gather(builder, x, map.sources, points, 0);
    case "dense": {
      const weights = builder.constant(float32([map.rows, map.columns], map.weights));
      return builder.op("Gemm", [x, weights], { transB: 1 });
    }
    case "convolution":
      return emitConvolution(builder, map, x, points);
  }
}

function emitConvolution(
  builder: GraphBuilder,
  { rows, weights, geometry }: ConvolutionMap,
  x: string,
  points: number,
): string {
  const { channels, outputs, groups, input, output, kernel, strides, dilations, pads } = geometry;
  const shaped = reshape(builder, x, [points, channels, ...input]);
  // Where the last windows leave elements out, less padding at the end gives the same windows.
  const ends = ([0, 1] as const).map((axis) => {
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.max((output[axis] - 1) * strides[axis] + reach - input[axis] - pads[axis], 0);
  });
  const kernels = builder.constant(float32([outputs, channels / groups, ...kernel], weights));
  const result = builder.op("Conv", [shaped, kernels], {
    group: groups,
    kernel_shape: [...kernel],
    strides: [...strides],
    dilations: [...dilations],
    pads: [...pads, ...ends],
  });
  return reshape(builder, result, [points, rows]);
}

/** Columns by number; −1 is a column of one value. */
function gather(
  builder: GraphBuilder,
  x: string,
  sources: Int32Array,
  points: number,
  fill: number,
): string {
  const filled = sources.includes(-1)
    ? builder.op("Concat", [
      builder.constant(float32([points, 1], new Float32Array(points).fill(fill))),
      x,
    ], { axis: 1 })
    : undefined;
  const offset = filled === undefined ? 0 : 1;
  const indices = builder.constant(Array.from(sources, (source) => source + offset));
  return builder.op("Gather", [filled ?? x, indices], { axis: 1 });
}

function reshape(builder: GraphBuilder, x: string, dims: readonly number[]): string {
  return builder.op("Reshape", [x, builder.constant([...dims])]);
}
