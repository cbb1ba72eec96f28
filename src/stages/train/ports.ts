/**
 * What the stage `train` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  initial: Type.Union([Type.Literal("model"), Type.Literal("seed")], {
    default: "model",
    description:
      "Where training starts. `model`: from the model's own weights. `seed`: from fresh ones, normal numbers of " +
      "variance 2 / fan-in that follow from the pipeline's seed; the model only gives the architecture.",
  }),
  epochs: Type.Integer({
    default: 10,
    minimum: 1,
    description: "How often every item is seen.",
  }),
  batch: Type.Integer({ default: 64, minimum: 1, description: "Items a step." }),
  optimizer: Type.Union([Type.Literal("sgd"), Type.Literal("adam"), Type.Literal("adamw")], {
    default: "sgd",
    description: "`sgd`: with Nesterov momentum. `adamw`: Adam with weight decay apart.",
  }),
  momentum: Type.Number({
    default: 0.9,
    minimum: 0,
    exclusiveMaximum: 1,
    description: "For `sgd`: the share of the last step that goes on.",
  }),
  learning_rate: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "0.1 for `sgd` and 0.001 for the others unless given.",
  })),
  weight_decay: Type.Number({
    default: 5e-4,
    minimum: 0,
    description: "How much weights shrink. Biases and the scales of normalizations never do.",
  }),
  schedule: Type.Union([
    Type.Literal("constant"),
    Type.Literal("cosine"),
    Type.Literal("linear"),
    Type.Literal("plateau"),
  ], {
    default: "cosine",
    description:
      "How the learning rate changes. `cosine` and `linear`: down to zero. `plateau`: halved whenever the mean loss " +
      "of an epoch has not fallen for `patience` epochs.",
  }),
  warmup: Type.Integer({
    default: 0,
    minimum: 0,
    description: "Steps over which the learning rate rises to its full value.",
  }),
  patience: Type.Integer({
    default: 2,
    minimum: 0,
    description: "For `plateau`: epochs without a lower loss that are put up with.",
  }),
  smoothing: Type.Number({
    default: 0,
    minimum: 0,
    exclusiveMaximum: 1,
    description: "Label smoothing: the share of the target that goes evenly to all classes.",
  }),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: {
    kinds: ["model"],
    description: "A float classifier; its first output is logits `[N, classes]`.",
  },
  train: { kinds: ["dataset"], description: "Items to learn from, with labels." },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: {
    kind: "model",
    description: "The same network with trained weights; batch normalization stays unfolded.",
  },
} as const;
