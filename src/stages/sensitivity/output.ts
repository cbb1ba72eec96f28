/**
 * Losses by running the network with some layers quantized.
 *
 * @module
 */

import { openSession } from "../../engine/session.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { METRICS, type Scores } from "../../quant/metrics/mod.ts";
import type { StageContext } from "../../registry/stage.ts";
import type { Items } from "./items.ts";

/** How outputs are compared. */
export interface Comparison {
  readonly measure: "kl" | "mse";
  readonly scores: Scores;
}

/** A model with other initializers, by name. */
export function withWeights(model: Model, weights: ReadonlyMap<string, Tensor>): Model {
  const initializers = new Map([...model.graph.initializers, ...weights]);
  return { ...model, graph: { ...model.graph, initializers } };
}

/** How far a model's outputs are from the float ones. */
export async function outputLoss(
  model: Model,
  items: Items,
  { measure, scores }: Comparison,
  { threads, signal }: Pick<StageContext, "threads" | "signal">,
): Promise<number> {
  await using session = await openSession(model, { threads });
  const metric = METRICS[measure].create({ scores, peak: 1 });
  for await (const { feeds, size, reference } of items.calls()) {
    signal.throwIfAborted();
    const values = items.rows(await session.run(feeds, [items.output]), size);
    metric.add({ size, width: items.width, values, reference });
  }
  return metric.result()[measure]!;
}
