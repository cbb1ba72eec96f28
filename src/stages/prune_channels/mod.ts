/**
 * The stage `prune-channels`: takes channels out of a network that are always zero.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const pruneChannels = defineStage({
  name: "prune-channels",
  version: 1,
  summary: "Take out channels that are always zero",
  description: [
    "Networks trained with weight decay often have channels whose weights have all but vanished: behind the Relu they are " +
    "zero for every input. Such a channel takes bytes in the layer that makes it and in those that read it, at any width. " +
    "This stage runs the network on data, finds the channels that never are anything but zero, and takes them out, through " +
    "depthwise layers too. What it saves, `search` can spend on wider weights.",
    "Run it after `prepare`, which folds batch normalization. Channels have to go from one layer only to other layers, " +
    "through Relu, LeakyRelu, PRelu, Clip, pooling and flattening; those of residual streams stay.",
    "The data decides: what is zero for all of it need not be zero for every input. `silenced` is the same function in the " +
    "form of the given model, so that `verify` can bound what the channels are worth over a whole set of inputs.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    channels: { title: "channels", description: "Channels that were taken out.", unit: "count" },
    layers: { title: "layers", description: "Layers that lost channels.", unit: "count" },
    weights: {
      title: "weights",
      description: "Weights that are left, as a share of those before.",
      unit: "fraction",
      better: "lower",
    },
    max_relative_difference: {
      title: "difference",
      description:
        "Largest difference between the outputs of both models on the data, relative to the largest output value.",
      unit: "number",
      better: "lower",
    },
  },
  engine: true,
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default pruneChannels;
