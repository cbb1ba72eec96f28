/**
 * Quantizing the weights of one layer as its settings say.
 *
 * @module
 */

import { Random } from "../base/random.ts";
import { elementCount, type Tensor } from "../onnx/tensor.ts";
import { buildCodebook } from "./codebook.ts";
import { binarize, ternarize } from "./extreme.ts";
import type { Granularity } from "./granularity.ts";
import type { QuantizableLayer } from "./placement.ts";
import type { CodebookWeights, QuantizedWeights } from "./qdq.ts";
import type { RangeMethod } from "./ranges.ts";
import { quantizeWeights, type Rounding, type WeightResult } from "./weights.ts";

/** How the weights of a layer are quantized. */
export interface LayerWeightSettings {
  /** 1 is binary: signs, with a scale. */
  readonly bits: number | "ternary";
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  /** For granularity `group`: how many weights share a scale. */
  readonly block_size: number;
  readonly range: RangeMethod;
  readonly percentile: number;
  readonly rounding: Rounding;
  readonly mapping: "uniform" | "codebook";
}

/** What else decides about weights. */
export interface LayerWeightContext {
  readonly seed: number;
  /** Whether 8-bit weights use 7 bits. */
  readonly reduceRange: boolean;
}

/** The weights of one layer on a grid or in a codebook. */
export interface QuantizedLayer {
  readonly weights: QuantizedWeights | CodebookWeights;
  /** Mean (w − ŵ)². */
  readonly meanSquareError: number;
}

/**
 * Quantizes the weights of one layer.
 *
 * @throws {RangeError} If there is no such grid or codebook.
 */
export function quantizeLayer(
  tensor: Tensor<"float32">,
  layer: QuantizableLayer,
  settings: LayerWeightSettings,
  context: LayerWeightContext,
): QuantizedLayer {
  if (settings.mapping === "codebook") {
    const bits = settings.bits as number;
    const { codebook, indices, error } = buildCodebook(tensor.data, bits);
    return {
      weights: { codebook, indices, dims: tensor.dims, bits },
      meanSquareError: error.meanSquare,
    };
  }
  const where = scaleAxis(tensor.dims, layer, settings);
  const { bits, result } = quantizeUniformly(tensor, layer, settings, where, context);
  const { values, parameters, error } = result;
  return {
    weights: { values, dims: where.dims, parameters, bits },
    meanSquareError: error.meanSquare,
  };
}

function quantizeUniformly(
  tensor: Tensor<"float32">,
  layer: QuantizableLayer,
  settings: LayerWeightSettings,
  { dims, ...where }: ScaleAxisOfLayer,
  { seed, reduceRange }: LayerWeightContext,
): { bits: number; result: WeightResult } {
  const { axis, blockSize } = where;
  const along = {
    ...(axis === undefined ? {} : { axis }),
    ...(blockSize === undefined ? {} : { blockSize }),
  };
  if (settings.bits === 1) return { bits: 1, result: binarize(tensor.data, dims, along) };
  if (settings.bits === "ternary") {
    return { bits: 2, result: ternarize(tensor.data, dims, along) };
  }
  const bits = reduceRange && settings.bits === 8 ? 7 : settings.bits;
  const result = quantizeWeights({ ...tensor, dims }, {
    bits,
    symmetric: settings.symmetric,
    ...where,
    range: settings.range,
    settings: { percentile: settings.percentile },
    rounding: settings.rounding,
    seed: Random.from(seed, `quantize/${layer.weight}`).bits(),
  });
  return { bits, result };
}

interface ScaleAxisOfLayer {
  /** The shape that the axis refers to. */
  readonly dims: readonly number[];
  readonly granularity: LayerWeightSettings["granularity"];
  readonly axis?: number;
  readonly blockSize?: number;
}

/**
 * Where scales go. The blocks of a convolution run through input channels and kernel together, so that those of a
 * depthwise one have more than one weight; what fits into one block is a channel.
 */
function scaleAxis(
  dims: readonly number[],
  { node, axes }: QuantizableLayer,
  { granularity, block_size }: LayerWeightSettings,
): ScaleAxisOfLayer {
  if (granularity === "tensor") return { dims, granularity };
  const channel = { dims, granularity: "channel", axis: axes.channel } as const;
  if (granularity === "channel") return channel;
  const flat = node.opType === "Conv" ? [dims[0]!, elementCount(dims.slice(1))] : dims;
  if (flat[axes.block]! <= block_size) return channel;
  return { dims: flat, granularity, axis: axes.block, blockSize: block_size };
}
