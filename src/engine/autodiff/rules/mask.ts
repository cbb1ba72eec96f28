/**
 * Zero-one masks of comparisons, in one pass where ONNX Runtime allows it.
 *
 * `Greater` and `Cast`, or `Where`, read and write a tensor two or three times. In float32 a HardSigmoid of slope
 * 2¹⁰⁰ is the same step function in one vectorized pass; a power of two keeps the threshold exact.
 *
 * @module
 */

import type { RuleContext } from "../rule.ts";

const STEEP = 2 ** 100;

/** 1 where x > threshold, else 0. */
export function above(context: RuleContext, x: string, threshold: number): string {
  return step(context, x, threshold, "Greater", STEEP);
}

/** 1 where x < threshold, else 0. */
export function below(context: RuleContext, x: string, threshold: number): string {
  return step(context, x, threshold, "Less", -STEEP);
}

function step(
  context: RuleContext,
  x: string,
  threshold: number,
  comparison: "Greater" | "Less",
  slope: number,
): string {
  const offset = -slope * Math.fround(threshold);
  if (context.type === "float32" && Math.abs(offset) < 2 ** 127) {
    return context.emit.op("HardSigmoid", [x], {
      alpha: { kind: "float", value: slope },
      beta: { kind: "float", value: Object.is(offset, -0) ? 0 : offset },
    });
  }
  return compare(context, comparison, x, context.scalar(threshold));
}

/** The result of a comparison of two tensors as 0 and 1 of the gradient's type. */
export function compare(context: RuleContext, comparison: string, a: string, b: string): string {
  return asFloat(context, context.emit.op(comparison, [a, b]));
}

/** Booleans as 0 and 1 of the gradient's type. */
export function asFloat(context: RuleContext, booleans: string): string {
  return context.emit.op("Cast", [booleans], { to: context.type === "float32" ? 1 : 11 });
}
