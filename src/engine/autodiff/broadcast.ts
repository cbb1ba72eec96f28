/**
 * The transpose of NumPy-style broadcasting.
 *
 * @module
 */

import type { Emitter } from "./emitter.ts";

/** Sums a gradient of shape `from` down to the shape `to` that had been broadcast to it. */
export function unbroadcast(
  emit: Emitter,
  gradient: string,
  from: readonly number[],
  to: readonly number[],
): string {
  const lead = from.length - to.length;
  const axes = from.flatMap((dim, axis) =>
    axis < lead || (to[axis - lead] === 1 && dim !== 1) ? [axis] : []
  );
  if (axes.length === 0) return gradient;
  if (axes.every((axis) => axis < lead)) return emit.reduceSum(gradient, axes, false);
  const sum = emit.reduceSum(gradient, axes, true);
  return lead === 0 ? sum : emit.reshape(sum, to);
}
