/**
 * What the stage `calibrate` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { excludedNodes, take } from "../../registry/parameters.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([
    Type.Literal("minmax"),
    Type.Literal("moving-average"),
    Type.Literal("percentile"),
    Type.Literal("entropy"),
    Type.Literal("mse"),
    Type.Literal("aciq"),
    Type.Literal("aciq-grid"),
    Type.Literal("batchnorm"),
  ], {
    default: "mse",
    description:
      "How ranges are chosen. `minmax`: from the least to the greatest value. `moving-average`: between averages of the " +
      "batches' least and greatest values. `percentile`: what holds a percentage of the values. `entropy`: least " +
      "Kullback–Leibler divergence. `mse`: least |x − x̂|^p. `aciq`: least error of a Laplace or normal distribution, " +
      "as published; `aciq-grid`: the same for the number of steps that grids really have. The first two read the data " +
      "once, the others twice. `batchnorm`: without any data, from what batch normalization knows of the activations.",
  }),
  percentile: Type.Number({
    default: 99.999,
    exclusiveMinimum: 50,
    maximum: 100,
    description: "For `percentile`: percent of the values that stay inside the range.",
  }),
  power: Type.Number({
    default: 2.4,
    minimum: 1,
    maximum: 8,
    description: "For `mse`: the power p of the error.",
  }),
  momentum: Type.Number({
    default: 0.1,
    exclusiveMinimum: 0,
    maximum: 1,
    description: "For `moving-average`: the weight of each new batch.",
  }),
  bins: Type.Integer({
    default: 2048,
    minimum: 256,
    maximum: 65536,
    description: "How many bins the histogram of an activation has.",
  }),
  batch: Type.Optional(Type.Integer({
    minimum: 1,
    description:
      "How many items run at a time; chosen from the size of the activations unless given, at most 64. A model with a " +
      "fixed batch gets that. Matters to `moving-average`; to the others only where ONNX Runtime rounds differently.",
  })),
  take: take("calibrate"),
  deviations: Type.Number({
    default: 6,
    exclusiveMinimum: 0,
    maximum: 40,
    description:
      "For `batchnorm`: how many standard deviations of each channel lie inside its range, on both sides of its mean.",
  }),
  input_range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()], {
    description:
      "The least and the greatest value that the model is fed, as they are after preprocessing. `batchnorm` needs it; for " +
      "the other methods it takes the place of what the data shows of the input, which images that were made up do not tell.",
    examples: [[0, 1], [-2.12, 2.64]],
  })),
  exclude: excludedNodes(
    "Nodes by name that will stay in float, where `quantize` skips them: it then needs the activations around them.",
  ),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: { kinds: ["model"], description: "A prepared float model." },
  calibration: {
    kinds: ["dataset"],
    ignorable: true,
    description: "Typical inputs of the model; labels are not needed.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  ranges: {
    kind: "ranges",
    description: "Statistics of every activation that can be quantized.",
  },
} as const;
