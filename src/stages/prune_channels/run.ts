/**
 * The work of the stage `prune-channels`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import type { Dataset } from "../../data/dataset.ts";
import { type FeedPlan, feedsOf, planFeeds } from "../../data/feeds.ts";
import { tensorDifference } from "../../engine/compare.ts";
import type { Feeds } from "../../engine/intermediates.ts";
import { openSession } from "../../engine/session.ts";
import { cloneModel, nameEverything, prune } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { channelPeaks } from "../../quant/pruning/activity.ts";
import { findRemovable, type RemovableChannels } from "../../quant/pruning/removable.ts";
import { type Removal, removeChannels, silenceChannels } from "../../quant/pruning/remove.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import type { inputs, outputs, parameters } from "./ports.ts";

/** Items that run at a time. */
const BATCH = 32;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  { threshold, exclude, take },
  { model: artifact, calibration },
  context,
) => {
  const [loaded, dataset] = await Promise.all([artifact.load(), calibration.load()]);
  const given = cloneModel(loaded);
  nameEverything(given.graph);
  const items = Math.min(dataset.length, take ?? Infinity);
  if (items === 0) throw new UserError(`The data set "${calibration.origin}" has no items`);
  const { graph } = given;
  const plan = planFeeds(
    dataset,
    graph.inputs.filter(({ name }) => !graph.initializers.has(name)),
    { data: calibration.origin, model: artifact.origin },
  );
  const batches = (phase: string) => readFeeds(dataset, plan, items, phase, context);
  const groups = withoutExcluded(given, findRemovable(graph), exclude);
  if (groups.length === 0) {
    context.warn(
      `No channels of "${artifact.origin}" can be taken out: the output of a layer has to go only to other ` +
        "layers, through Relu, LeakyRelu, PRelu, Clip, pooling or flattening" +
        (graph.nodes.some(({ opType }) => opType === "BatchNormalization")
          ? '. It has batch normalizations: put the stage "prepare" before'
          : ""),
    );
  }
  const { threads, signal } = context;
  const peaks = groups.length === 0
    ? []
    : await channelPeaks(given, groups, batches("looking at channels"), { threads, signal });
  const removals = groups.map((channels, index): Removal => ({
    channels,
    stays: staying(peaks[index]!, threshold),
  })).filter(({ stays }) => stays.includes(false));
  const silenced = cloneModel(given);
  silenceChannels(silenced, removalsIn(silenced, removals));
  const model = cloneModel(given);
  removeChannels(model, removalsIn(model, removals));
  prune(model.graph);
  const difference = removals.length === 0
    ? 0
    : await differenceOn(batches("comparing outputs"), given, model, context);
  const gone = removals.reduce((sum, { stays }) => sum + stays.filter((each) => !each).length, 0);
  return {
    outputs: { model, silenced, record: { layers: recordOf(groups, peaks, removals) } },
    metrics: {
      channels: gone,
      layers: removals.length,
      weights: weightCount(model) / Math.max(1, weightCount(given)),
      max_relative_difference: difference,
    },
  };
};

/** The data as calls of a model, from the first item. */
async function* readFeeds(
  dataset: Dataset,
  plan: FeedPlan,
  items: number,
  phase: string,
  { progress }: StageContext,
): AsyncGenerator<Feeds> {
  for (let start = 0; start < items; start += BATCH) {
    const batch = await dataset.batch(start, Math.min(BATCH, items - start));
    for (const { feeds } of feedsOf(plan, batch)) yield feeds;
    progress({ phase, done: start + batch.size, total: items, unit: "items" });
  }
}

/** @throws {UserError} If a pattern is for no layer whose channels could go. */
function withoutExcluded(
  { graph }: Model,
  groups: readonly RemovableChannels[],
  patterns: readonly string[],
): RemovableChannels[] {
  const matchers = patterns.map(globPattern);
  const unused = patterns.filter((_, index) =>
    !graph.nodes.some(({ name }) => matchers[index]!.test(name))
  );
  if (unused.length > 0) {
    const some = groups[0]?.first.node.name ?? graph.nodes[0]?.name ?? "";
    throw new UserError(unused.map((pattern) => ({
      message: `exclude: no node of the model has a name like "${pattern}"`,
      hint: `Its layers are named like ${some}`,
    })));
  }
  return groups.filter(({ first }) => !matchers.some((matcher) => matcher.test(first.node.name)));
}

/** Which channels stay: those above the threshold, and the largest in any case, since a layer has to have one. */
function staying(peaks: Float64Array, threshold: number): boolean[] {
  const most = peaks.reduce((a, b) => Math.max(a, b), 0);
  const largest = Math.max(0, peaks.indexOf(most));
  return Array.from(peaks, (peak, channel) => channel === largest || !(peak <= threshold * most));
}

/** The same removals in a copy of the model. */
function removalsIn({ graph }: Model, removals: readonly Removal[]): Removal[] {
  const stays = new Map(removals.map((each) => [each.channels.first.node.name, each.stays]));
  return findRemovable(graph).flatMap((channels) => {
    const own = stays.get(channels.first.node.name);
    return own === undefined ? [] : [{ channels, stays: own }];
  });
}

/** The largest difference of an output on data, relative to the largest value of any. */
async function differenceOn(
  batches: AsyncIterable<Feeds>,
  a: Model,
  b: Model,
  { threads, signal }: StageContext,
): Promise<number> {
  await using one = await openSession(a, { threads });
  await using other = await openSession(b, { threads });
  let largest = 0;
  for await (const feeds of batches) {
    signal.throwIfAborted();
    const [expected, actual] = [await one.run(feeds), await other.run(feeds)];
    for (const [name, value] of Object.entries(expected)) {
      largest = Math.max(largest, tensorDifference(value, actual[name]!));
    }
  }
  return largest;
}

function weightCount({ graph }: Model): number {
  let count = 0;
  for (const { type, data } of graph.initializers.values()) {
    if (type === "float32") count += data.length;
  }
  return count;
}

function recordOf(
  groups: readonly RemovableChannels[],
  peaks: readonly Float64Array[],
  removals: readonly Removal[],
): JsonValue {
  const stays = new Map(removals.map((each) => [each.channels.first.node, each.stays]));
  return groups.map(({ first, readers }, index) => ({
    layer: first.node.name,
    readers: readers.map(({ layer }) => layer.node.name),
    channels: first.outputs,
    removed: (stays.get(first.node) ?? []).flatMap((stay, channel) => stay ? [] : [channel]),
    peaks: Array.from(peaks[index]!),
  }));
}
