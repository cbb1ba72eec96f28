/**
 * Gradients of Softmax and LogSoftmax.
 *
 * @module
 */

import { getInt } from "../../../onnx/attributes.ts";
import type { RuleContext, RuleTable } from "../rule.ts";

function axisOf(c: RuleContext): number {
  const axis = getInt(c.node, "axis", -1);
  return axis < 0 ? axis + c.outputDims().length : axis;
}

/** Rules for Softmax and LogSoftmax. */
export const SOFTMAX: RuleTable = {
  Softmax: (c) => {
    const weighted = c.emit.mul(c.upstream, c.output());
    const total = c.emit.reduceSum(weighted, [axisOf(c)], true);
    return [c.emit.sub(weighted, c.emit.mul(c.output(), total))];
  },
  LogSoftmax: (c) => {
    const total = c.emit.reduceSum(c.upstream, [axisOf(c)], true);
    return [c.emit.sub(c.upstream, c.emit.mul(c.emit.exp(c.output()), total))];
  },
};
