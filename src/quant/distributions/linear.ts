/**
 * What a linear layer does to the moments of its input's channels.
 *
 * @module
 */

import type { Graph, Node } from "../../onnx/model.ts";
import { type ChannelLayer, channelLayer, layerBias } from "../layer_channels.ts";
import type { ChannelMoments } from "./channel_distribution.ts";

/**
 * Mean and variance of a layer's output channels, for inputs that are independent of each other; padding is left out of
 * account.
 *
 * @returns `undefined` if the node is no such layer, or its bias is not constant.
 */
export function linearMoments(
  graph: Graph,
  node: Node,
  { mean, variance }: ChannelMoments,
): ChannelMoments | undefined {
  const layer = channelLayer(graph, node);
  const bias = layer && layerBias(graph, layer);
  if (layer === undefined || bias === undefined || layer.inputs !== mean.length) return undefined;
  const result = {
    mean: meanOfSums(layer, layer.weights.data, mean),
    variance: new Float64Array(layer.outputs),
  };
  layer.weights.data.forEach((weight, index) => {
    const product = layer.factor * weight;
    result.variance[layer.outputAt(index)]! += product ** 2 * variance[layer.inputAt(index)]!;
  });
  bias.forEach((value, channel) => result.mean[channel]! += value);
  return result;
}

/**
 * Mean of each output channel of a layer, without the bias.
 *
 * @param weights One number for each weight of the layer.
 * @param mean Mean of each input channel.
 */
export function meanOfSums(
  layer: ChannelLayer,
  weights: ArrayLike<number>,
  mean: Float64Array,
): Float64Array {
  const sums = new Float64Array(layer.outputs);
  for (let index = 0; index < weights.length; index++) {
    sums[layer.outputAt(index)]! += layer.factor * weights[index]! * mean[layer.inputAt(index)]!;
  }
  return sums;
}
