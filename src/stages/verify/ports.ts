/**
 * What the stage `verify` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";

const spread = (description: string) =>
  Type.Union([Type.Number(), Type.Array(Type.Number(), { minItems: 1 })], { description });

const box = Type.Object({
  box: Type.Object({
    lower: spread("The least value: of all elements, of each channel, or of each element."),
    upper: spread("The largest value, likewise."),
    normalize: Type.Optional(Type.Object({
      mean: spread("Taken off each side."),
      scale: spread("Each side is divided by it then."),
    }, {
      additionalProperties: false,
      description: "Where the sides are in other units than the model's input.",
    })),
  }, { additionalProperties: false, description: "A box by its sides." }),
}, { additionalProperties: false });

const ball = Type.Object({
  linf: spread(
    "How far each element may be from an item of the data set `test`, in the units of the model's input; 0 makes points.",
  ),
  take: Type.Optional(Type.Integer({
    minimum: 1,
    description: "How many items, from the first; all unless given.",
  })),
  clip: Type.Optional(Type.Tuple([
    spread("The least value that the input can have."),
    spread("The largest."),
  ], { description: "Values that the input can have." })),
}, { additionalProperties: false });

/** The parameters under `with:`. */
export const parameters = Type.Object({
  domain: Type.Union([Type.Literal("property"), box, ball], {
    description:
      "The inputs that the bound speaks of. `property`: the boxes of a VNN-LIB file, on the port `property`. `box`: one " +
      "box. `linf`: a box around each item of the data set `test`.",
    examples: ["property", { linf: 0.01, take: 20, clip: [0, 1] }],
  }),
  method: Type.Union([
    Type.Literal("differential"),
    Type.Literal("crown-merged"),
    Type.Literal("crown-separate"),
    Type.Literal("interval"),
  ], {
    default: "differential",
    description:
      "How the difference is bounded. `differential`: backward bounds with relaxations of the difference itself. The " +
      "others are there to be compared with: `crown-merged` and `crown-separate` relax each network for itself, and " +
      "`interval` is interval arithmetic.",
  }),
  split: Type.Boolean({
    default: true,
    description:
      "For `differential`: whether domains of at most 8 inputs are divided into smaller and smaller boxes until `stop` " +
      "is reached. Others are bounded whole.",
  }),
  semantics: Type.Union([Type.Literal("real"), Type.Literal("float32")], {
    default: "real",
    description:
      "Which arithmetic of the two models the bound speaks of. `real`: exact arithmetic on the numbers in the files. " +
      "`float32`: every sum may be rounded, in any order, as runtimes do.",
  }),
  stop: Type.Object({
    ratio: Type.Number({
      default: 1.1,
      exclusiveMinimum: 1,
      description: "Proven over found at which an output is done.",
    }),
    bound: Type.Optional(Type.Number({
      exclusiveMinimum: 0,
      description: "A proven bound at which an output is done, whatever was found.",
    })),
    boxes: Type.Optional(Type.Integer({
      minimum: 1,
      description: "How many boxes are bounded at most for each box of the domain.",
    })),
    time: Type.Optional(Type.Number({
      exclusiveMinimum: 0,
      description:
        "Seconds for each box of the domain at most. What is proven by then depends on the machine; `boxes` does not.",
    })),
  }, { additionalProperties: false, default: {}, description: "When to stop splitting." }),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: {
    kinds: ["quantized-model", "model"],
    description: "The model to be verified: quantized here or by another tool, halved, pruned.",
  },
  reference: {
    kinds: ["model"],
    description: "The original, with the same layers in the same order.",
  },
  property: {
    kinds: ["file"],
    optional: true,
    description: "A VNN-LIB property, for `domain: property`.",
  },
  test: {
    kinds: ["dataset"],
    optional: true,
    description: "The items that boxes are put around, for `linf`.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  bracket: {
    kind: "json",
    description:
      "For each box of the domain and each output: the largest difference that was found, what is proven, and where it " +
      "was found.",
  },
} as const;
