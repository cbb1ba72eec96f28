/**
 * The stage `search`: widths of layers under a budget.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const search = defineStage({
  name: "search",
  version: 1,
  summary: "Choose a width for each layer under a budget",
  description: [
    "Finds the widths that lose least, by the sensitivity table, while no limit is exceeded: so many bytes, bits, " +
    "operations, microseconds. `quantize` after it takes the widths.",
    "The front is the least loss at every cost, exactly, so that one can see what a bit more or less would buy.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    predicted_loss: {
      title: "predicted loss",
      description: "The loss that the table predicts, in its measure.",
      unit: "number",
      better: "lower",
    },
    mean_bits: {
      title: "mean bits",
      description: "Mean width of a weight, scales not counted.",
      unit: "bits",
      better: "lower",
    },
    weight_bytes: {
      title: "weights",
      description: "Bytes of all weights at their own width, with scales.",
      unit: "bytes",
      better: "lower",
    },
    bops: {
      title: "bit operations",
      description: "Multiplications × bits of weights × bits of activations, for one item.",
      unit: "count",
      better: "lower",
    },
    macs: {
      title: "multiplications",
      description: "Multiplications with weights, for one item.",
      unit: "count",
    },
    activation_bytes: {
      title: "activation memory",
      description: "Bytes of activations that exist at one time, one item at a time.",
      unit: "bytes",
      better: "lower",
    },
    latency: {
      title: "latency",
      description: "Predicted time of one item; only with a latency table or an accelerator.",
      unit: "seconds",
      better: "lower",
    },
    front_points: {
      title: "front",
      description: "Points of the front; 0 where it has too many.",
      unit: "count",
    },
    exceeded: {
      title: "exceeded",
      description: "Limits that are not kept.",
      unit: "count",
      better: "lower",
    },
  },
  engine: false,
  validate: findProblems,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default search;

/** What the schema cannot say. */
function findProblems({ budget, method, genetic }: Parameters): ParameterProblem[] {
  const problems: ParameterProblem[] = [];
  const limits = Object.keys(budget).filter((name) => name !== "loss");
  if (budget.loss !== undefined && limits.length > 0) {
    problems.push({
      path: ["budget", "loss"],
      message: `A limit of the loss stands alone: there are limits of ${limits.join(", ")} too`,
      hint: "Say minimize: COST for what is to be least, or leave loss out",
    });
  }
  if (budget.loss !== undefined && method !== "exact") {
    problems.push({
      path: ["method"],
      message: `A limit of the loss needs method exact: current value is ${method}`,
    });
  }
  if (genetic.parents > genetic.population * genetic.generations) {
    problems.push({
      path: ["genetic", "parents"],
      message: "There are fewer choices than parents",
    });
  }
  return problems;
}
