/**
 * Measuring outputs: which metrics, and adding them up.
 *
 * @module
 */

import type { Static } from "../../base/type.ts";
import { UserError } from "../../base/errors.ts";
import type { Batch, Dataset } from "../../data/dataset.ts";
import { elementCount } from "../../onnx/tensor.ts";
import type { Evaluation } from "../../quant/evaluation.ts";
import {
  type Comparison,
  fittingMetrics,
  type Metric,
  type MetricName,
  METRICS,
  PerClass,
  type Reals,
  type Scores,
  whyNot,
} from "../../quant/metrics/mod.ts";
import type { parameters } from "./ports.ts";

type Parameters = Static<typeof parameters>;

/** What is measured, and what messages call it. */
export interface Subject {
  readonly dataset: Dataset;
  readonly hasReference: boolean;
  readonly scores: Scores;
  readonly model: string;
  readonly data: string;
}

/** The metrics of one evaluation. */
export class Measurement {
  readonly #parameters: Parameters;
  readonly #subject: Subject;
  #metrics: Metric[] = [];
  #width = 0;

  constructor(parameters: Parameters, subject: Subject) {
    this.#parameters = parameters;
    this.#subject = subject;
  }

  /**
   * Adds a batch's outputs; those of the first batch decide which metrics fit.
   *
   * @throws {UserError} If a metric that was asked for cannot be measured, a label is out of range, or outputs
   *   and what they are compared with differ in size.
   */
  add(batch: Batch, values: Reals, reference: Reals | undefined): void {
    const width = values.length / batch.size;
    if (this.#metrics.length === 0) {
      this.#metrics = this.#choose(width);
      this.#width = width;
    }
    if (batch.labels !== undefined && width > 1) this.#checkLabels(batch);
    if (reference !== undefined && reference.length !== values.length) {
      throw new UserError({
        message:
          `The model "${this.#subject.model}" gives ${width} values an item, the float model ` +
          `${reference.length / batch.size}`,
        hint:
          "Compare it with the float model that it was made from: in: { reference: STAGE.model }",
      });
    }
    const targets = batch.targets?.data;
    for (const metric of this.#metrics) {
      metric.add({
        size: batch.size,
        width,
        values,
        ...(reference && { reference }),
        ...(batch.labels && { labels: batch.labels }),
        ...(targets && { targets: targets as Reals }),
      });
    }
  }

  /** All numbers so far. */
  result(): Record<string, number> {
    return Object.assign({}, ...this.#metrics.map((metric) => metric.result()));
  }

  /** The accuracy of each class that occurs, if it was measured. */
  classes(): Evaluation["classes"] {
    const perClass = this.#metrics.find((metric) => metric instanceof PerClass);
    const { classes: names, labelOffset = 0 } = this.#subject.dataset;
    return perClass?.classes().map(({ label, count, top1 }) => ({
      name: names?.[label - labelOffset] ?? String(label),
      count,
      top1,
    }));
  }

  #choose(width: number): Metric[] {
    const { dataset, hasReference, scores, data } = this.#subject;
    const has = new Set<Comparison>();
    if (dataset.labeled) has.add("labels");
    if (hasReference) has.add("reference");
    if (dataset.target !== undefined) has.add("targets");
    const { metrics, peak } = this.#parameters;
    const wanted = metrics === "auto" ? fittingMetrics({ has, width }) : metrics;
    const problems = wanted.flatMap((name) => {
      const reason = whyNot(name, { has, width });
      return reason === undefined ? [] : [{
        message: `${name} cannot be measured: ${reason}`,
        hint: HINTS[METRICS[name].needs[0]],
      }];
    });
    if (problems.length > 0) throw new UserError(problems);
    if (wanted.includes("psnr")) this.#checkTargets(width);
    if (wanted.length === 0) {
      throw new UserError({
        message:
          `The data set "${data}" has neither labels nor targets, and there is no float model ` +
          `to compare with`,
        hint: "Give the data labels or targets, or name a float model: in: { reference: NAME }",
      });
    }
    return wanted.map((name: MetricName) => METRICS[name].create({ scores, peak }));
  }

  #checkLabels({ labels, start }: Batch): void {
    const index = labels!.findIndex((label) => label < 0 || label >= this.#width);
    if (index < 0) return;
    const { dataset, model } = this.#subject;
    const item = start + index;
    throw new UserError({
      message:
        `Label of item ${item}, ${dataset.nameOf(item)}, is ${labels![index]}, but the model ` +
        `"${model}" has ${this.#width} outputs: labels must be from 0 to ${this.#width - 1}`,
      hint:
        "Shift the labels with preprocess: { label_offset: NUMBER } at the data set, or correct them",
    });
  }

  #checkTargets(width: number): void {
    const { dataset, model, data } = this.#subject;
    const { dims, type } = dataset.target!;
    if (type !== "float32" && type !== "float64") {
      throw new UserError(`The targets of the data set "${data}" are ${type}, expected float32`);
    }
    if (elementCount(dims) === width) return;
    throw new UserError(
      `The targets of the data set "${data}" have shape [${dims.join(", ")}], ` +
        `${elementCount(dims)} values an item, but the model "${model}" gives ${width}`,
    );
  }
}

const HINTS: Readonly<Record<Comparison, string>> = {
  labels: "Give the data set labels, or leave the metric out",
  reference: "Name the float model: in: { reference: NAME }, or leave the metric out",
  targets: "Give the data set targets: target: …, or leave the metric out",
};
