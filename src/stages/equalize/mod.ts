/**
 * The stage `equalize`: scales channels of neighbouring layers so that one grid fits all of them.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const equalize = defineStage({
  name: "equalize",
  version: 3,
  summary: "Scale channels of neighbouring layers so that one grid fits them all",
  description: [
    "With one scale for a whole weight tensor (`granularity: tensor`), a few channels with large weights leave those with " +
    "small ones hardly any steps. Between two layers with a Relu or the like, a channel can be divided by a factor in the " +
    "first and multiplied by it in the second: the network computes the same. This stage chooses the factors so that " +
    "both layers' ranges of every channel are equal, through depthwise layers, until nothing changes any more " +
    "(cross-layer equalization; Nagel et al., 2019).",
    "It needs no data. Run it after `prepare`, which folds batch normalization. A layer has a part where its output goes " +
    "only to other layers, through Relu, LeakyRelu, PRelu, Clip, pooling and flattening.",
    "Both models are run on random input: the largest difference is a metric, and more than `tolerance` is an error.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    pairs: { title: "pairs", description: "Pairs of layers that were equalized.", unit: "count" },
    sweeps: {
      title: "sweeps",
      description: "How often all pairs were gone through.",
      unit: "count",
    },
    grid_use_before: {
      title: "grid use before",
      description:
        "The mean range of a channel's weights over that of the widest channel, mean over layers that have a part.",
      unit: "fraction",
    },
    grid_use: {
      title: "grid use",
      description: "The same afterwards.",
      unit: "fraction",
      better: "higher",
    },
    max_relative_difference: {
      title: "difference",
      description:
        "Largest difference between outputs before and after equalization on random input, relative to the largest " +
        "output value; before biases are absorbed.",
      unit: "number",
      better: "lower",
    },
    clips_replaced: {
      title: "clips",
      description: "Clip nodes that got bounds for each channel, or lost the upper one.",
      unit: "count",
    },
    channels_absorbed: {
      title: "absorbed",
      description: "Channels whose bias was absorbed.",
      unit: "count",
    },
    absorption_difference: {
      title: "absorption",
      description:
        "The same difference between the equalized model and the one with absorbed biases.",
      unit: "number",
      better: "lower",
    },
  },
  engine: true,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default equalize;
