/**
 * Weights with two or three values a channel.
 *
 * @module
 */

import { elementsByScale, forEachRun, gatherRows, type ScaleAxis } from "./granularity.ts";
import { dequantize, grid, integers, type QuantizationParameters } from "./grid.ts";
import { weightError, type WeightResult } from "./weights.ts";

/** The values −1, 0 and 1. */
const SIGNS = grid(2, { symmetric: true, narrow: true });
const FLOAT32_MIN_NORMAL = 2 ** -126;

/**
 * Weights as ±α, one α a scale: `ŵ = α · sign(w)` with `α = mean |w|`, which is nearest to the weights (Rastegari
 * et al., "XNOR-Net", 2016, section 3.1). Zero becomes +α.
 *
 * @param weights Of shape `dims`, row-major.
 * @returns Values −1 and 1, to be packed in 1 bit.
 */
export function binarize(
  weights: Float32Array,
  dims: readonly number[],
  axis: ScaleAxis,
): WeightResult {
  return threshold(weights, dims, axis, (values) => ({ scale: meanMagnitude(values), limit: 0 }));
}

/**
 * Weights as −α, 0 and α, one α a scale: `ŵ = α · sign(w)` where `|w| > Δ`, else 0. α is the mean of the magnitudes
 * above Δ, and Δ such that the result is nearest to the weights (Li and Liu, "Ternary weight networks", 2016,
 * equations 4 to 6, solved exactly rather than with Δ ≈ 0.7 · mean |w|).
 *
 * @param weights Of shape `dims`, row-major.
 * @returns Values −1, 0 and 1, to be packed in 2 bits.
 */
export function ternarize(
  weights: Float32Array,
  dims: readonly number[],
  axis: ScaleAxis,
): WeightResult {
  return threshold(weights, dims, axis, ternaryThreshold);
}

interface Threshold {
  readonly scale: number;
  /** Magnitudes from here on count. */
  readonly limit: number;
}

function threshold(
  weights: Float32Array,
  dims: readonly number[],
  axis: ScaleAxis,
  choose: (values: Float32Array) => Threshold,
): WeightResult {
  const chosen = elementsByScale(dims, axis).map((rows) => choose(gatherRows(weights, rows)));
  const scale = Float32Array.from(chosen, ({ scale }) => Math.max(scale, FLOAT32_MIN_NORMAL));
  const parameters: QuantizationParameters = {
    scale,
    zeroPoint: new Int32Array(scale.length),
    grid: SIGNS,
    ...axis,
  };
  const values = integers(SIGNS, weights.length);
  forEachRun(dims, parameters, (start, length, first, step) => {
    for (let i = start, k = first; i < start + length; i++, k += step) {
      const weight = weights[i]!;
      values[i] = Math.abs(weight) < chosen[k]!.limit ? 0 : weight < 0 ? -1 : 1;
    }
  });
  return { values, parameters, error: weightError(weights, dequantize(values, dims, parameters)) };
}

function meanMagnitude(values: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += Math.abs(values[index]!);
  return values.length === 0 ? 0 : sum / values.length;
}

/** Of the n largest magnitudes with sum S, those for which S²/n is greatest leave the least error Σ w² − S²/n. */
function ternaryThreshold(values: Float32Array): Threshold {
  const magnitudes = values.map(Math.abs).sort();
  let best: Threshold = { scale: 0, limit: Infinity };
  let most = 0;
  let sum = 0;
  for (let index = magnitudes.length - 1; index >= 0; index--) {
    const magnitude = magnitudes[index]!;
    sum += magnitude;
    const count = magnitudes.length - index;
    // Equal magnitudes are on the same side.
    if (magnitudes[index - 1] === magnitude || sum * sum / count <= most) continue;
    most = sum * sum / count;
    best = { scale: sum / count, limit: magnitude };
  }
  return best;
}
