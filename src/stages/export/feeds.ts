/**
 * Inputs to try a model with.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { feedsOf, planFeeds } from "../../data/feeds.ts";
import { zeros } from "../../engine/zeros.ts";
import type { Model } from "../../onnx/model.ts";
import type { DataType, Tensor } from "../../onnx/tensor.ts";
import type { Artifact } from "../../registry/artifact.ts";

/** Items of the data that are run. */
const ITEMS = 8;

/** The first items of a data set, or random numbers (zeros for integers) with every open dimension 1. */
export async function checkFeeds(
  artifact: Artifact,
  { graph }: Model,
  test: Artifact<"dataset"> | undefined,
  seed: number,
): Promise<Record<string, Tensor>> {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  if (test !== undefined) {
    const dataset = await test.load();
    const origins = { data: test.origin, model: artifact.origin };
    const plan = planFeeds(dataset, inputs, origins);
    for (const { feeds } of feedsOf(plan, await dataset.batch(0, ITEMS))) return feeds;
  }
  const random = Random.from(seed, "export/feeds");
  const feeds: Record<string, Tensor> = {};
  for (const { name, type, dims } of inputs) {
    const shape = (dims ?? []).map((dim) => typeof dim === "number" ? dim : 1);
    feeds[name] = zeros(type as DataType, shape);
    if (type !== "float32" && type !== "float64") continue;
    const data = feeds[name]!.data as Float32Array;
    for (let index = 0; index < data.length; index++) data[index] = random.normal();
  }
  return feeds;
}
