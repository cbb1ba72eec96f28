/**
 * Gradients of reductions.
 *
 * @module
 */

import { getInt } from "../../../onnx/attributes.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { RuleContext, RuleTable } from "../rule.ts";
import { above, compare } from "./mask.ts";

interface Reduction {
  /** Reduced axes, none negative. */
  readonly axes: readonly number[];
  /** Output shape with reduced axes kept as ones. */
  readonly kept: readonly number[];
  /** How many elements go into one. */
  readonly count: number;
}

function reductionOf(c: RuleContext): Reduction {
  const dims = c.inputDims(0);
  const given = c.integers(1, "axes") ?? [];
  const all = given.length === 0 && getInt(c.node, "noop_with_empty_axes", 0) === 0;
  const axes = all
    ? dims.map((_, axis) => axis)
    : given.map((axis) => axis < 0 ? axis + dims.length : axis);
  const kept = dims.map((dim, axis) => axes.includes(axis) ? 1 : dim);
  return { axes, kept, count: elementCount(dims) / elementCount(kept) };
}

/** A reduced value in the shape that broadcasts against the input. */
function broadcastable(c: RuleContext, reduced: string, kept: readonly number[]): string {
  return c.outputDims().length === kept.length ? reduced : c.emit.reshape(reduced, kept);
}

/** A reduction whose gradient is the upstream gradient, broadcast, times a factor of the input's shape. */
function weighted(factor: (c: RuleContext, output: string, reduction: Reduction) => string) {
  return (c: RuleContext): [string] => {
    const reduction = reductionOf(c);
    const upstream = broadcastable(c, c.upstream, reduction.kept);
    const output = broadcastable(c, c.output(), reduction.kept);
    return [c.emit.mul(upstream, factor(c, output, reduction))];
  };
}

/** Repeats the upstream gradient, times a factor, over what was reduced. */
function spread(factor: (reduction: Reduction) => number) {
  return (c: RuleContext): [string] => {
    const reduction = reductionOf(c);
    const upstream = broadcastable(c, c.upstream, reduction.kept);
    const share = factor(reduction);
    const scaled = share === 1 ? upstream : c.emit.mul(upstream, c.scalar(share));
    return [c.emit.op("Expand", [scaled, c.emit.ints(c.inputDims(0))])];
  };
}

/** Ties share the gradient. */
const extremum = weighted((c, output, { axes }) => {
  const mask = compare(c, "Equal", c.input(0), output);
  return c.emit.div(mask, c.emit.reduceSum(mask, axes, true));
});

/** Rules for ReduceSum, ReduceMean, ReduceMax and the like. */
export const REDUCTION: RuleTable = {
  ReduceSum: spread(() => 1),
  ReduceMean: spread(({ count }) => 1 / count),
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceSumSquare: (c) => {
    const twice = c.emit.mul(c.upstream, c.scalar(2));
    return [c.emit.mul(broadcastable(c, twice, reductionOf(c).kept), c.input(0))];
  },
  ReduceL1: weighted((c) => {
    const x = c.input(0);
    return c.emit.sub(above(c, x, 0), above(c, c.emit.neg(x), 0));
  }),
  ReduceL2: weighted((c, output) => c.emit.div(c.input(0), output)),
  ReduceLogSumExp: weighted((c, output) => c.emit.exp(c.emit.sub(c.input(0), output))),
};
