/**
 * Ranges from what batch normalization knows.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import { batchNormStatistics, WITHOUT_STATISTICS } from "../../quant/distributions/batch_norm.ts";
import {
  type ChannelDistribution,
  channelExtents,
} from "../../quant/distributions/channel_distribution.ts";
import { expectedHistogram } from "../../quant/distributions/histogram.ts";
import { activationDistributions } from "../../quant/distributions/propagate.ts";
import { layBins } from "../../quant/histogram.ts";
import type { TensorStatistics } from "../../quant/ranges.ts";
import type { Parameters } from "./ports.ts";
import { valuesToObserve } from "./values.ts";

/**
 * The statistics that activations should have.
 *
 * @throws {UserError} If the model has no batch normalization, or nothing is known of an activation.
 */
export function rangesWithoutData(
  model: Model,
  { exclude, deviations, bins, input_range: inputRange }: Parameters,
  origin: string,
): Record<string, TensorStatistics> {
  const names = valuesToObserve(model, exclude);
  if (batchNormStatistics(model).size === 0) {
    throw new UserError({
      message:
        `Ranges of the model "${origin}" cannot be found without data: nothing in it tells ` +
        "how large its activations are",
      hint: `${WITHOUT_STATISTICS}. Else calibrate with data: real, or noise from the stage ` +
        '"synthesize" with method: range',
    });
  }
  const known = activationDistributions(model);
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  const unknown = names.filter((name) => !inputs.has(name) && !known.has(name));
  if (unknown.length > 0) throw notKnown(unknown, model);
  return Object.fromEntries(names.map((name) => [
    name,
    inputs.has(name)
      ? statisticsOfRange(inputRange!, bins)
      : statisticsOf(known.get(name)!, deviations, bins),
  ]));
}

function statisticsOf(
  distribution: ChannelDistribution,
  deviations: number,
  bins: number,
): TensorStatistics {
  const { min, max } = channelExtents(distribution, deviations);
  const range = { min: least(min), max: greatest(max) };
  const histogram = expectedHistogram(distribution, range, bins);
  return { ...range, count: sum(histogram.counts), histogram };
}

/** The statistics of an input of which nothing is known but its range. */
export function statisticsOfRange(
  [min, max]: readonly [number, number],
  bins: number,
): TensorStatistics {
  const range = { min, max };
  const layout = layBins(range, bins);
  const counts = Array.from({ length: bins }, (_, bin) => {
    const centre = (bin - layout.zeroBin) * layout.binWidth;
    return centre >= range.min && centre <= range.max ? 1 : 0;
  });
  return { ...range, count: sum(counts), histogram: { ...layout, counts } };
}

function least(values: Float64Array): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function greatest(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function notKnown(names: readonly string[], { graph }: Model): UserError {
  return new UserError(names.map((name) => {
    const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
    return {
      message: `Nothing is known of activation "${name}"${
        maker === undefined ? "" : `, which ${maker.opType} "${maker.name}" makes`
      }: statistics of batch normalization do not lead to it`,
      hint:
        `Leave its nodes in float (exclude: [NODE], and overrides: [{ match: NODE, skip: true }] ` +
        'at "quantize"), or calibrate with data, real or from the stage "synthesize"',
    };
  }));
}
