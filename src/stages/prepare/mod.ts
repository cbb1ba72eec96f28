/**
 * The stage `prepare`: a float model, made ready to be quantized.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const prepare = defineStage({
  name: "prepare",
  version: 2,
  summary: "Bring a float model into the form that the other stages work on",
  description: [
    "Raises the operator set, removes nodes that do nothing at inference, computes constant parts, folds batch " +
    "normalization and per-channel arithmetic into the layers before, turns MatMul with a bias into Gemm, moves Relu before pooling, gives every " +
    "node a name and every value its shape.",
    "What folded batch normalization knew of the activations, mean and deviation of each channel, stays with the model " +
    "as a metadata entry, from which other stages find ranges, correct biases and make up data without any data.",
    "The prepared model is run against the original on random input: the largest difference is a metric, and more than " +
    "`tolerance` is an error.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    nodes: { title: "nodes", description: "Nodes of the prepared model.", unit: "count" },
    nodes_before: { title: "nodes before", description: "Nodes of the original.", unit: "count" },
    parameters: { title: "parameters", description: "Numbers in float constants.", unit: "count" },
    batch_norms_folded: {
      title: "folded",
      description: "Batch normalizations folded into other layers.",
      unit: "count",
    },
    max_relative_difference: {
      title: "difference",
      description:
        "Largest difference between outputs before and after on random input, relative to the largest output value.",
      unit: "number",
      better: "lower",
    },
  },
  engine: true,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default prepare;
