/**
 * The stage `verify`: a guaranteed bound on the difference of two models.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const verify = defineStage({
  name: "verify",
  version: 1,
  summary: "Prove how far a quantized model's outputs can be from the original's",
  description: [
    "For every input of a domain, not only for those of a data set, no output of the two models differs by more than the " +
    "bound. The answer is a bracket: what is proven, and the largest difference that was found, with the input that " +
    "shows it.",
    "Models of Gemm, MatMul, Conv, Add, Sub, Mul and Div by constants, BatchNormalization, average pools, Relu, LeakyRelu, " +
    "PRelu, Clip, operators that move values, and quantizers. See the guide on guarantees for what exactly is claimed.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    bound: {
      title: "bound",
      description: "The largest proven difference of any output, on any box of the domain.",
      unit: "bound",
      better: "lower",
      column: true,
    },
    found: {
      title: "found",
      description: "The largest difference that was found.",
      unit: "number",
      better: "lower",
    },
    ratio: {
      title: "bound / found",
      description: "How far the bound can be from the truth at most.",
      unit: "bound",
      better: "lower",
    },
    settled: {
      title: "settled",
      description: "Share of the domain's volume on which `stop` was reached.",
      unit: "fraction",
      better: "higher",
    },
    boxes: { title: "boxes", description: "Boxes that were bounded.", unit: "count" },
  },
  engine: true,
  validate: ({ method, split }) =>
    method !== "differential" && split === false
      ? [{
        path: ["split"],
        message: `split is for method differential: method is ${method}`,
        hint: "Leave it out",
      }]
      : [],
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default verify;
