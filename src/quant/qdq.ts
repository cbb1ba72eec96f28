/**
 * Quantized models in their file form: QuantizeLinear and DequantizeLinear around float operators.
 *
 * @module
 */

export { quantizeActivation, quantizeDynamically } from "./qdq/activations.ts";
export {
  type ActivationReading,
  type BiasReading,
  type CodebookReading,
  type FloatWeights,
  type QuantizationReading,
  readQuantization,
  type WeightReading,
} from "./qdq/read.ts";
export type { CodebookWeights } from "./qdq/codebook.ts";
export type { Encoding } from "./qdq/storage.ts";
export { addWeights, quantizeBias, type QuantizedWeights, readWeights } from "./qdq/weights.ts";
