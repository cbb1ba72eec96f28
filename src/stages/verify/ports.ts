/**
 * What the stage `verify` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { DOMAIN_BOX, domainBall } from "../../registry/parameters.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  domain: Type.Union([
    Type.Literal("property"),
    Type.Literal("range"),
    DOMAIN_BOX,
    domainBall("test"),
  ], {
    description:
      "The inputs that the bound speaks of. `property`: the boxes of a VNN-LIB file, on the port `property`. `box`: one " +
      "box. `linf`: a box around each item of the data set `test`. `range`: all values that the input can have: those of " +
      "its type if it is an integer one, else the range of pixels that the model's metadata declares " +
      "(`Image.NominalPixelRange`), else what calibration saw of the input, on the port `ranges`.",
    examples: ["property", { linf: 0.01, take: 20, clip: [0, 1] }],
  }),
  method: Type.Union([
    Type.Literal("differential"),
    Type.Literal("zonotope"),
    Type.Literal("crown-merged"),
    Type.Literal("crown-separate"),
    Type.Literal("interval"),
    Type.Literal("exact"),
  ], {
    default: "differential",
    description:
      "How the difference is bounded. `differential`: backward bounds with relaxations of the difference itself. " +
      "`zonotope`: the same relaxations forward, with zonotopes, in one pass over the whole box. " +
      "`exact`: the largest difference itself, by mixed-integer programming, up to 10⁻⁶ of tolerance: for networks of " +
      "Relu with at most about 40 neurons of open sign. The others are there to be compared with: `crown-merged` and " +
      "`crown-separate` relax each network for itself, and `interval` is interval arithmetic.",
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
      description:
        "How many boxes are bounded at most for each box of the domain. Without this and `time`, splitting ends where " +
        "sixteen times as many boxes as before make neither the worst bound nor the open volume smaller by a hundredth.",
    })),
    time: Type.Optional(Type.Number({
      exclusiveMinimum: 0,
      description:
        "Seconds for each box of the domain at most. What is proven by then depends on the machine; `boxes` does not. A box " +
        "that is bounded whole takes one pass at least; what makes its bound tighter is left out or ended when time is " +
        "over, and `omitted` in the bracket says so.",
    })),
  }, { additionalProperties: false, default: {}, description: "When to stop splitting." }),
  attack: Type.Object({
    restarts: Type.Integer({
      default: 4,
      minimum: 0,
      description:
        "Ascents for each output and direction, from the best points of a sample; 0 attacks nothing, and only middles of " +
        "boxes are looked at.",
    }),
    steps: Type.Integer({ default: 40, minimum: 1, description: "Steps of an ascent." }),
  }, {
    additionalProperties: false,
    default: {},
    description:
      "How hard to look for large differences: projected gradient ascent on every output in both directions. What is " +
      "found depends on the seed, what is proven does not, but splitting stops where the two are near.",
  }),
  certificate: Type.Object({
    parts: Type.Optional(Type.Integer({
      minimum: 0,
      description:
        "How many parts each box of the domain may be cut into for it; 0 makes no certificate. Unless given, four times " +
        "the boxes that were bounded, one part where more than 8 inputs have some width, and no certificate where one part takes " +
        "more than 2·10⁹ multiplications, which can be ten seconds.",
    })),
  }, {
    additionalProperties: false,
    default: {},
    description:
      "The certificate of the bounds, which `bitbound check-certificate` accepts or refuses on its own. With " +
      "`split: false` it has one part for each box.",
  }),
  emit: Type.Optional(Type.Literal("merged", {
    description:
      "`merged`: makes an ONNX model of both networks in one, whose output is f′ − f, on the port `merged`.",
  })),
  to: Type.Optional(Type.String({
    minLength: 1,
    description:
      "A folder that the certificate, the brackets and the witnesses are copied to, as `NAME-certificate.json`, " +
      "`NAME-bracket.json` and `NAME-witness.npy` with the name of the pipeline.",
  })),
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
    ignorable: true,
    description: "A VNN-LIB property, for `domain: property`.",
  },
  test: {
    kinds: ["dataset"],
    optional: true,
    ignorable: true,
    description: "The items that boxes are put around, for `linf`.",
  },
  ranges: {
    kinds: ["ranges"],
    optional: true,
    ignorable: true,
    description: "What calibration saw of the input, for `domain: range`.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  bracket: {
    kind: "json",
    description:
      "For each box of the domain and each output: the largest difference that was found, what is proven, and which " +
      "witness shows it; and what the largest bound consists of.",
  },
  certificate: {
    kind: "json",
    description:
      "The certificate, for `bitbound check-certificate`, or a file that says why there is none.",
  },
  witness: {
    kind: "file",
    description:
      "The inputs that show what was found, as a NumPy file: an array of the model's input type, one item a witness.",
  },
  merged: {
    kind: "file",
    optional: true,
    description: "With `emit: merged`, the merged network as an ONNX model.",
  },
} as const;
