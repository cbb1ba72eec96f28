/**
 * Weight gradients of depthwise convolutions over small images.
 *
 * For each column of the kernel, a matrix product multiplies every row of the upstream gradient with every row
 * of the shifted input, over batch and columns at once. Kernel row i needs the pairs of rows that are i apart: a
 * band of the product, summed by a second product with a zero-one matrix. Most of the first product is waste, and
 * still faster than reading the images once for every kernel position.
 *
 * @module
 */

import { float32 } from "../../../onnx/tensor.ts";
import type { Emitter } from "../emitter.ts";
import type { WeightProblem } from "./weight_gradient.ts";

/** Emits the weight gradient of a 2-D convolution with one channel a group and no strides. */
export function weightsByBands(emit: Emitter, problem: WeightProblem): string {
  const { xDims, upstreamDims, window } = problem;
  const [batch, channels, height, width] = xDims as [number, number, number, number];
  const [, outputs, rows, columns] = upstreamDims as [number, number, number, number];
  const { group, strides, dilations, begins } = window;
  const [kernelRows, kernelColumns] = window.kernel as [number, number];
  if (channels !== group || outputs !== group || strides.some((stride) => stride !== 1)) {
    throw new RangeError("Formulation bands needs one channel a group and no strides");
  }
  const batchLate = [1, 2, 0, 3];
  const left = emit.reshape(
    emit.transpose(problem.upstream, batchLate),
    [group, rows, batch * columns],
  );
  const x = emit.transpose(problem.x, batchLate);
  const bands = new Float32Array(rows * height * kernelRows);
  for (let row = 0; row < rows; row++) {
    for (let element = 0; element < kernelRows; element++) {
      const met = row + element * dilations[0]! - begins[0]!;
      if (met >= 0 && met < height) bands[(row * height + met) * kernelRows + element] = 1;
    }
  }
  const selection = emit.constant(float32([rows * height, kernelRows], bands), "bands");
  const parts = Array.from({ length: kernelColumns }, (_, element) => {
    const offset = element * dilations[1]! - begins[1]!;
    const shifted = emit.padAxis(
      x,
      [channels, height, batch, width],
      3,
      [-offset || 0, offset + columns - width],
      problem.type,
    );
    const right = emit.reshape(shifted, [group, height, batch * columns]);
    const product = emit.op("MatMul", [left, emit.transpose(right, [0, 2, 1])]);
    const summed = emit.op("MatMul", [emit.reshape(product, [group, rows * height]), selection]);
    return emit.reshape(summed, [group, 1, kernelRows, 1]);
  });
  return emit.concat(parts, 3);
}
