/**
 * Gradients of normalizations.
 *
 * @module
 */

import { getFloat, getInt } from "../../../onnx/attributes.ts";
import { elementCount } from "../../../onnx/tensor.ts";
import type { RuleContext, RuleTable } from "../rule.ts";

/** Per-channel values as they broadcast against `[N, C, …]`. */
function perChannel(c: RuleContext, values: string): string {
  const rank = c.outputDims().length;
  return rank === 2 ? values : c.emit.reshape(values, [-1, ...Array(rank - 2).fill(1)]);
}

/** Sum over everything but channels, `[C]`. */
function channelSum(c: RuleContext, x: string): string {
  const axes = c.outputDims().flatMap((_, axis) => axis === 1 ? [] : [axis]);
  return c.emit.reduceSum(x, axes, false);
}

function inverseDeviation(c: RuleContext, variance: string): string {
  const shifted = c.emit.add(variance, c.scalar(getFloat(c.node, "epsilon", 1e-5)));
  return c.emit.op("Reciprocal", [c.emit.op("Sqrt", [shifted])]);
}

/** With stored statistics: an affine function of each channel. */
function inferenceBatchNorm(c: RuleContext): (string | undefined)[] {
  const inverse = inverseDeviation(c, c.input(4));
  const factor = c.emit.mul(c.input(1), inverse);
  const byX = c.wants(0) ? c.emit.mul(c.upstream, perChannel(c, factor)) : undefined;
  if (![1, 2, 3, 4].some(c.wants)) return [byX];
  const total = channelSum(c, c.upstream);
  const centered = c.emit.sub(
    channelSum(c, c.emit.mul(c.upstream, c.input(0))),
    c.emit.mul(c.input(3), total),
  );
  const byScale = c.emit.mul(centered, inverse);
  const byVariance = () => {
    const slope = c.emit.mul(c.emit.mul(factor, c.emit.mul(inverse, inverse)), c.scalar(-0.5));
    return c.emit.mul(centered, slope);
  };
  return [
    byX,
    c.wants(1) ? byScale : undefined,
    c.wants(2) ? total : undefined,
    c.wants(3) ? c.emit.neg(c.emit.mul(factor, total)) : undefined,
    c.wants(4) ? byVariance() : undefined,
  ];
}

/** The batch's mean and variance: what the node gives when its momentum is 0, else computed again. */
function batchStatistics(c: RuleContext): [string, string] {
  const given = [1, 2].map((output) => c.node.outputs[output]);
  if (getFloat(c.node, "momentum", 0.9) === 0 && given.every(Boolean)) {
    return given as [string, string];
  }
  const share = c.scalar(c.outputDims()[1]! / elementCount(c.outputDims()));
  const mean = c.emit.mul(channelSum(c, c.input(0)), share);
  const centered = c.emit.sub(c.input(0), perChannel(c, mean));
  return [mean, c.emit.mul(channelSum(c, c.emit.mul(centered, centered)), share)];
}

/** With the batch's statistics (Ioffe and Szegedy, 2015, section 3). */
function trainingBatchNorm(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const [mean, variance] = batchStatistics(c);
  const inverse = inverseDeviation(c, variance);
  const total = channelSum(c, c.upstream);
  const byScale = emit.mul(
    emit.sub(channelSum(c, emit.mul(c.upstream, c.input(0))), emit.mul(mean, total)),
    inverse,
  );
  const byX = () => {
    const count = elementCount(c.outputDims()) / c.outputDims()[1]!;
    const factor = emit.mul(c.input(1), inverse);
    const share = emit.mul(factor, c.scalar(-1 / count));
    const slope = emit.mul(emit.mul(share, inverse), byScale);
    const offset = emit.sub(emit.mul(share, total), emit.mul(slope, mean));
    return emit.add(
      emit.mul(c.upstream, perChannel(c, factor)),
      emit.add(emit.mul(c.input(0), perChannel(c, slope)), perChannel(c, offset)),
    );
  };
  return [c.wants(0) ? byX() : undefined, byScale, total];
}

/** Ba, Kiros and Hinton, 2016: over the last axes, from `axis` on. */
function layerNorm(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const dims = c.inputDims(0);
  const axis = getInt(c.node, "axis", -1);
  const first = axis < 0 ? axis + dims.length : axis;
  const axes = dims.flatMap((_, index) => index < first ? [] : [index]);
  const mean = c.scalar(1 / elementCount(dims.slice(first)));
  const average = (x: string) => emit.mul(emit.reduceSum(x, axes, true), mean);
  const centered = emit.sub(c.input(0), average(c.input(0)));
  const inverse = inverseDeviation(c, average(emit.mul(centered, centered)));
  const normalized = emit.mul(centered, inverse);
  const byX = () => {
    const inner = emit.mul(c.upstream, c.input(1));
    const projected = emit.mul(normalized, average(emit.mul(inner, normalized)));
    return emit.mul(inverse, emit.sub(emit.sub(inner, average(inner)), projected));
  };
  return [
    c.wants(0) ? byX() : undefined,
    c.wants(1) ? c.unbroadcast(emit.mul(c.upstream, normalized), dims, 1) : undefined,
    c.wants(2) ? c.unbroadcast(c.upstream, dims, 2) : undefined,
  ];
}

/** Ulyanov et al., 2016: each channel of each item by its own statistics. */
function instanceNorm(c: RuleContext): (string | undefined)[] {
  const { emit } = c;
  const dims = c.inputDims(0);
  const axes = dims.flatMap((_, index) => index < 2 ? [] : [index]);
  const mean = c.scalar(1 / elementCount(dims.slice(2)));
  const average = (x: string) => emit.mul(emit.reduceSum(x, axes, true), mean);
  const centered = emit.sub(c.input(0), average(c.input(0)));
  const inverse = inverseDeviation(c, average(emit.mul(centered, centered)));
  const normalized = emit.mul(centered, inverse);
  const byX = () => {
    const projected = emit.mul(normalized, average(emit.mul(c.upstream, normalized)));
    const inner = emit.sub(emit.sub(c.upstream, average(c.upstream)), projected);
    return emit.mul(emit.mul(inverse, inner), perChannel(c, c.input(1)));
  };
  return [
    c.wants(0) ? byX() : undefined,
    c.wants(1) ? channelSum(c, emit.mul(c.upstream, normalized)) : undefined,
    c.wants(2) ? channelSum(c, c.upstream) : undefined,
  ];
}

/** Rules for BatchNormalization, LayerNormalization and InstanceNormalization. */
export const NORMALIZATION: RuleTable = {
  BatchNormalization: (c) =>
    getInt(c.node, "training_mode", 0) === 0 ? inferenceBatchNorm(c) : trainingBatchNorm(c),
  LayerNormalization: layerNorm,
  InstanceNormalization: instanceNorm,
};
