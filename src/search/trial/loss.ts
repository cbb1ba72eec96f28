/**
 * Trying a model on items: how far its outputs are from the float ones.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { openSession } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { type MetricName, METRICS, type Scores } from "../../quant/metrics/mod.ts";
import { scoresOf } from "../../quant/metrics/scores.ts";
import type { Items, TrialItems } from "./items.ts";

/** How outputs are compared. */
export interface Comparison {
  readonly measure: "kl" | "mse";
  readonly scores: Scores;
}

/** What running a model takes. */
export interface TrialContext {
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** A model with other initializers, by name. */
export function withWeights(model: Model, weights: ReadonlyMap<string, Tensor>): Model {
  const initializers = new Map([...model.graph.initializers, ...weights]);
  return { ...model, graph: { ...model.graph, initializers } };
}

/**
 * The comparison that fits a model's output; `auto` takes `kl` where an item has one row of scores.
 *
 * @throws {UserError} If it has one value, and `kl` is asked for.
 */
export function chooseComparison(
  { graph }: Model,
  { output, dims, width }: Items,
  measure: Comparison["measure"] | "auto",
): Comparison {
  const scores = scoresOf(graph, output);
  const isRow = dims.length >= 2 && dims.slice(2).every((dim) => dim === 1) && width > 1;
  if (measure === "kl" && width < 2) {
    throw new UserError({
      message: `kl compares probabilities of classes, but output "${output}" has one value an item`,
      hint: "Say measure: mse",
    });
  }
  return { measure: measure === "auto" ? isRow ? "kl" : "mse" : measure, scores };
}

/** How far a model's outputs are from the float ones. */
export async function outputLoss(
  model: Model,
  items: TrialItems,
  { measure, scores }: Comparison,
  context: TrialContext,
): Promise<number> {
  return (await measureModel(model, items, [measure], scores, context))[measure]!;
}

/** Metrics of a model that are found in one pass over the items. */
export async function measureModel(
  model: Model,
  items: TrialItems,
  names: readonly MetricName[],
  scores: Scores,
  { threads, signal }: TrialContext,
): Promise<Record<string, number>> {
  await using session = await openSession(model, { threads });
  const metrics = names.map((name) => METRICS[name].create({ scores, peak: 1 }));
  for await (const { feeds, size, reference, labels } of items.calls()) {
    signal.throwIfAborted();
    const values = items.rows(await session.run(feeds, [items.output]), size);
    for (const metric of metrics) {
      metric.add({ size, width: items.width, values, reference, ...(labels && { labels }) });
    }
  }
  return Object.assign({}, ...metrics.map((metric) => metric.result()));
}
