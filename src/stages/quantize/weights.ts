/**
 * Quantizing the weights of layers as their settings say.
 *
 * @module
 */

import { constantValue } from "../../onnx/edit.ts";
import type { Graph } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { type LayerWeightContext, quantizeLayer } from "../../quant/layer_weights.ts";
import type { QuantizableLayer } from "../../quant/placement.ts";
import type { CodebookWeights, QuantizedWeights } from "../../quant/qdq.ts";
import type { WeightSettings } from "./settings.ts";

/** What else decides about weights. */
export interface WeightContext extends LayerWeightContext {
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

function energy(values: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]! * values[index]!;
  return sum;
}
