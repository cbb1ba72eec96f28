/**
 * The stage `calibrate`: statistics of a float model's activations on typical data.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage, type ParameterProblem } from "../../registry/stage.ts";
import { inputs, outputs, type Parameters, parameters } from "./ports.ts";

export const calibrate = defineStage({
  name: "calibrate",
  version: 1,
  summary: "Find the ranges of a float model's activations on typical data",
  description: [
    "Runs the model over the data and collects the least and greatest value of every activation that can be " +
    "quantized, and, where the method needs it, a histogram. Activations are never kept: memory does not grow with " +
    "the data. `quantize` then chooses a range for its own bit width.",
    "A few hundred items are usually enough. NaN and infinite values are an error.",
    "With `method: batchnorm` there is no data at all: ranges follow from the means and deviations that batch " +
    "normalization has of each channel, also where the stage `prepare` has folded it, through Relu, additions, pooling " +
    "and further layers; and from `input_range`.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    items: { title: "items", description: "Items of the data that were run.", unit: "count" },
    activations: {
      title: "activations",
      description: "Activations whose statistics were collected.",
      unit: "count",
    },
  },
  engine: true,
  ignores: ({ method }) => method === "batchnorm" ? ["calibration"] : [],
  validate: findProblems,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default calibrate;

/** What the schema cannot say. */
function findProblems({ method, input_range: range }: Parameters): ParameterProblem[] {
  if (range === undefined) {
    return method !== "batchnorm" ? [] : [{
      path: ["method"],
      message: "method: batchnorm needs the range of the model's input, which no statistics tell",
      hint: "Say input_range: [LEAST, GREATEST], as values are after preprocessing",
    }];
  }
  return range[0] < range[1] ? [] : [{
    path: ["input_range"],
    message: `input_range must go from the least to the greatest value: it is [${
      range.join(", ")
    }]`,
  }];
}
