/**
 * Whether a quantized model can suffer on processors that add pairs of 8-bit products in 16 bits.
 *
 * @module
 */

import { withConstantsAsInitializers } from "../onnx/constants.ts";
import type { Model } from "../onnx/model.ts";
import { readQuantization } from "./qdq.ts";

const INT16_MAX = 32767;

/**
 * Whether some layer has weights and activations so large that two products of an unsigned activation and a signed
 * weight exceed 16 bits: 255 · 2 · 64 is the most that fits.
 */
export function productsCanSaturate(model: Model): boolean {
  const { weights, activations } = readQuantization(withConstantsAsInitializers(model));
  const largest = new Map<string, number>();
  for (const { result, parameters } of activations) {
    largest.set(result, parameters?.grid.qmax ?? 255);
  }
  return weights.some(({ node, values, parameters: { grid } }) => {
    const activation = largest.get(node.inputs[0]!);
    if (activation === undefined || activation > 255 || !grid.signed || grid.bits > 8) return false;
    const limit = INT16_MAX / (2 * activation);
    for (let index = 0; index < values.length; index++) {
      if (Math.abs(values[index]!) > limit) return true;
    }
    return false;
  });
}
