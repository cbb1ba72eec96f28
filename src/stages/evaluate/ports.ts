/**
 * What the stage `evaluate` takes and makes.
 *
 * @module
 */

import { Type } from "../../base/type.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  metrics: Type.Union([
    Type.Literal("auto"),
    Type.Array(
      Type.Union([
        Type.Literal("top1"),
        Type.Literal("top5"),
        Type.Literal("agreement"),
        Type.Literal("kl"),
        Type.Literal("per_class"),
        Type.Literal("mse"),
        Type.Literal("cosine"),
        Type.Literal("psnr"),
      ]),
      { minItems: 1, uniqueItems: true },
    ),
  ], {
    default: "auto",
    description:
      "What to measure. `auto` takes what fits: accuracy, agreement with the float model and divergence from it where " +
      "the data set has labels (top-5 from 50 classes on), else squared error, cosine similarity and, where it has targets, the peak " +
      "signal-to-noise ratio.",
    examples: [["top1", "top5"], ["psnr"]],
  }),
  arithmetic: Type.Union([
    Type.Literal("simulated"),
    Type.Literal("integer"),
    Type.Literal("integer-exact"),
  ], {
    default: "simulated",
    description:
      "How quantizers are executed. `simulated`: as written, in float32, the same on every machine. `integer`: fused " +
      "into integer kernels, as ONNX Runtime deploys the model; on x86 processors without VNNI instructions products of " +
      "full-range 8-bit values saturate. `integer-exact`: integer kernels without that saturation.",
  }),
  batch: Type.Optional(Type.Integer({
    minimum: 1,
    description:
      "How many items run at a time; chosen from their size unless given, 1 for a model whose activations are quantized " +
      "dynamically. A model with a fixed batch gets that.",
  })),
  take: Type.Optional(Type.Integer({
    minimum: 1,
    description: "How many items to evaluate, from the first; all unless given.",
  })),
  output: Type.Optional(Type.String({
    minLength: 1,
    description: "Which output of the model is measured; the first one unless given.",
  })),
  scores: Type.Union([
    Type.Literal("auto"),
    Type.Literal("logits"),
    Type.Literal("probabilities"),
  ], {
    default: "auto",
    description:
      "What a classifier's outputs are, for `kl`. `auto` takes them for probabilities where a Softmax makes them.",
  }),
  peak: Type.Number({
    default: 1,
    exclusiveMinimum: 0,
    description: "Difference between the largest and smallest value of targets, for `psnr`.",
    examples: [255],
  }),
}, { additionalProperties: false });

/** The artifacts that it takes. */
export const inputs = {
  model: {
    kinds: ["quantized-model", "model"],
    description: "The model to be measured.",
  },
  reference: {
    kinds: ["model"],
    optional: true,
    description: "The float model that it is compared with.",
  },
  test: {
    kinds: ["dataset"],
    description: "The data to measure on, with labels or targets where accuracy is wanted.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  evaluation: {
    kind: "evaluation",
    description: "All metrics, the accuracy of each class, and how the model was executed.",
  },
} as const;
