/**
 * What the stage `profile` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  bits: Type.Array(Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Literal(16)]), {
    default: [2, 4, 8],
    minItems: 1,
    uniqueItems: true,
    description: "Widths of weights to measure.",
  }),
  activation_bits: Type.Array(
    Type.Union([Type.Literal(8), Type.Literal(16), Type.Literal(32)]),
    {
      default: [8],
      minItems: 1,
      uniqueItems: true,
      description: "Widths of activations to measure; 32 is float, also with float weights.",
    },
  ),
  encoding: Type.Union([Type.Literal("native"), Type.Literal("container")], {
    default: "native",
    description: "How narrow weights are stored, as `quantize` will do it.",
  }),
  symmetric: Type.Boolean({
    default: true,
    description: "Whether weights have no zero point, as `quantize` will do it.",
  }),
  threads: Type.Integer({
    default: 1,
    minimum: 1,
    description: "Threads inside one operator, as the model will be deployed.",
  }),
  runs: Type.Integer({
    default: 21,
    minimum: 3,
    description:
      "How many times each layer is timed; the median counts. Widths of one layer take turns.",
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
  latency: {
    kind: "latency",
    description: "Microseconds of each distinct layer at each width, and of the rest of the model.",
  },
} as const;
