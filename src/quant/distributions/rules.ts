/**
 * What operators do to the distributions of channels, by ONNX operator name.
 *
 * Channels are taken for independent of each other, and positions of a channel for alike. What an operator without a
 * rule gives out is not known.
 *
 * @module
 */

import { getFloat, getInt } from "../../onnx/attributes.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { affineOf, perChannel } from "../affine.ts";
import {
  boundsOf,
  type ChannelDistribution,
  cut,
  distributionOf,
  momentsOf,
  normalChannels,
} from "./channel_distribution.ts";
import { linearMoments } from "./linear.ts";

/** A node as rules see it. */
export interface RuleView {
  readonly graph: Graph;
  readonly node: Node;
  /** What is known of one of its inputs. */
  input(index: number): ChannelDistribution | undefined;
  /** The constant in one of its inputs. */
  constant(index: number): Tensor | undefined;
  /** The shape of a value, as far as it is declared. */
  dims(name: string): readonly (number | undefined)[] | undefined;
}

/** The distribution of a node's first output. */
export type DistributionRule = (view: RuleView) => ChannelDistribution | undefined;

const same: DistributionRule = (view) => view.input(0);

/** Averages keep the mean, and vary no more than what they average; by how much less cannot be known. */
const average: DistributionRule = (view) => {
  const x = view.input(0);
  if (x === undefined) return undefined;
  const { mean, variance } = momentsOf(x);
  const { least, greatest } = boundsOf(x);
  return normalChannels(mean, variance.map(Math.sqrt), least, greatest);
};

/** A sum of independent values, taken for normal. */
function sum(a: ChannelDistribution, b: ChannelDistribution): ChannelDistribution | undefined {
  if (a.mean.length !== b.mean.length) return undefined;
  const plus = (first: Float64Array, second: Float64Array) =>
    first.map((value, channel) => value + second[channel]!);
  const [left, right] = [momentsOf(a), momentsOf(b)];
  const [own, other] = [boundsOf(a), boundsOf(b)];
  return normalChannels(
    plus(left.mean, right.mean),
    plus(left.variance, right.variance).map(Math.sqrt),
    plus(own.least, other.least),
    plus(own.greatest, other.greatest),
  );
}

function scaledAndShifted(
  x: ChannelDistribution,
  scale: Float64Array,
  shift: Float64Array,
): ChannelDistribution {
  const move = (values: Float64Array) =>
    values.map((value, channel) =>
      scale[channel] === 0 ? shift[channel]! : value * scale[channel]! + shift[channel]!
    );
  const moved = distributionOf((field) => move(x[field]));
  const swapped = (below: Float64Array, above: Float64Array) =>
    below.map((value, channel) => scale[channel]! < 0 ? above[channel]! : value);
  return {
    mean: moved.mean,
    deviation: x.deviation.map((value, channel) => value * Math.abs(scale[channel]!)),
    low: swapped(moved.low, moved.high),
    high: swapped(moved.high, moved.low),
    least: swapped(moved.least, moved.greatest),
    greatest: swapped(moved.greatest, moved.least),
  };
}

/** Arithmetic of an activation with a constant per channel. */
const arithmetic: DistributionRule = (view) => {
  const index = view.constant(0) === undefined ? 0 : 1;
  const x = view.input(index);
  const name = view.node.inputs[index]!;
  const rank = view.dims(name)?.length ?? view.dims(view.node.outputs[0]!)?.length;
  if (x === undefined || rank === undefined) return undefined;
  const affine = affineOf(view.graph, view.node, name, {
    rank,
    axis: 1,
    channels: x.mean.length,
  });
  return affine && scaledAndShifted(x, affine.scale, affine.shift);
};

const add: DistributionRule = (view) => {
  if (view.constant(0) !== undefined || view.constant(1) !== undefined) return arithmetic(view);
  const [a, b] = [view.input(0), view.input(1)];
  return a && b && sum(a, b);
};

/** min(max(x, lower), upper) with bounds that are constant, one a channel or one for all. */
function clampWith(
  view: RuleView,
  lower: Tensor | undefined,
  upper: Tensor | undefined,
  index = 0,
): ChannelDistribution | undefined {
  const x = view.input(index);
  if (x === undefined) return undefined;
  const rank = view.dims(view.node.outputs[0]!)?.length ?? 4;
  const bound = (tensor: Tensor | undefined, none: number) =>
    tensor === undefined
      ? new Float64Array(x.mean.length).fill(none)
      : perChannel(tensor, { rank, axis: 1, channels: x.mean.length });
  const [low, high] = [bound(lower, -Infinity), bound(upper, Infinity)];
  return low && high && cut(x, low, high);
}

/** Each side of zero has its own slope: E[x⁺] + α E[x⁻], and likewise for squares. */
const leaky: DistributionRule = (view) => {
  const x = view.input(0);
  if (x === undefined) return undefined;
  const alpha = getFloat(view.node, "alpha", 0.01);
  const positive = momentsOf(cut(x, 0, Infinity));
  const negative = momentsOf(cut(x, -Infinity, 0));
  const mean = positive.mean.map((value, channel) => value + alpha * negative.mean[channel]!);
  const square = (moments: typeof positive, channel: number) =>
    moments.variance[channel]! + moments.mean[channel]! ** 2;
  const slope = (value: number) => value < 0 ? alpha * value : value;
  const { least, greatest } = boundsOf(x);
  return normalChannels(
    mean,
    mean.map((value, channel) => {
      const squares = square(positive, channel) + alpha ** 2 * square(negative, channel);
      return Math.sqrt(Math.max(0, squares - value ** 2));
    }),
    least.map(slope),
    greatest.map(slope),
  );
};

const concat: DistributionRule = (view) => {
  const parts = view.node.inputs.map((_, index) => view.input(index));
  const rank = view.dims(view.node.outputs[0]!)?.length ?? 4;
  const axis = getInt(view.node, "axis", 1);
  if ((axis < 0 ? axis + rank : axis) !== 1) return undefined;
  if (!parts.every((part) => part !== undefined)) return undefined;
  return distributionOf((field) => Float64Array.from(parts.flatMap((part) => [...part![field]])));
};

/** Where each channel lies flat among the others, it stands there once for each position. */
const flatten: DistributionRule = (view) => {
  const x = view.input(0);
  const dims = view.dims(view.node.outputs[0]!);
  if (x === undefined || dims?.length !== 2 || dims[1] === undefined) return undefined;
  const times = dims[1] / x.mean.length;
  if (!Number.isInteger(times)) return undefined;
  return distributionOf((field) =>
    Float64Array.from({ length: dims[1]! }, (_, index) => x[field][Math.floor(index / times)]!)
  );
};

function integersIn(view: RuleView, attribute: string, index: number): number[] | undefined {
  const given = view.node.attributes.get(attribute);
  if (given?.kind === "ints") return given.value.map(Number);
  const constant = view.constant(index);
  return constant && Array.from(constant.data as ArrayLike<number | bigint>, Number);
}

/** Some of the channels; whatever positions are left are like the others. */
const slice: DistributionRule = (view) => {
  const x = view.input(0);
  const starts = integersIn(view, "starts", 1);
  const ends = integersIn(view, "ends", 2);
  if (x === undefined || starts === undefined || ends === undefined) return undefined;
  const rank = view.dims(view.node.inputs[0]!)?.length ?? 4;
  const axes = integersIn(view, "axes", 3) ?? starts.map((_, index) => index);
  const steps = integersIn(view, "steps", 4) ?? starts.map(() => 1);
  const at = axes.findIndex((axis) => (axis < 0 ? axis + rank : axis) === 1);
  if (at < 0) return x;
  if (steps[at]! !== 1) return undefined;
  return distributionOf((field) => x[field].slice(starts[at], ends[at]));
};

/** Channels of nothing but the padding value before and behind the others. */
const pad: DistributionRule = (view) => {
  const x = view.input(0);
  const pads = integersIn(view, "pads", 1);
  if (x === undefined || pads === undefined || (view.node.inputs[3] ?? "") !== "") return undefined;
  const [before, after] = [pads[1] ?? 0, pads[1 + pads.length / 2] ?? 0];
  const value = Number(view.constant(2)?.data[0] ?? 0);
  return distributionOf((field) => {
    const constant = field === "deviation" ? 0 : value;
    return Float64Array.from([
      ...Array<number>(before).fill(constant),
      ...x[field],
      ...Array<number>(after).fill(constant),
    ]);
  });
};

/** A layer with constant weights, its result taken for normal. */
const linear: DistributionRule = (view) => {
  const x = view.input(0);
  if (x === undefined) return undefined;
  const { mean, variance } = momentsOf(x);
  const moments = linearMoments(view.graph, view.node, { mean, variance });
  return moments && normalChannels(moments.mean, moments.variance.map(Math.sqrt));
};

const minMax = (isLower: boolean): DistributionRule => (view) => {
  if (view.node.inputs.length !== 2) return undefined;
  const index = view.constant(0) === undefined ? 0 : 1;
  const bound = view.constant(1 - index);
  if (bound === undefined) return undefined;
  return isLower
    ? clampWith(view, bound, undefined, index)
    : clampWith(view, undefined, bound, index);
};

const reshape: DistributionRule = (view) => {
  const dims = view.dims(view.node.outputs[0]!);
  const x = view.input(0);
  if (x !== undefined && dims !== undefined && dims.length > 2 && dims[1] === x.mean.length) {
    return x;
  }
  return flatten(view);
};

const reduceMean: DistributionRule = (view) => {
  const rank = view.dims(view.node.inputs[0]!)?.length;
  const axes = integersIn(view, "axes", 1);
  if (rank === undefined || axes === undefined) return undefined;
  const isSpatial = axes.every((axis) => (axis < 0 ? axis + rank : axis) > 1);
  return isSpatial ? average(view) : undefined;
};

/** Every operator whose effect is known. */
export const DISTRIBUTION_RULES: Readonly<Record<string, DistributionRule>> = {
  Identity: same,
  Dropout: same,
  // The greatest of several is not the same, but lies in the same range.
  MaxPool: same,
  GlobalMaxPool: same,
  Relu: (view) => view.input(0) && cut(view.input(0)!, 0, Infinity),
  LeakyRelu: leaky,
  Clip: (view) => {
    const constant = (index: number) => {
      const isGiven = (view.node.inputs[index] ?? "") !== "";
      return isGiven ? view.constant(index) ?? null : undefined;
    };
    const [low, high] = [constant(1), constant(2)];
    return low === null || high === null ? undefined : clampWith(view, low, high);
  },
  Min: minMax(false),
  Max: minMax(true),
  AveragePool: average,
  GlobalAveragePool: average,
  ReduceMean: reduceMean,
  Add: add,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  BatchNormalization: arithmetic,
  Concat: concat,
  Flatten: (view) => getInt(view.node, "axis", 1) === 1 ? flatten(view) : undefined,
  Reshape: reshape,
  Squeeze: flatten,
  Slice: slice,
  Pad: pad,
  Conv: linear,
  Gemm: linear,
  MatMul: linear,
};
