/**
 * The stage `calibrate`: statistics of a float model's activations on typical data.
 *
 * @module
 */

import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const calibrate = defineStage({
  name: "calibrate",
  version: 1,
  summary: "Find the ranges of a float model's activations on typical data",
  description: [
    "Runs the model over the data and collects the least and greatest value of every activation that can be " +
    "quantized, and, where the method needs it, a histogram. Activations are never kept: memory does not grow with " +
    "the data. `quantize` then chooses a range for its own bit width.",
    "A few hundred items are usually enough. NaN and infinite values are an error.",
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
  load: () => import("./run.ts"),
});

export default calibrate;
