/**
 * The metrics of model outputs, by name.
 *
 * @module
 */

import { Agreement } from "./agreement.ts";
import { Cosine } from "./cosine.ts";
import { Divergence, type Scores } from "./divergence.ts";
import type { Metric } from "./metric.ts";
import { PerClass } from "./per_class.ts";
import { Psnr } from "./psnr.ts";
import { SquaredError } from "./squared_error.ts";
import { TopK } from "./top_k.ts";

export { PerClass };
export type { ClassAccuracy } from "./per_class.ts";
export type { Scores } from "./divergence.ts";
export { argmax, type Metric, type OutputBatch, type Reals } from "./metric.ts";

/** What a metric compares the outputs with. */
export type Comparison = "labels" | "reference" | "targets";

/** Settings that some metrics have. */
export interface MetricSettings {
  readonly scores: Scores;
  /** Difference between the largest and smallest value of targets. */
  readonly peak: number;
}

interface MetricRule {
  readonly needs: readonly Comparison[];
  /** How many outputs an item must have at least. */
  readonly width: number;
  create(settings: MetricSettings): Metric;
}

/** The metrics that can be asked for. */
export const METRICS = {
  top1: { needs: ["labels"], width: 2, create: () => new TopK(1) },
  top5: { needs: ["labels"], width: 6, create: () => new TopK(5) },
  agreement: { needs: ["reference"], width: 2, create: () => new Agreement() },
  kl: { needs: ["reference"], width: 2, create: ({ scores }) => new Divergence(scores) },
  per_class: { needs: ["labels"], width: 2, create: () => new PerClass() },
  mse: { needs: ["reference"], width: 1, create: () => new SquaredError() },
  cosine: { needs: ["reference"], width: 1, create: () => new Cosine() },
  psnr: { needs: ["targets"], width: 1, create: ({ peak }) => new Psnr(peak) },
} as const satisfies Record<string, MetricRule>;

/** A metric's name. */
export type MetricName = keyof typeof METRICS;

/** What there is to measure with. */
export interface Available {
  readonly has: ReadonlySet<Comparison>;
  /** Outputs an item. */
  readonly width: number;
}

/** Top-5 accuracy says little where there are few classes. */
const MANY_CLASSES = 50;

/** The metrics that fit a data set and a model, where the user names none. */
export function fittingMetrics({ has, width }: Available): MetricName[] {
  const wanted: MetricName[] = has.has("labels")
    ? ["top1", "top5", "agreement", "kl", "per_class"]
    : ["psnr", "mse", "cosine"];
  return wanted.filter((name) =>
    whyNot(name, { has, width }) === undefined && (name !== "top5" || width >= MANY_CLASSES)
  );
}

/** Why a metric cannot be measured, in words; `undefined` if it can. */
export function whyNot(name: MetricName, { has, width }: Available): string | undefined {
  const rule: MetricRule = METRICS[name];
  const missing = rule.needs.find((comparison) => !has.has(comparison));
  if (missing === "labels") return "the data set has no labels";
  if (missing === "targets") return "the data set has no targets";
  if (missing === "reference") return "there is no float model to compare with";
  if (width < rule.width) {
    return `the model's output has ${width} value${width === 1 ? "" : "s"} an item, and at least ` +
      `${rule.width} are needed`;
  }
  return undefined;
}
