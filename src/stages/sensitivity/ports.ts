/**
 * What the stage `sensitivity` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import {
  ACTIVATION_PLACES,
  ACTIVATION_RANGE,
  DOMAIN_BOX,
  domainBall,
  excludedNodes,
  RECONSTRUCTION,
  take,
  WEIGHT_GRID_WITH_DEFAULTS,
  withDefault,
} from "../../registry/parameters.ts";

const weights = Type.Object(WEIGHT_GRID_WITH_DEFAULTS, {
  additionalProperties: false,
  default: {},
  description: "How weights are quantized; as `quantize` will do it.",
});

const activations = Type.Object({
  bits: Type.Array(Type.Union([Type.Integer({ minimum: 2, maximum: 8 }), Type.Literal(16)]), {
    default: [4, 6, 8],
    minItems: 1,
    uniqueItems: true,
    description: "The widths of activations to measure.",
  }),
  symmetric: Type.Boolean({
    default: false,
    description:
      "Whether the zero point is in the middle of the grid, or at its start for values that are never negative.",
  }),
  range: ACTIVATION_RANGE,
  at: ACTIVATION_PLACES,
}, {
  additionalProperties: false,
  default: {},
  description: "For targets `activations` and `both`: how activations are quantized.",
});

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([
    Type.Literal("output"),
    Type.Literal("reconstruction"),
    Type.Literal("sqnr"),
    Type.Literal("hawq"),
    Type.Literal("certified"),
  ], {
    default: "output",
    description:
      "`output`: how far the network's outputs are from the float ones with one layer quantized, measured on data. " +
      "`reconstruction`: the same after the roundings of the layer were learned, as the preset `fast` of `reconstruct` does: for models that " +
      "will be reconstructed. " +
      "`hawq`: half the mean curvature of the loss (Hutchinson's estimate) times the squared error of the weights, for " +
      "all widths at once. `sqnr`: noise-to-signal ratio of the weights, without data. `certified`: how far any output can " +
      "be from the float one at most, proven for all inputs of `domain`, with one layer quantized.",
  }),
  targets: Type.Union([
    Type.Literal("weights"),
    Type.Literal("activations"),
    Type.Literal("both"),
  ], {
    default: "weights",
    description:
      "What gets narrower: weights, layer by layer; activations, those that share a scale together; or both, each by " +
      "itself. Activations need method `output`, `reconstruction` or `certified`, and calibrated ranges.",
  }),
  bits: Type.Array(Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Literal(16)]), {
    default: [2, 4, 8],
    minItems: 1,
    uniqueItems: true,
    description: "The widths of weights to measure.",
  }),
  weights,
  activations,
  measure: Type.Union([Type.Literal("auto"), Type.Literal("kl"), Type.Literal("mse")], {
    default: "auto",
    description:
      "How far outputs are apart, for `output` and `hawq`: `kl`, Kullback–Leibler divergence of a classifier's " +
      "probabilities, or `mse`, mean squared difference. `auto` takes `kl` where an item has one row of scores.",
  }),
  reconstruction: Type.Object(
    { ...RECONSTRUCTION, steps: withDefault(RECONSTRUCTION.steps, 200) },
    { additionalProperties: false, default: {}, description: "For method `reconstruction`." },
  ),
  held_out: Type.Number({
    default: 0.25,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description:
      "For `reconstruction`: share of the items, the last ones, that nothing is learned from and losses are measured on. Narrow " +
      "layers learn the items they are shown by heart, and would seem to lose less than they do.",
  }),
  cross_terms: Type.Boolean({
    default: true,
    description:
      "For `output` and `reconstruction`: whether to measure every set of a block's layers together at the least width too, since errors of " +
      "layers in one block add up in other ways there.",
  }),
  largest_block: Type.Integer({
    default: 4,
    minimum: 2,
    maximum: 12,
    description:
      "For `cross_terms`: layers of a block at most; a block of n layers takes 2^n − n − 1 measurements more.",
  }),
  domain: Type.Optional(Type.Union([DOMAIN_BOX, domainBall("calibration")], {
    description:
      "For `certified`: the inputs that bounds speak of, one box or boxes around items, as `verify` has them.",
    examples: [{ linf: 0.01, take: 5, clip: [0, 1] }],
  })),
  probes: Type.Integer({
    default: 8,
    minimum: 1,
    description: "For `hawq`: how many random directions the curvature is averaged over.",
  }),
  batch: Type.Integer({
    default: 64,
    minimum: 1,
    description: "How many items run at a time. A model with a fixed batch gets that.",
  }),
  take: take("measure"),
  output: Type.Optional(Type.String({
    minLength: 1,
    description: "Which output of the model is measured; the first one unless given.",
  })),
  exclude: excludedNodes("Nodes by name that will stay in float, as with `skip` of `quantize`."),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: { kinds: ["model"], description: "A prepared float model." },
  calibration: {
    kinds: ["dataset"],
    optional: true,
    description:
      "Typical inputs of the model; not needed for `sqnr`, nor for `certified` on a box, labels never.",
  },
  ranges: {
    kinds: ["ranges"],
    optional: true,
    description: "Statistics of the model's activations; needed where `targets` names them.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  sensitivity: {
    kind: "sensitivity",
    description:
      "The loss and the bytes of each layer at each width, joint losses of blocks, and losses of activations.",
  },
} as const;
