/**
 * The stage `search`: widths of layers under a budget.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { isGoal, quantizesActivations } from "./goals.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const search = defineStage({
  name: "search",
  version: 11,
  summary: "Choose a width for each layer under a budget",
  description: [
    "Finds the widths that lose least, by the sensitivity table, while no limit is exceeded: so many bytes, bits, " +
    "operations, microseconds. `quantize` after it takes the widths.",
    "The front is the least loss at every cost, exactly, so that one can see what a bit more or less would buy.",
    "With `trials`, models are really made and measured: the choice is then the best of those that were, and limits can be " +
    "of what is measured. Every trial is kept: an interrupted search goes on where it was.",
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
    mean_activation_bits: {
      title: "mean activation bits",
      description: "Mean width of a quantized activation; only where activations get widths.",
      unit: "bits",
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
    trials: { title: "trials", description: "Models that were made and measured.", unit: "count" },
    measured_kl: {
      title: "measured KL",
      description: "Divergence of the chosen model from the float one, on the validation items.",
      unit: "number",
      better: "lower",
    },
    measured_mse: {
      title: "measured error",
      description: "Mean squared difference of outputs of the chosen model and the float one.",
      unit: "number",
      better: "lower",
    },
    measured_bound: {
      title: "bound",
      description: "What is proven of the choice, with a limit of `bound`.",
      unit: "bound",
      better: "lower",
    },
    measured_top1_drop: {
      title: "measured drop",
      description: "Top-1 accuracy of the float model less that of the chosen one.",
      unit: "fraction",
      better: "lower",
    },
    gained: {
      title: "gained",
      description:
        "By how much less the choice loses than the table's own, as measured; a share of the latter.",
      unit: "fraction",
      better: "higher",
    },
    exceeded: {
      title: "exceeded",
      description: "Limits that are not kept.",
      unit: "count",
      better: "lower",
    },
  },
  engine: true,
  rehearse: ({ genetic, trials }) => ({
    genetic: {
      ...genetic,
      generations: 2,
      population: Math.min(genetic.population, 8),
      parents: 4,
    },
    ...(trials !== undefined && {
      trials: {
        ...trials,
        count: 1,
        ...(trials.reconstruction !== undefined &&
          { reconstruction: { ...trials.reconstruction, steps: 2 } }),
      },
    }),
  }),
  ignores({ trials, targets }) {
    if (trials === undefined) return ["calibration", "validation", "ranges"];
    return [
      ...trials.reconstruction === undefined ? ["calibration"] as const : [],
      ...quantizesActivations(trials, targets) ? [] : ["ranges"] as const,
    ];
  },
  publish({ to }, pipeline) {
    if (to === undefined) return [];
    const file = `${to}/${pipeline.name}`;
    return [
      { output: "front", to: `${file}-front.json` },
      { output: "picture", to: `${file}-front.svg` },
      { output: "widths", to: `${file}-widths.md` },
    ];
  },
  validate: findProblems,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default search;

/** What the schema cannot say. */
function findProblems(parameters: Parameters): ParameterProblem[] {
  const { budget = {}, method, genetic, targets, minimize, trials } = parameters;
  const problems: ParameterProblem[] = [];
  const limits = Object.keys(budget);
  const goals = limits.filter((name) => isGoal(name));
  if (limits.length === 0 && method !== "pareto") {
    problems.push({
      path: [],
      message: `Method ${method} needs a budget`,
      hint: "Say budget: { size: 120kB }, or method: pareto",
    });
  }
  for (const goal of goals) {
    if (limits.length > 1) {
      const others = limits.filter((name) => name !== goal);
      problems.push({
        path: ["budget", goal],
        message: `A limit of ${goal} stands alone: there are limits of ${others.join(", ")} too`,
        hint: "Say minimize: COST for what is to be least, or leave one out",
      });
    }
    if (method !== "exact") {
      problems.push({
        path: ["method"],
        message: `A limit of ${goal} needs method exact: current value is ${method}`,
      });
    }
    if (goal !== "loss" && trials === undefined) {
      problems.push({
        path: ["budget", goal],
        message: `A limit of ${goal} is kept by measuring models`,
        hint:
          "Say trials: {}, or trials: { reconstruction: {} } for models that will be reconstructed",
      });
    }
  }
  if (budget.bound !== undefined && trials !== undefined && trials.domain === undefined) {
    problems.push({
      path: ["budget", "bound"],
      message: "A bound speaks of a domain of inputs, and there is none",
      hint: "Say trials: { domain: { linf: 0.01, take: 5 } }",
    });
  }
  if (budget.bound === undefined && trials?.domain !== undefined) {
    problems.push({
      path: ["trials", "domain"],
      message: "A domain is for a limit of bound, and there is none",
      hint: "Say budget: { bound: NUMBER }, or leave it out",
    });
  }
  if (budget.loss !== undefined && trials !== undefined) {
    problems.push({
      path: ["trials"],
      message: "A limit of the predicted loss needs no trials",
      hint: "Say budget: { kl: NUMBER } for a measured one",
    });
  }
  if (method === "pareto" && trials !== undefined) {
    problems.push({
      path: ["trials"],
      message: "Method pareto predicts all of the front; trials are for one choice",
      hint: "Say method: exact",
    });
  }
  const needs = { mean_bits: "weights", size: "weights", mean_activation_bits: "activations" };
  const missing = targets === "weights"
    ? "activations"
    : targets === "activations"
    ? "weights"
    : "";
  for (const [cost, what] of Object.entries(needs)) {
    if (what !== missing) continue;
    for (const path of [["budget", cost], ["minimize"]]) {
      if (path.length === 1 ? minimize !== cost : !limits.includes(cost)) continue;
      problems.push({
        path,
        message: `${cost} does not change with the widths of ${targets}`,
        hint: `Say targets: both, or targets: ${what}`,
      });
    }
  }
  if (targets === "activations" && limits.includes("of_int8")) {
    problems.push({
      path: ["budget", "of_int8"],
      message: "of_int8 does not change with the widths of activations",
      hint: "Say targets: both, or targets: weights",
    });
  }
  if (trials?.activations.mode === "none" && targets !== "weights") {
    problems.push({
      path: ["trials", "activations", "mode"],
      message: `Activations cannot stay float in trials where targets is ${targets}`,
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
