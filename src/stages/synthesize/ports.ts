/**
 * What the stage `synthesize` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { THREADS } from "../../registry/parameters.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([
    Type.Literal("generator"),
    Type.Literal("bn-statistics"),
    Type.Literal("range"),
  ], {
    default: "generator",
    description:
      "`generator`: a small network is trained that makes images whose activations have the means and deviations that " +
      "batch normalization knows. `bn-statistics`: the same by changing pixels. `range`: smooth noise inside " +
      "`input_range`, of which the model knows nothing: for models without batch normalization.",
  }),
  images: Type.Integer({ default: 256, minimum: 1, description: "How many images to make." }),
  batch: Type.Integer({
    default: 64,
    minimum: 2,
    description: "Images that are made together: it is their statistics that are matched.",
  }),
  steps: Type.Optional(Type.Integer({
    minimum: 1,
    description: "Steps a batch; 150 for `generator` and 250 for `bn-statistics` unless given.",
  })),
  rate: Type.Number({
    default: 0.1,
    exclusiveMinimum: 0,
    description:
      "Adam's rate for pixels, in units of their spread, or for the random vectors that a generator starts from. It falls " +
      "along a cosine.",
  }),
  generator_rate: Type.Number({
    default: 0.01,
    exclusiveMinimum: 0,
    description: "For `generator`: Adam's rate for its weights.",
  }),
  latent: Type.Integer({
    default: 256,
    minimum: 1,
    description: "For `generator`: length of the random vectors.",
  }),
  width: Type.Integer({
    default: 32,
    minimum: 2,
    description: "For `generator`: channels of its first convolution; the second has half as many.",
  }),
  swing: Type.Boolean({
    default: true,
    description:
      "Whether convolutions with a stride read their input shifted at random while images are made, against " +
      "checkerboards.",
  }),
  class_weight: Type.Number({
    default: 0,
    minimum: 0,
    description:
      "Weight of the cross-entropy with classes, of which every one is dealt equally often; the data set then has " +
      "labels. For models that give one score a class; 0 leaves classes out.",
  }),
  input_range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()], {
    description:
      "The least and the greatest value that the model is fed, as they are after preprocessing. Needed for `range`; " +
      "limits pixels for the others.",
    examples: [[0, 1], [-2.12, 2.64]],
  })),
  sheet: Type.Optional(Type.String({
    minLength: 1,
    description: "Where to put the contact sheet, from the pipeline file's folder.",
    examples: ["exports/images.png"],
  })),
  threads: THREADS,
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: {
    kinds: ["model"],
    description:
      "A float model with one input; its batch normalization may be folded by `prepare`.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  calibration: {
    kind: "dataset",
    description:
      "The images, preprocessed as the model takes them; with labels where classes were dealt.",
  },
  images: { kind: "file", description: "The same as a NumPy archive: `images`, and `labels`." },
  sheet: { kind: "file", description: "All images small, as PNG." },
  record: { kind: "json", description: "How well each batch normalization is matched." },
} as const;
