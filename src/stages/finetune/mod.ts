/**
 * The stage `finetune`: trains a quantized model as a whole.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const finetune = defineStage({
  name: "finetune",
  version: 5,
  summary: "Train a quantized model as a whole, taught by the float one",
  description: [
    "Quantization-aware training: in every step, weights and activations are rounded to their grids, and the network is " +
    "brought closer to what the float network answers to the same items (distillation, without labels). Learned are the " +
    "weights, their scales and those of activations (learned step size quantization), and biases; the scale of the " +
    "model's input stays from 8 bits on, since images that were made up do not tell how large real pixels are.",
    "Put it behind `quantize` or, better, `reconstruct`. One item in eight is held back; a result that is further from the " +
    "float network on those than the given model is not kept. For models that give no scores of classes, the squared " +
    "error of the output takes the place of the divergence.",
    "The work can be interrupted at any moment and goes on where it was, with the same result.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    distance_before: {
      title: "before",
      description:
        "Mean divergence from the float network (relative squared error, where there are no classes) on the items held " +
        "back, before.",
      unit: "number",
      better: "lower",
    },
    distance: {
      title: "after",
      description: "The same afterwards.",
      unit: "number",
      better: "lower",
    },
    kept: {
      title: "kept",
      description: "1 if the trained model is the result, else 0.",
      unit: "count",
    },
    first_loss: {
      title: "first loss",
      description: "Mean loss of the first tenth of the steps.",
      unit: "number",
      better: "lower",
    },
    last_loss: {
      title: "last loss",
      description: "Mean loss of the last tenth.",
      unit: "number",
      better: "lower",
    },
    seconds: {
      title: "time",
      description: "Seconds that the work took, since it was last resumed.",
      unit: "seconds",
    },
  },
  engine: true,
  rehearse: ({ batch }) => ({ steps: 2, batch: Math.min(batch, 16) }),
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default finetune;
