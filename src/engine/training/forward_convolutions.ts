/**
 * The convolutions of a forward pass in the formulation that ONNX Runtime executes fastest.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import {
  convolveBlocks,
  fitsBlocks,
  fromBlocks,
  toBlocks,
  weightBlocks,
} from "../autodiff/blocks.ts";
import { Emitter, type EmitterOptions } from "../autodiff/emitter.ts";
import { windowOf } from "../autodiff/rules/window.ts";
import type { ValueTypes } from "../autodiff/types.ts";
import { convolveTiles, paysTiles } from "../autodiff/winograd.ts";

/**
 * Replaces the convolutions of a graph that tiles or blocks fit, once gradients no longer need to recognize them.
 *
 * @param types Types of the values of convolutions; others stay as they are.
 */
export function formulateConvolutions(
  graph: Graph,
  types: ValueTypes,
  options: EmitterOptions,
): void {
  const nodes = graph.nodes;
  graph.nodes = [];
  const emit = new Emitter(graph, "forward", options);
  emit.reserve({ ...graph, nodes });
  for (const node of nodes) {
    if (!emitFaster(emit, node, types)) graph.nodes.push(node);
  }
}

/** Emits what computes the same as a convolution in tiles or blocks; `false` if neither is faster. */
function emitFaster(emit: Emitter, node: Node, types: ValueTypes): boolean {
  if (node.opType !== "Conv" || node.domain !== "") return false;
  const [x, weight, bias] = node.inputs as [string, string, string | undefined];
  const [result] = node.outputs as [string];
  const [images, weights, out] = [x, weight, result].map((name) => types.get(name));
  if (images === undefined || weights === undefined || out === undefined) return false;
  if (images.type !== "float32" || images.dims.length !== 4) return false;
  const kernel = weights.dims.slice(2);
  const window = windowOf(node, kernel, images.dims.slice(2), out.dims.slice(2));
  const tiled = { window, wide: images.dims, narrow: out.dims, type: images.type };
  if (paysTiles(emit, tiled, "images")) {
    const plain = convolveTiles(emit, x, weight, tiled);
    const biased = bias && emit.add(plain, emit.reshape(bias, [1, out.dims[1]!, 1, 1]));
    emit.alias(biased || plain, result);
    return true;
  }
  const channels = [images.dims[1]!, out.dims[1]!] as const;
  if (elementCount(kernel) === 1 || !fitsBlocks(emit, window, channels, "float32")) return false;
  const blocks = convolveBlocks(
    emit,
    toBlocks(emit, x),
    weightBlocks(emit, weight, weights.dims),
    window,
    bias || undefined,
  );
  emit.alias(fromBlocks(emit, blocks, channels[1]), result);
  return true;
}
