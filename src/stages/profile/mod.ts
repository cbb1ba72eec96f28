/**
 * The stage `profile`: how long layers take on this machine.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const profile = defineStage({
  name: "profile",
  version: 2,
  summary: "Measure how long each layer takes on this machine",
  description: [
    "Times every distinct layer by itself at every width, as ONNX Runtime deploys it: quantized activations come in and " +
    "go out, one item at a time. What the whole model takes beyond its layers at 8 bits is the rest; where the layers " +
    "together take longer than the whole model, they are scaled down to it. The table is for `search` with a limit of " +
    "latency. How far one can trust it shows in the sum of all operators timed by themselves, beside what the whole model " +
    "takes.",
    "Results are of this machine and of how busy it was, and are cached like all others: another number of `runs` measures " +
    "again.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    layers: { title: "layers", description: "Distinct layers that were timed.", unit: "count" },
    int8_seconds: {
      title: "int8 time",
      description: "Time of the whole model with 8-bit weights and activations.",
      unit: "seconds",
      better: "lower",
    },
    float_seconds: {
      title: "float time",
      description: "Time of the whole float model.",
      unit: "seconds",
      better: "lower",
    },
    int8_predicted: {
      title: "int8 predicted",
      description:
        "The same as the sum of what each operator takes by itself, before anything is scaled.",
      unit: "seconds",
      better: "lower",
    },
    float_predicted: {
      title: "float predicted",
      description: "The same for the float model.",
      unit: "seconds",
      better: "lower",
    },
    whole_error: {
      title: "error",
      description:
        "By how much the sum of all operators is off from what the whole model takes; the greater of both.",
      unit: "fraction",
      better: "lower",
    },
    layer_share: {
      title: "layer share",
      description:
        "Sum of the layers' times over that of the whole model, the last that was timed.",
      unit: "fraction",
    },
  },
  engine: true,
  rehearse: ({ runs }) => ({ runs: Math.min(runs, 3) }),
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default profile;
