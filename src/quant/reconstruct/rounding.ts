/**
 * Learned rounding: each weight goes up or down by a variable of its own.
 *
 * Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020, equations 22 to 24:
 * `Ŵ = s · (clamp(⌊W/s⌋ + h(α) + z) − z)` with the rectified sigmoid `h(α) = clip(σ(α)(ζ − γ) + γ, 0, 1)`.
 *
 * @module
 */

import type { Emitter } from "../../engine/autodiff/emitter.ts";
import { float32 } from "../../onnx/tensor.ts";
import { integers, type QuantizedValues } from "../grid.ts";
import { type Layer, nearest } from "./layers.ts";

const GAMMA = -0.1;
const ZETA = 1.1;
/** α of a tie, far enough from 0 that its sign is certain. */
const TIE = 1e-6;

/** Keeps a logarithm from 0; the power of what is that small is 0 in any case. */
const TINY = 1e-12;

/** The grid around each weight of a layer. */
export interface SoftGrid {
  readonly layer: Layer;
  /** The integer below, less the zero point; within the grid. */
  readonly lower: Float32Array;
  /** 1 where the integer above is on the grid too, else 0. */
  readonly movable: Float32Array;
  /** α with which Ŵ is the float weight, where that lies inside the grid. */
  readonly start: Float32Array;
}

/** The grid around the float weights of a layer. */
export function softGrid(layer: Layer): SoftGrid {
  const { float, scaleOf, parameters } = layer;
  const { scale, zeroPoint, grid: { qmin, qmax } } = parameters;
  const rounded = nearest(layer);
  const lower = new Float32Array(float.length);
  const movable = new Float32Array(float.length);
  const start = new Float32Array(float.length);
  for (let index = 0; index < float.length; index++) {
    const where = scaleOf[index]!;
    const zero = zeroPoint[where]!;
    const ratio = Math.fround(float[index]! / scale[where]!);
    const below = Math.floor(ratio);
    const isInside = below + zero >= qmin && below + zero < qmax;
    lower[index] = Math.min(Math.max(below + zero, qmin), qmax) - zero;
    movable[index] = isInside ? 1 : 0;
    const alpha = inverseRectified(ratio - below);
    if (!isInside) start[index] = alpha;
    else if (rounded[index]! - zero > below) start[index] = Math.max(alpha, TIE);
    else start[index] = Math.min(alpha, -TIE);
  }
  return { layer, lower, movable, start };
}

/** The integers of a layer when all its weights go where their α points. */
export function hardValues(
  { layer, lower, movable }: SoftGrid,
  alpha: Float32Array,
): QuantizedValues {
  const { scaleOf, parameters: { zeroPoint, grid } } = layer;
  const values = integers(grid, lower.length);
  for (let index = 0; index < lower.length; index++) {
    const up = alpha[index]! >= 0 ? movable[index]! : 0;
    values[index] = lower[index]! + up + zeroPoint[scaleOf[index]!]!;
  }
  return values;
}

/** Share of variables that are neither 0 nor 1 after rectification. */
export function softShare(alpha: Float32Array): number {
  let soft = 0;
  for (const value of alpha) {
    const h = rectified(value);
    if (h > 0.01 && h < 0.99) soft++;
  }
  return alpha.length === 0 ? 0 : soft / alpha.length;
}

/** h(α) */
export function rectified(alpha: number): number {
  const sigmoid = 1 / (1 + Math.exp(-alpha));
  return Math.min(Math.max(sigmoid * (ZETA - GAMMA) + GAMMA, 0), 1);
}

/** α with h(α) = `fraction`, for 0 ≤ fraction ≤ 1. */
function inverseRectified(fraction: number): number {
  return Math.log((fraction - GAMMA) / (ZETA - fraction));
}

/** Emits h(α). */
export function emitRectified(emit: Emitter, alpha: string): string {
  return emit.op("HardSigmoid", [emit.op("Sigmoid", [alpha])], {
    alpha: { kind: "float", value: ZETA - GAMMA },
    beta: { kind: "float", value: GAMMA },
  });
}

/**
 * Emits the weights of a layer in the shape its node takes.
 *
 * @param h Its rectified variables, `[weights]`.
 */
export function emitSoftWeights(
  emit: Emitter,
  { layer, lower, movable }: SoftGrid,
  h: string,
): string {
  const { scaleOf, parameters: { scale }, dims } = layer;
  const shaped = emit.reshape(h, dims);
  const scaled = (values: Float32Array) =>
    emit.constant(float32(dims, values.map((value, index) => value * scale[scaleOf[index]!]!)));
  // s · (l + m · h) = s·l + s·m · h: two operations a step.
  return emit.add(emit.mul(shaped, scaled(movable)), scaled(lower));
}

/**
 * Emits the factor of each weight, to be broadcast.
 *
 * @param factors Factors of the layer's scales, `[scales]`.
 */
export function emitScales(emit: Emitter, layer: Layer, factors: string): string {
  const { parameters: { axis, blockSize, scale }, reading, dims, scaleOf } = layer;
  if (scale.length === 1) return emit.reshape(factors, []);
  const isShapedAlike = reading.dims.join() === dims.join();
  if (axis !== undefined && blockSize === undefined && isShapedAlike) {
    const at = axis < 0 ? axis + dims.length : axis;
    return emit.reshape(factors, dims.map((_, index) => index === at ? -1 : 1));
  }
  const indices = emit.constant({
    type: "int64",
    dims,
    data: BigInt64Array.from(scaleOf, BigInt),
  });
  return emit.op("Gather", [factors, indices], { axis: 0 });
}

/**
 * Emits the term that drives roundings to 0 or 1, `Σ (1 − |2h − 1|^β)`.
 *
 * @param h `[weights]`
 * @param beta The exponent, a scalar.
 */
export function emitRoundingTerm(emit: Emitter, h: string, weights: number, beta: string): string {
  const c = (value: number) => emit.scalar(value, "float32");
  const distance = emit.sub(emit.mul(h, c(2)), c(1));
  // |d|^β = (d²)^(β/2): a square has a gradient of two operators, an absolute value one of five.
  const square = emit.op("Pow", [distance, c(2)]);
  const positive = emit.add(square, c(TINY));
  const powers = emit.exp(emit.mul(emit.op("Log", [positive]), emit.mul(beta, c(0.5))));
  return emit.sub(c(weights), emit.op("ReduceSum", [powers], { keepdims: 0 }));
}
