/**
 * What the stage `prune-channels` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { excludedNodes } from "../../registry/parameters.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  threshold: Type.Number({
    default: 0,
    minimum: 0,
    exclusiveMaximum: 1,
    description:
      "A channel goes whose largest magnitude over all data is at most this share of that of the layer's largest channel. " +
      "0: only channels that are always zero, which changes no output on the data.",
  }),
  exclude: excludedNodes("Layers by name whose channels stay."),
  take: Type.Optional(Type.Integer({
    minimum: 1,
    description: "How many items of the data to use, from the first; all of them unless given.",
  })),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: { kinds: ["model"], description: "A prepared float model." },
  calibration: {
    kinds: ["dataset"],
    description:
      "Items of the kind that the model will meet, the more the better; labels are not used.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "model", description: "The model without those channels." },
  silenced: {
    kind: "model",
    aside: true,
    description:
      "The given model with zeros for the weights that read those channels: as large as before, and the same function as " +
      "`model`.",
  },
  record: {
    kind: "json",
    description: "For each layer whose channels could go: how many it has, and which went.",
  },
} as const;
