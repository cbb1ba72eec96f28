/**
 * Quantizing the weights of layers as their settings say.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { constantValue } from "../../onnx/edit.ts";
import type { Graph } from "../../onnx/model.ts";
import { elementCount, type Tensor } from "../../onnx/tensor.ts";
import type { QuantizableLayer } from "../../quant/placement.ts";
import type { CodebookWeights, QuantizedWeights } from "../../quant/qdq.ts";
import { quantizeWeights } from "../../quant/weights.ts";
import type { WeightSettings } from "./settings.ts";

/** What else decides about weights. */
export interface WeightContext {
  readonly seed: number;
  /** Whether 8-bit weights use 7 bits. */
  readonly reduceRange: boolean;
  readonly signal: AbortSignal;
}

/** The quantized weights of all layers, and the energy of weights and of their errors. */
export interface QuantizedLayers {
  readonly weights: ReadonlyMap<QuantizableLayer, QuantizedWeights | CodebookWeights>;
  /** Σ w². */
  readonly signal: number;
  /** Σ (w − ŵ)². */
  readonly noise: number;
}

/** Quantizes the weights of layers; layers that share weights and settings share the result. */
export function quantizeLayers(
  graph: Graph,
  layers: ReadonlyMap<QuantizableLayer, WeightSettings>,
  context: WeightContext,
): QuantizedLayers {
  const weights = new Map<QuantizableLayer, QuantizedWeights | CodebookWeights>();
  const done = new Map<string, QuantizedWeights | CodebookWeights>();
  let signal = 0;
  let noise = 0;
  for (const [layer, settings] of layers) {
    context.signal.throwIfAborted();
    const key = JSON.stringify([layer.weight, layer.axes, settings]);
    let result = done.get(key);
    if (result === undefined) {
      const tensor = constantValue(graph, layer.weight) as Tensor<"float32">;
      const quantized = quantizeLayer(tensor, layer, settings, context);
      result = quantized.weights;
      done.set(key, result);
      signal += energy(tensor.data);
      noise += quantized.meanSquareError * tensor.data.length;
    }
    weights.set(layer, result);
  }
  return { weights, signal, noise };
}

function quantizeLayer(
  tensor: Tensor<"float32">,
  layer: QuantizableLayer,
  settings: WeightSettings,
  { seed, reduceRange }: WeightContext,
): { weights: QuantizedWeights | CodebookWeights; meanSquareError: number } {
  const where = scaleAxis(tensor.dims, layer, settings);
  const bits = reduceRange && settings.bits === 8 ? 7 : settings.bits as number;
  const { values, parameters, error } = quantizeWeights({ ...tensor, dims: where.dims }, {
    bits,
    symmetric: settings.symmetric,
    ...where,
    range: settings.range,
    settings: { percentile: settings.percentile },
    rounding: settings.rounding,
    seed: Random.from(seed, `quantize/${layer.weight}`).bits(),
  });
  return {
    weights: { values, dims: where.dims, parameters, bits },
    meanSquareError: error.meanSquare,
  };
}

interface ScaleAxisOfLayer {
  /** The shape that the axis refers to. */
  readonly dims: readonly number[];
  readonly granularity: WeightSettings["granularity"];
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
  { granularity, block_size }: WeightSettings,
): ScaleAxisOfLayer {
  if (granularity === "tensor") return { dims, granularity };
  const channel = { dims, granularity: "channel", axis: axes.channel } as const;
  if (granularity === "channel") return channel;
  const flat = node.opType === "Conv" ? [dims[0]!, elementCount(dims.slice(1))] : dims;
  if (flat[axes.block]! <= block_size) return channel;
  return { dims: flat, granularity, axis: axes.block, blockSize: block_size };
}

function energy(values: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]! * values[index]!;
  return sum;
}
