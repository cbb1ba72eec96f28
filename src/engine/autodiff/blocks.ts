/**
 * Convolutions in the layout that ONNX Runtime computes them fastest in, where channels lie in blocks as wide as a vector
 * register of the processor.
 *
 * For inference ONNX Runtime changes to that layout by itself, though only where weights are constant: those that are
 * learned never are. Its operators take the shapes of the usual layout and only read the elements in another order; `b`
 * is the size of a block.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import type { Emitter, FloatType } from "./emitter.ts";
import type { Window } from "./rules/window.ts";

/** The operators' domain, with version 1 of its operator set. */
export const BLOCKS_DOMAIN = "com.microsoft.nchwc";

/**
 * Whether channels can lie in blocks on both sides of a convolution `[N, channels, …] → [N, outputs, …]`: of one group,
 * or depthwise.
 */
export function fitsBlocks(
  { block }: Emitter,
  { kernel, group }: Window,
  [channels, outputs]: readonly [number, number],
  type: FloatType,
): boolean {
  const isDepthwise = group === channels && group === outputs;
  return block > 1 && type === "float32" && kernel.length === 2 && (group === 1 || isDepthwise) &&
    channels % block === 0 && outputs % block === 0;
}

/** Images `[N, C, H, W]` whose elements lie as `[N, C/b, H, W, b]`. */
export function toBlocks(emit: Emitter, images: string): string {
  return emit.once(
    `blocks:${images}`,
    () => emit.op("ReorderInput", [images], {}, BLOCKS_DOMAIN),
  );
}

/** Images in the usual order again. */
export function fromBlocks(emit: Emitter, blocks: string, channels: number): string {
  return emit.op("ReorderOutput", [blocks], { channels }, BLOCKS_DOMAIN);
}

/**
 * Weights `[M, C, …kernel]` whose elements lie as `[M/b, C/b, …kernel, b of C, b of M]`; depthwise ones, `[M, 1, …kernel]`,
 * as `[M/b, …kernel, b]`.
 */
export function weightBlocks(emit: Emitter, weight: string, dims: readonly number[]): string {
  const { block } = emit;
  const [outputs, channels, ...kernel] = dims as [number, number, ...number[]];
  const size = elementCount(kernel);
  const inner = channels === 1
    ? weight
    : blockSecond(emit, weight, [outputs * channels / block, block, size]);
  return emit.reshape(blockSecond(emit, inner, [outputs / block, block, channels * size]), dims);
}

/**
 * The transpose of weights `[C, M, …kernel]`: weights `[M, C, …kernel]` whose elements lie as
 * `[M/b, C/b, …kernel, b of C, b of M]`.
 *
 * @param dims `[C, M, …kernel]`.
 */
export function transposedWeightBlocks(
  emit: Emitter,
  weight: string,
  dims: readonly number[],
): string {
  const { block } = emit;
  const [channels, outputs, ...kernel] = dims as [number, number, ...number[]];
  const size = elementCount(kernel);
  const [above, across] = [channels / block, outputs / block];
  const inner = blockSecond(emit, weight, [above, block, outputs * size]);
  const blocks = blockSecond(emit, inner, [above * across, block, size * block]);
  const swapped = emit.transpose(
    emit.reshape(blocks, [above, across, size * block ** 2]),
    [1, 0, 2],
  );
  return emit.reshape(swapped, [outputs, channels, ...kernel]);
}

/**
 * Weights in blocks, mirrored in space.
 *
 * @param dims `[M, C, …kernel]`, depthwise `[M, 1, …kernel]`.
 */
export function mirroredBlocks(emit: Emitter, blocks: string, dims: readonly number[]): string {
  const { block } = emit;
  const [outputs, channels, ...kernel] = dims as [number, number, ...number[]];
  const size = elementCount(kernel);
  if (size === 1) return blocks;
  // The elements of one position lie together.
  const together = channels === 1 ? block : block ** 2;
  const split = emit.reshape(blocks, [outputs * channels / together, size, together]);
  const backward = Array.from({ length: size }, (_, index) => size - 1 - index);
  return emit.reshape(emit.op("Gather", [split, emit.ints(backward)], { axis: 1 }), dims);
}

/** Moves the second of three axes, one block wide, to the end: several times as fast as Transpose does it. */
function blockSecond(
  emit: Emitter,
  value: string,
  dims: readonly [number, number, number],
): string {
  return emit.op("ReorderInput", [emit.reshape(value, [...dims, 1])], {}, BLOCKS_DOMAIN);
}

/** A convolution of images by weights that both lie in blocks. */
export function convolveBlocks(
  emit: Emitter,
  images: string,
  weight: string,
  window: Window,
  bias?: string,
): string {
  return emit.op("Conv", bias === undefined ? [images, weight] : [images, weight, bias], {
    kernel_shape: [...window.kernel],
    strides: [...window.strides],
    dilations: [...window.dilations],
    pads: [...window.begins, ...window.ends],
    group: window.group,
  }, BLOCKS_DOMAIN);
}
