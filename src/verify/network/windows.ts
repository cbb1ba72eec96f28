/**
 * Operators that move a window over an image: convolutions and pools.
 *
 * @module
 */

import { getInt, getInts, getString } from "../../onnx/attributes.ts";
import type { Node } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { applyAbsolute, type ConvolutionGeometry, type ConvolutionMap } from "./linear_map.ts";
import type { Lowering, Place } from "./lowering.ts";

/** Conv over one or two axes. */
export function convolution(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const weights = lowering.constant(node, 1)!;
  const groups = getInt(node, "group", 1);
  const geometry = geometryOf(node, lowering, x, weights.dims.slice(2), weights.dims[0]!, groups);
  const map = convolutionMap(geometry, weights.data, weights.relativeError || undefined);
  const dims = outputDims(x, geometry);
  lowering.addAffine(node, [{ input: x.number, map }], dims);
  const bias = lowering.constant(node, 2);
  if (bias === undefined) return;
  const positions = elementCount(geometry.output);
  const addends = Float64Array.from(
    { length: map.rows },
    (_, at) => bias.data[Math.floor(at / positions)]!,
  );
  const errors = bias.relativeError === 0
    ? undefined
    : addends.map((value) => Math.abs(value) * bias.relativeError);
  lowering.addBias(node, lowering.value(node.outputs[0]!)!, addends, dims, errors);
}

/** AveragePool, as a convolution of each channel by itself. */
export function averagePool(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const kernel = getInts(node, "kernel_shape")!;
  const geometry = geometryOf(node, lowering, x, kernel, x.dims[1]!, x.dims[1]!);
  const count = elementCount(kernel);
  const weights = new Float64Array(geometry.channels * count);
  if (getInt(node, "count_include_pad", 0) !== 0) {
    if (getInt(node, "ceil_mode", 0) !== 0) {
      throw lowering.unsupported(node, "count_include_pad and ceil_mode must not be set together");
    }
    weights.fill(1 / count);
    const map = convolutionMap(geometry, weights, 2 ** -53);
    lowering.addAffine(node, [{ input: x.number, map }], outputDims(x, geometry));
    return;
  }
  const sums = convolutionMap(geometry, weights.fill(1));
  const counts = applyAbsolute(sums, new Float64Array(sums.columns).fill(1));
  const dims = outputDims(x, geometry);
  if (counts.every((each) => each === count)) {
    const map = convolutionMap(geometry, weights.fill(1 / count), 2 ** -53);
    lowering.addAffine(node, [{ input: x.number, map }], dims);
    return;
  }
  const summed = lowering.addAffine(node, [{ input: x.number, map: sums }], dims);
  const factors = counts.map((each) => 1 / each);
  const size = elementCount(dims);
  lowering.addAffine(node, [{
    input: summed.number,
    map: { kind: "diagonal", rows: size, columns: size, factors, relativeError: 2 ** -53 },
  }], dims);
}

/** GlobalAveragePool. */
export function globalAveragePool(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  const channels = x.dims[1]!;
  const [height, width] = plane(node, lowering, x.dims.slice(2), 1);
  const weights = new Float64Array(channels * height * width).fill(1 / (height * width));
  const map = convolutionMap(
    {
      channels,
      outputs: channels,
      groups: channels,
      input: [height, width],
      output: [1, 1],
      kernel: [height, width],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0],
    },
    weights,
    2 ** -53,
  );
  lowering.addAffine(node, [{ input: x.number, map }], [
    x.dims[0]!,
    channels,
    ...x.dims.slice(2).map(() => 1),
  ]);
}

/** MaxPool. */
export function maxPool(node: Node, lowering: Lowering): void {
  const x = lowering.activation(node, 0);
  if (node.outputs.length > 1 && node.outputs[1] !== "") {
    throw lowering.unsupported(node, "its indices must not be used");
  }
  const geometry = geometryOf(
    node,
    lowering,
    x,
    getInts(node, "kernel_shape")!,
    x.dims[1]!,
    x.dims[1]!,
  );
  const window = elementCount(geometry.kernel);
  const dims = outputDims(x, geometry);
  const sources = new Int32Array(elementCount(dims) * window);
  const { input, output, kernel, strides, dilations, pads } = geometry;
  let at = 0;
  for (let channel = 0; channel < geometry.channels; channel++) {
    for (let oy = 0; oy < output[0]; oy++) {
      for (let ox = 0; ox < output[1]; ox++) {
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const y = oy * strides[0] - pads[0] + ky * dilations[0];
            const column = ox * strides[1] - pads[1] + kx * dilations[1];
            const inside = y >= 0 && y < input[0] && column >= 0 && column < input[1];
            sources[at++] = inside ? (channel * input[0] + y) * input[1] + column : -1;
          }
        }
      }
    }
  }
  lowering.add(node, { kind: "maxpool", input: x.number, window, sources }, dims);
}

function convolutionMap(
  geometry: ConvolutionGeometry,
  weights: Float64Array,
  relativeError?: number,
): ConvolutionMap {
  return {
    ...(relativeError === undefined ? {} : { relativeError }),
    kind: "convolution",
    rows: geometry.outputs * elementCount(geometry.output),
    columns: geometry.channels * elementCount(geometry.input),
    weights,
    geometry,
  };
}

function outputDims(x: Place, { outputs, output }: ConvolutionGeometry): number[] {
  return [x.dims[0]!, outputs, ...(x.dims.length === 3 ? [output[1]] : output)];
}

/** One or two axes as (height, width). */
function plane(
  node: Node,
  lowering: Lowering,
  axes: readonly number[],
  front: number,
): [number, number] {
  if (axes.length === 1) return [front, axes[0]!];
  if (axes.length === 2) return [axes[0]!, axes[1]!];
  throw lowering.unsupported(node, `it must have one or two spatial axes: it has ${axes.length}`);
}

function geometryOf(
  node: Node,
  lowering: Lowering,
  x: Place,
  kernelShape: readonly number[],
  outputs: number,
  groups: number,
): ConvolutionGeometry {
  const axes = x.dims.slice(2);
  const rank = axes.length;
  const ones = new Array<number>(rank).fill(1);
  const input = plane(node, lowering, axes, 1);
  const kernel = plane(node, lowering, kernelShape, 1);
  const strides = plane(node, lowering, getInts(node, "strides", ones), 1);
  const dilations = plane(node, lowering, getInts(node, "dilations", ones), 1);
  const given = getInts(node, "pads", new Array<number>(2 * rank).fill(0));
  const mode = getString(node, "auto_pad", "NOTSET");
  const begin = mode === "NOTSET" ? plane(node, lowering, given.slice(0, rank), 0) : [0, 0];
  const end = mode === "NOTSET" ? plane(node, lowering, given.slice(rank), 0) : [0, 0];
  const ceil = getInt(node, "ceil_mode", 0) !== 0;
  const pads: [number, number] = [begin[0]!, begin[1]!];
  const output: [number, number] = [0, 0];
  for (const axis of [0, 1] as const) {
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
      output[axis] = Math.ceil(input[axis] / strides[axis]);
      const total = Math.max((output[axis] - 1) * strides[axis] + reach - input[axis], 0);
      pads[axis] = mode === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
      continue;
    }
    const places = input[axis] + pads[axis] + end[axis]! - reach;
    output[axis] = (ceil ? Math.ceil : Math.floor)(places / strides[axis]) + 1;
    // A window that begins in the padding at the end is dropped.
    if (ceil && (output[axis] - 1) * strides[axis] >= input[axis] + pads[axis]) output[axis]--;
  }
  return { channels: x.dims[1]!, outputs, groups, input, output, kernel, strides, dilations, pads };
}
