/**
 * The work of the stage `calibrate`.
 *
 * @module
 */

import { type Problem, UserError } from "../../base/errors.ts";
import { globPattern } from "../../base/glob.ts";
import { didYouMean } from "../../base/suggest.ts";
import { planFeeds } from "../../data/feeds.ts";
import type { Model, Node } from "../../onnx/model.ts";
import { collectStatistics } from "../../quant/calibration.ts";
import { RANGE_RULES } from "../../quant/observers/table.ts";
import { observedValues } from "../../quant/placement.ts";
import type { Ranges } from "../../quant/ranges.ts";
import type { StageRun } from "../../registry/stage.ts";
import { batchSize } from "./batch_size.ts";
import { RepeatedFeeds } from "./feeds.ts";
import type { inputs, outputs, parameters } from "./ports.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact, calibration },
  context,
) => {
  const [model, dataset] = await Promise.all([artifact.load(), calibration.load()]);
  const items = Math.min(dataset.length, parameters.take ?? Infinity);
  if (items === 0) throw new UserError(`The data set "${calibration.origin}" has no items`);
  const { graph } = model;
  const plan = planFeeds(
    dataset,
    graph.inputs.filter(({ name }) => !graph.initializers.has(name)),
    { data: calibration.origin, model: artifact.origin },
  );
  const { method, bins, momentum, percentile, power } = parameters;
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
  const ranges: Ranges = {
    version: 1,
    method,
    settings: { percentile, power },
    tensors: Object.fromEntries(statistics),
  };
  return { outputs: { ranges }, metrics: { items, activations: statistics.size } };
};

/**
 * The values whose statistics `quantize` needs.
 *
 * @param exclude Patterns of the names of nodes that stay in float.
 * @throws {UserError} If a pattern fits no node, or nothing can be quantized.
 */
function valuesToObserve(model: Model, exclude: readonly string[]): string[] {
  const problems: Problem[] = [];
  const skipped = new Set(exclude.flatMap((pattern) => {
    const found = matchNodes(model, pattern);
    if (found.length === 0) problems.push(nothingFound(model, pattern));
    return found;
  }));
  if (problems.length > 0) throw new UserError(problems);
  const names = observedValues(model, { skip: (node) => skipped.has(node) });
  if (names.length > 0) return names;
  throw new UserError({
    message: "The model has no activation that can be quantized",
    hint: "Activations are quantized around Conv, ConvTranspose, Gemm and MatMul nodes",
  });
}

function matchNodes({ graph }: Model, pattern: string): Node[] {
  const expression = globPattern(pattern);
  return graph.nodes.filter(({ name }) => expression.test(name));
}

function nothingFound({ graph }: Model, pattern: string): Problem {
  const hint = didYouMean(pattern.replaceAll("*", ""), graph.nodes.map(({ name }) => name));
  return {
    message: `exclude: no node of the model has a name like "${pattern}"`,
    ...(hint && { hint }),
  };
}
