/**
 * The stage `evaluate`: how good a model is, and how far from the float one.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { REPORTED_METRICS } from "../../quant/metrics/reported.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const evaluate = defineStage({
  name: "evaluate",
  version: 3,
  summary: "Measure a model's accuracy and size, and compare it with the float model",
  description: [
    "Runs a model over a data set, beside the float model where there is one, and measures accuracy, how far the outputs " +
    "are apart, and what the weights take in the file and packed.",
    "Works on quantized models of any tool as well as on float ones. Outputs of an item are taken as one vector, " +
    "whatever their shape.",
    "The result names the session options that the model ran with. With `arithmetic: integer` it also says how many nodes " +
    "ran in integer kernels.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: REPORTED_METRICS,
  engine: true,
  usesIntegerKernels: ({ arithmetic }) => arithmetic === "integer",
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default evaluate;
