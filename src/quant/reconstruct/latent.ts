/**
 * Weights that move while they are rounded: the graph rounds a float value at every step, and its gradient passes
 * straight through the rounding (Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013).
 *
 * Unlike a learned rounding, a weight can go further than to the next integer, and what is learned from is the network
 * with its real integers at every step.
 *
 * @module
 */

import type { Emitter } from "../../engine/autodiff/emitter.ts";
import { float32 } from "../../onnx/tensor.ts";
import { integers, type QuantizedValues, roundHalfEven } from "../grid.ts";
import type { Layer } from "./layers.ts";

/** How far from the middle of its step a value may begin: further out, the first step would decide. */
const REACH = 0.45;
/** How far beyond its ends a grid still rounds to them. */
const MARGIN = 0.49;

/** Where the weights of a layer are between the integers of their grid. */
export interface LatentWeights {
  readonly layer: Layer;
  /** In steps of the grid, less the zero point; each rounds to the integer that the layer has. */
  readonly start: Float32Array;
}

/** The float weights of a layer, moved as far as needed to round to its present integers. */
export function latentWeights(layer: Layer): LatentWeights {
  const { float, scaleOf, parameters: { scale, zeroPoint }, reading: { values } } = layer;
  const start = float.map((weight, index) => {
    const where = scaleOf[index]!;
    const integer = values[index]! - zeroPoint[where]!;
    const distance = weight / scale[where]! - integer;
    return integer + Math.min(Math.max(distance, -REACH), REACH);
  });
  return { layer, start };
}

/** The integers to which values round. */
export function roundedValues({ layer }: LatentWeights, latent: Float32Array): QuantizedValues {
  const { scaleOf, parameters: { zeroPoint, grid } } = layer;
  const values = integers(grid, latent.length);
  for (let index = 0; index < latent.length; index++) {
    const integer = roundHalfEven(latent[index]!) + zeroPoint[scaleOf[index]!]!;
    values[index] = Math.min(Math.max(integer, grid.qmin), grid.qmax);
  }
  return values;
}

/**
 * Emits the weights of a layer, in the shape its node takes.
 *
 * @param latent Values of the same shape, in steps of the grid.
 */
export function emitRounded(emit: Emitter, { layer }: LatentWeights, latent: string): string {
  const { scaleOf, dims, parameters: { scale, zeroPoint, grid: { qmin, qmax } } } = layer;
  const shared = zeroPoint.every((zero) => zero === zeroPoint[0]);
  const bound = (value: number) =>
    shared
      ? emit.scalar(value - zeroPoint[0]!, "float32")
      : emit.constant(float32(dims, Array.from(scaleOf, (where) => value - zeroPoint[where]!)));
  const inside = emit.op("Max", [
    emit.op("Min", [latent, bound(qmax + MARGIN)]),
    bound(qmin - MARGIN),
  ]);
  const sizes = emit.constant(float32(dims, Array.from(scaleOf, (where) => scale[where]!)));
  return emit.mul(emit.op("Round", [inside]), sizes);
}
