/**
 * What the stage `equalize` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  clips: Type.Union([Type.Literal("per-channel"), Type.Literal("relu"), Type.Literal("keep")], {
    default: "per-channel",
    description:
      "What becomes of a Clip, such as ReLU6, between two layers. `per-channel`: bounds of its own for each channel, as " +
      "Relu and Min; the function stays the same, but integer kernels do not do them for nothing. `relu`: the upper " +
      "bound goes, and with it what it did; a warning says so. `keep`: such layers are not equalized.",
  }),
  factors: Type.Union([Type.Literal("any"), Type.Literal("power-of-two")], {
    default: "any",
    description:
      "`power-of-two`: factors are rounded to powers of two, so that outputs stay the same to the last bit.",
  }),
  absorb_biases: Type.Boolean({
    default: false,
    description:
      "Whether biases of channels that hardly ever are below zero move into the layers behind, so that activations have " +
      "smaller ranges. Needs what batch normalization knew; it changes the function a little.",
  }),
  spread: Type.Number({
    default: 64,
    minimum: 1,
    description:
      "How many times as wide as that of the median channel the range of a channel's activations may become, where batch " +
      "normalization or a Clip tells how wide it is. Activations share a grid too, and a channel with nearly no weights and " +
      "a large bias would take all of it. Small numbers leave weights unequal.",
  }),
  sweeps: Type.Integer({
    default: 200,
    minimum: 1,
    description: "How often at most all pairs of layers are gone through.",
  }),
  tolerance: Type.Number({
    default: 1e-3,
    minimum: 0,
    description:
      "How far outputs may be from the given model's on random input, relative to the largest output value; biases that " +
      "are absorbed and bounds that are left out do not count.",
  }),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: { kinds: ["model"], description: "A prepared float model." },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "model", description: "The same function with channels of equal ranges." },
  report: {
    kind: "json",
    description: "How much of their grid the channels of each layer use, before and after.",
  },
} as const;
