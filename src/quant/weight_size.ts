/**
 * How much the weights of a model take.
 *
 * @module
 */

import { withConstantsAsInitializers } from "../onnx/constants.ts";
import type { Model } from "../onnx/model.ts";
import { bitsPerElement, elementCount, type Tensor } from "../onnx/tensor.ts";
import { packedBytes } from "./pack.ts";
import type { QuantizationParameters } from "./grid.ts";
import { type CodebookWeights, type QuantizedWeights, readQuantization } from "./qdq.ts";

/** Sizes of all weights of convolutions, Gemm and MatMul; biases do not count. */
export interface WeightSize {
  /** How many weights there are. */
  readonly count: number;
  /** Mean bits a weight, without scales. */
  readonly bits: number;
  /**
   * Bytes of all weights, each packed densely at its own width, with their scales (4 bytes each), the zero points that
   * are not all zero (at the width of the weights), and codebooks.
   */
  readonly bytes: number;
}

/** Measures the weights of a float or quantized model; weights that several nodes share count once. */
export function weightSize(given: Model): WeightSize {
  const model = withConstantsAsInitializers(given);
  const { weights, codebooks, floatWeights } = readQuantization(model);
  const seen = new Set<string>();
  let count = 0;
  let bits = 0;
  let bytes = 0;
  const add = (constant: string, dims: readonly number[], width: number, extra: number) => {
    if (seen.has(constant)) return;
    seen.add(constant);
    const elements = elementCount(dims);
    count += elements;
    bits += elements * width;
    bytes += packedBytes(elements, width) + extra;
  };
  for (const weight of weights) {
    const { constant, dims, bits, parameters } = weight;
    add(constant, dims, bits, scaleBytes(parameters, bits));
  }
  for (const { constant, dims, bits: width, codebook } of codebooks) {
    add(constant, dims, width, codebook.byteLength);
  }
  for (const { constant, dims } of floatWeights) {
    const { type }: Tensor = model.graph.initializers.get(constant)!;
    add(constant, dims, bitsPerElement(type) ?? 0, 0);
  }
  return { count, bits: count === 0 ? 0 : bits / count, bytes };
}

/** Bytes of the quantized weights of one layer, as {@linkcode weightSize} counts them. */
export function quantizedBytes(weights: QuantizedWeights | CodebookWeights): number {
  const { dims, bits } = weights;
  const extra = "codebook" in weights
    ? weights.codebook.byteLength
    : scaleBytes(weights.parameters, bits);
  return packedBytes(elementCount(dims), bits) + extra;
}

function scaleBytes({ scale, zeroPoint }: QuantizationParameters, bits: number): number {
  const zeroPoints = zeroPoint.some((zero) => zero !== 0) ? packedBytes(zeroPoint.length, bits) : 0;
  return scale.byteLength + zeroPoints;
}
