/**
 * The stage `train`: teaches a small classifier.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const train = defineStage({
  name: "train",
  version: 4,
  summary: "Train a small classifier, from fresh weights or from its own",
  description: [
    "Minimizes the cross-entropy of a model's first output against the labels of a data set. Forward pass, gradients and " +
    "optimizer are one ONNX graph that ONNX Runtime executes. All items must fit in memory.",
    "Trained are the weights and biases of Conv, ConvTranspose, Gemm and MatMul, and the scales, biases and statistics of " +
    "normalizations. An operator without a gradient rule between them and the output is an error that names it.",
    "The work can be interrupted at any moment and goes on where it was, with the same result.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    train_loss: {
      title: "train loss",
      description: "Mean cross-entropy of the last epoch's batches, each before its step.",
      unit: "number",
      better: "lower",
    },
    train_top1: {
      title: "train top-1",
      description:
        "Share of the last epoch's items that were classified right, each before its step.",
      unit: "fraction",
      better: "higher",
    },
    steps: { title: "steps", description: "Steps that were made.", unit: "count" },
    parameters: { title: "parameters", description: "Numbers that were trained.", unit: "count" },
  },
  engine: true,
  rehearse: () => ({ epochs: 1, warmup: 0 }),
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default train;
