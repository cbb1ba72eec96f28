/**
 * The work of the stage `calibrate`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { planFeeds } from "../../data/feeds.ts";
import { collectStatistics } from "../../quant/calibration.ts";
import { RANGE_RULES } from "../../quant/observers/table.ts";
import type { Ranges } from "../../quant/ranges.ts";
import type { StageRun } from "../../registry/stage.ts";
import { batchSize } from "./batch_size.ts";
import { RepeatedFeeds } from "./feeds.ts";
import type { inputs, outputs, parameters } from "./ports.ts";
import { valuesToObserve } from "./values.ts";
import { rangesWithoutData, statisticsOfRange } from "./without_data.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, calibration },
  context,
) => {
  const { method, bins, momentum, percentile, power, input_range: inputRange } = parameters;
  if (method === "batchnorm") {
    const tensors = rangesWithoutData(await artifact.load(), parameters, artifact.origin);
    const activations = Object.keys(tensors).length;
    // The extents are the ranges; the histograms let other methods choose for few bits.
    const settings = { percentile, power };
    const ranges: Ranges = { version: 1, method: "minmax", settings, tensors };
    return { outputs: { ranges }, metrics: { items: 0, activations } };
  }
  if (calibration === undefined) throw new TypeError(`Method ${method} was given no data`);
  const [model, dataset] = await Promise.all([artifact.load(), calibration.load()]);
  const items = Math.min(dataset.length, parameters.take ?? Infinity);
  if (items === 0) throw new UserError(`The data set "${calibration.origin}" has no items`);
  const { graph } = model;
  const plan = planFeeds(
    dataset,
    graph.inputs.filter(({ name }) => !graph.initializers.has(name)),
    { data: calibration.origin, model: artifact.origin },
  );
  const { needs } = RANGE_RULES[method];
  const names = valuesToObserve(model, parameters.exclude);
  const feeds = new RepeatedFeeds(dataset, {
    plan,
    batch: parameters.batch ?? batchSize(graph, names),
    items,
    origin: calibration.origin,
    memory: needs === "histogram" ? context.memory / 4 : 0,
  });
  let phase = "";
  let done = 0;
  const statistics = await collectStatistics(model, names, () => feeds.read(), {
    needs,
    bins,
    momentum,
    threads: context.threads,
    memory: context.memory / 2,
    signal: context.signal,
    progress(current, size) {
      done = current === phase && done < items ? done + size : size;
      phase = current;
      context.progress({ phase, done, total: items, unit: "items" });
    },
  });
  for (const [name, { min, max }] of statistics) {
    if (min === 0 && max === 0) {
      context.warn(`Activation "${name}" is zero for all of the data "${calibration.origin}"`);
    }
  }
  if (inputRange !== undefined) {
    const [min, max] = inputRange;
    const { histogram, ...extent } = statisticsOfRange(inputRange, bins);
    const known = {
      ...extent,
      ...(needs === "average" && { average: { min, max } }),
      ...(needs === "histogram" && { histogram }),
    };
    for (const { name } of graph.inputs) if (statistics.has(name)) statistics.set(name, known);
  }
  const ranges: Ranges = {
    version: 1,
    method,
    settings: { percentile, power },
    tensors: Object.fromEntries(statistics),
  };
  return { outputs: { ranges }, metrics: { items, activations: statistics.size } };
};
