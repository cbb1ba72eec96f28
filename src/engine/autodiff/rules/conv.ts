/**
 * Gradients of Conv and ConvTranspose.
 *
 * @module
 */

import type { RuleContext, RuleTable } from "../rule.ts";
import { correlate, scatterWindows } from "./convolution.ts";
import { weightGradient } from "./weight_gradient.ts";
import { windowOf } from "./window.ts";

/** Sum over everything but channels. */
function byBias(c: RuleContext): string {
  const axes = c.outputDims().flatMap((_, axis) => axis === 1 ? [] : [axis]);
  return c.emit.reduceSum(c.upstream, axes, false);
}

/** Rules for Conv and ConvTranspose of any rank, stride, dilation and group. */
export const CONV: RuleTable = {
  Conv: (c) => {
    const [x, weight, y] = [c.inputDims(0), c.inputDims(1), c.outputDims()];
    const window = windowOf(c.node, weight.slice(2), x.slice(2), y.slice(2));
    return [
      c.wants(0)
        ? scatterWindows(c.emit, {
          upstream: c.upstream,
          upstreamDims: y,
          weight: c.input(1),
          weightDims: weight,
          xDims: x,
          window,
          type: c.type,
        })
        : undefined,
      c.wants(1)
        ? weightGradient(c.emit, {
          x: c.input(0),
          xDims: x,
          upstream: c.upstream,
          upstreamDims: y,
          window,
          type: c.type,
        })
        : undefined,
      c.wants(2) ? byBias(c) : undefined,
    ];
  },
  ConvTranspose: (c) => {
    const [x, weight, y] = [c.inputDims(0), c.inputDims(1), c.outputDims()];
    const window = windowOf(c.node, weight.slice(2), y.slice(2), x.slice(2));
    return [
      c.wants(0) ? correlate(c.emit, c.upstream, c.input(1), window) : undefined,
      c.wants(1)
        ? weightGradient(c.emit, {
          x: c.upstream,
          xDims: y,
          upstream: c.input(0),
          upstreamDims: x,
          window,
          type: c.type,
        })
        : undefined,
      c.wants(2) ? byBias(c) : undefined,
    ];
  },
};
