/**
 * The stage `correct-bias`: takes back what rounding weights does to the means of outputs.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const correctBias = defineStage({
  name: "correct-bias",
  version: 1,
  summary: "Correct biases so that every channel keeps its mean",
  description: [
    "Rounding errors of weights do not cancel out: where inputs are positive, as behind Relu, they move the mean of a " +
    "channel. The bias of the layer can take that back (Nagel et al., 2019). Weights, scales and the form of the model " +
    "stay as they are.",
    "`method: analytic` needs no data; the float model has to have batch normalization, which the stage `prepare` may " +
    "have folded. `method: empirical` measures the means on data; a layer whose outputs would be further from those of " +
    "the float model than before keeps its bias.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    layers: { title: "layers", description: "Layers whose bias was corrected.", unit: "count" },
    skipped: { title: "skipped", description: "Layers whose bias stayed.", unit: "count" },
    largest: {
      title: "largest",
      description: "Greatest correction of a channel, for `analytic`.",
      unit: "number",
    },
    loss_before: {
      title: "loss before",
      description:
        "For `empirical`: squared errors of all layers' outputs before, summed over channels.",
      unit: "number",
      better: "lower",
    },
    loss_after: {
      title: "loss after",
      description: "The same afterwards.",
      unit: "number",
      better: "lower",
    },
  },
  engine: true,
  ignores: ({ method }) => method === "analytic" ? ["calibration"] : [],
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default correctBias;
