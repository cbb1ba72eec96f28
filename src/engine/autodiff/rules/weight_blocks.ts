/**
 * Weight gradients by a convolution whose kernel is the upstream gradient, so that nothing is copied for the positions of
 * the kernel.
 *
 * @module
 */

import { elementCount } from "../../../onnx/tensor.ts";
import {
  convolveBlocks,
  fitsBlocks,
  fromBlocks,
  toBlocks,
  transposedWeightBlocks,
} from "../blocks.ts";
import type { Emitter } from "../emitter.ts";
import { paddedSizes, swappedWindow, type WeightProblem } from "./weight_gradient.ts";

/** Whether {@linkcode weightsByBlocks} can be used. */
export function weightBlocksFit(emit: Emitter, problem: WeightProblem): boolean {
  const { xDims, upstreamDims, window, type } = problem;
  // Of a depthwise convolution channels lie in blocks, else the items of the batch.
  const inner = window.group === 1 ? xDims[0]! : xDims[1]!;
  return fitsBlocks(emit, window, [inner, upstreamDims[1]!], type);
}

/** Emits the weight gradient. */
export function weightsByBlocks(emit: Emitter, problem: WeightProblem): string {
  if (!weightBlocksFit(emit, problem)) {
    throw new RangeError("Formulation blocks needs whole blocks of items and outputs");
  }
  return problem.window.group === 1 ? ofOneGroup(emit, problem) : depthwise(emit, problem);
}

/** The channels of the input are the items of that convolution, its items the channels. */
function ofOneGroup(emit: Emitter, problem: WeightProblem): string {
  const { xDims, upstreamDims, window } = problem;
  const [batch, channels] = xDims as [number, number, number, number];
  const batchSecond = emit.once(
    `batch-second:${problem.x}`,
    () => emit.transpose(problem.x, [1, 0, 2, 3]),
  );
  const images = padBlocks(emit, toBlocks(emit, batchSecond), [channels, batch], problem);
  // [M, N, …narrow], the transpose of the upstream gradient.
  const kernel = transposedWeightBlocks(emit, problem.upstream, upstreamDims);
  const result = convolveBlocks(emit, images, kernel, swappedWindow(problem, 1));
  // [C, M/b, …kernel, b]: channels go behind whole blocks of outputs, which is faster than behind single ones.
  const outputs = upstreamDims[1]!;
  const size = elementCount(window.kernel);
  const blocks = emit.transpose(
    emit.reshape(result, [channels, outputs / emit.block, size * emit.block]),
    [1, 0, 2],
  );
  const weights = fromBlocks(emit, emit.reshape(blocks, [1, outputs, channels * size, 1]), outputs);
  return emit.reshape(weights, [outputs, channels, ...window.kernel]);
}

/** Every channel of every item is a group of that convolution. */
function depthwise(emit: Emitter, problem: WeightProblem): string {
  const { xDims, upstreamDims, window } = problem;
  const [batch, channels] = xDims as [number, number, number, number];
  const groups = batch * channels;
  const images = padBlocks(emit, toBlocks(emit, problem.x), [1, groups], problem);
  const kernel = emit.reshape(
    toBlocks(emit, problem.upstream),
    [groups, 1, ...upstreamDims.slice(2)],
  );
  const result = convolveBlocks(emit, images, kernel, swappedWindow(problem, groups));
  const perItem = emit.reshape(
    fromBlocks(emit, result, groups),
    [batch, channels, 1, ...window.kernel],
  );
  return emit.reduceSum(perItem, [0], false);
}

/** Zeros around images in blocks, where they are whole stretches, as far as the windows reach. */
function padBlocks(
  emit: Emitter,
  blocks: string,
  [items, channels]: readonly [number, number],
  problem: WeightProblem,
): string {
  const { xDims, window } = problem;
  const [height, width] = xDims.slice(2) as [number, number];
  const [rows, columns] = paddedSizes(problem) as [number, number];
  const [top, left] = window.begins as [number, number];
  const around = emit.pad(
    emit.reshape(blocks, [items * channels / emit.block, height, width, emit.block]),
    [0, top, left, 0, 0, rows - height - top, columns - width - left, 0],
  );
  return emit.reshape(around, [items, channels, rows, columns]);
}
