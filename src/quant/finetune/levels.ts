/**
 * Rounding to the levels of a grid, with gradients.
 *
 * @module
 */

import type { Emitter } from "../../engine/autodiff/emitter.ts";

/**
 * What the gradient takes rounding for; the values are rounded in either case.
 *
 * - `ste`: the identity (Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013).
 * - `dsq`: steps of tanh that become sharper as training goes on (Gong et al., "Differentiable Soft Quantization", 2019,
 *   equations 3 and 4), so that values gather where rounding changes them little.
 */
export type Estimator = "ste" | "dsq";

/** First and last sharpness k of the steps of `dsq`; between them it grows by the same factor at every step. */
const SHARPNESS = [2, 20] as const;
/** Differences are passed on without a gradient as integers: multiples of this. */
const UNIT = 2 ** -20;

/**
 * Emits the level that a value is rounded to.
 *
 * @param value In steps of the grid, less the zero point.
 * @param low The least level, likewise; a value that broadcasts against `value`.
 * @param sharpness The sharpness of `dsq`, a scalar.
 */
export function emitLevel(
  emit: Emitter,
  value: string,
  low: string,
  high: string,
  estimator: Estimator,
  sharpness: string,
): string {
  const inside = emit.op("Max", [emit.op("Min", [value, high]), low]);
  const rounded = emit.op("Round", [inside]);
  if (estimator === "ste") return rounded;
  const c = (number: number) => emit.scalar(number, "float32");
  // Between the levels i and i + 1: i + ½ + tanh(k (x − i − ½)) / 2 tanh(k / 2).
  const middle = emit.add(withoutGradient(emit, emit.op("Floor", [inside]), 1), c(0.5));
  const step = emit.op("Tanh", [emit.mul(emit.sub(inside, middle), sharpness)]);
  const height = emit.mul(emit.op("Tanh", [emit.mul(sharpness, c(0.5))]), c(2));
  const soft = emit.add(middle, emit.div(step, height));
  return emit.add(soft, withoutGradient(emit, emit.sub(rounded, soft), UNIT));
}

/** Emits the sharpness of `dsq`. */
export function emitSharpness(emit: Emitter, step: string, steps: number): string {
  const [first, last] = SHARPNESS;
  const rate = Math.log(last / first) / Math.max(1, steps - 1);
  const growth = emit.exp(emit.mul(step, emit.scalar(rate, "float32")));
  return emit.mul(growth, emit.scalar(first, "float32"));
}

/** A value, to a multiple of a unit, through which no gradient goes: gradients end where values are integers. */
function withoutGradient(emit: Emitter, value: string, unit: number): string {
  const scaled = unit === 1 ? value : emit.mul(value, emit.scalar(1 / unit, "float32"));
  const integers = emit.op("Cast", [scaled], { to: 6 });
  const back = emit.op("Cast", [integers], { to: 1 });
  return unit === 1 ? back : emit.mul(back, emit.scalar(unit, "float32"));
}
