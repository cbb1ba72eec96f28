/**
 * What the stage `quantize` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import {
  ACTIVATION_RANGE,
  WEIGHT_GRID,
  WEIGHT_GRID_WITH_DEFAULTS,
  withDefault,
} from "../../registry/parameters.ts";

const WEIGHT = {
  bits: Type.Union([
    Type.Integer({ minimum: 1, maximum: 8 }),
    Type.Literal(16),
    Type.Literal("ternary"),
  ], {
    description:
      "Width of weights. 1 is binary: the sign, times the mean magnitude of a channel; `ternary` has zero besides. 3, 5, " +
      "6 and 7 bits are stored in the next wider type, and counted at their own width.",
  }),
  ...WEIGHT_GRID,
  rounding: Type.Union([Type.Literal("nearest"), Type.Literal("stochastic")], {
    description:
      "To the nearest step, or up and down at random so that the mean stays (seeded by the pipeline's seed).",
  }),
  mapping: Type.Union([Type.Literal("uniform"), Type.Literal("codebook")], {
    description:
      "Steps of equal size, or 2^bits values of any size that fit the weights best (k-means over the whole tensor), up to " +
      "8 bits.",
  }),
};

const ACTIVATION_BITS = Type.Union([
  Type.Integer({ minimum: 2, maximum: 8 }),
  Type.Literal(16),
], { description: "Width of activations." });

const weights = Type.Object({
  bits: withDefault(WEIGHT.bits, 8),
  ...WEIGHT_GRID_WITH_DEFAULTS,
  rounding: withDefault(WEIGHT.rounding, "nearest"),
  mapping: withDefault(WEIGHT.mapping, "uniform"),
}, {
  additionalProperties: false,
  default: {},
  description: "Weights of convolutions, Gemm and MatMul.",
});

const activations = Type.Object({
  mode: Type.Union([Type.Literal("static"), Type.Literal("dynamic"), Type.Literal("none")], {
    default: "static",
    description:
      "`static`: scales from calibration. `dynamic`: the inputs of layers get a scale at run time, over the whole batch, " +
      "8 bits wide. `none`: activations stay float.",
  }),
  at: Type.Union([Type.Literal("operators"), Type.Literal("layers")], {
    default: "operators",
    description:
      "Which values have fixed scales. `operators`: whatever an operator with an integer kernel reads or gives, so that " +
      "ONNX Runtime computes the whole network in integers. `layers`: only what convolutions, Gemm and MatMul read, as " +
      "papers count it: sums and means stay float until the next layer, which costs less accuracy below 8 bits and more " +
      "time.",
  }),
  bits: withDefault(ACTIVATION_BITS, 8),
  symmetric: Type.Boolean({
    default: false,
    description:
      "Whether the zero point is in the middle of the grid, or at its start for values that are never negative.",
  }),
  range: ACTIVATION_RANGE,
  outputs: Type.Boolean({
    default: false,
    description: "Whether to quantize the model's outputs too.",
  }),
}, {
  additionalProperties: false,
  default: {},
  description: "Values between layers.",
});

const override = Type.Object({
  match: Type.Optional(Type.String({
    minLength: 1,
    description: "Nodes by name; `*` stands for any text, `?` for any character.",
  })),
  op: Type.Optional(
    Type.String({ minLength: 1, description: "Nodes by operator, such as `Conv`." }),
  ),
  skip: Type.Optional(Type.Boolean({ description: "Whether to leave the nodes in float." })),
  weights: Type.Optional(Type.Partial(Type.Object(WEIGHT), {
    additionalProperties: false,
    description: "What is different for their weights.",
  })),
  activations: Type.Optional(Type.Partial(
    Type.Object({
      bits: ACTIVATION_BITS,
      symmetric: Type.Boolean({
        description: "Whether the zero point is in the middle of the grid.",
      }),
    }),
    {
      additionalProperties: false,
      description: "What is different for the values that they read.",
    },
  )),
}, { additionalProperties: false });

/** The parameters under `with:`. */
export const parameters = Type.Object({
  weights,
  activations,
  first_last: Type.Union([Type.Literal("none"), Type.Literal("brecq"), Type.Literal("qdrop")], {
    default: "none",
    description:
      "Whether the first and last layers keep at least 8 bits, as papers do. Both settings keep their weights, the " +
      "model's input and the last layer's input at 8 bits; `brecq` also the first layer's output.",
  }),
  overrides: Type.Array(override, {
    default: [],
    description:
      "Exceptions for some nodes; later ones come before earlier ones. Values that several nodes read get the widest of " +
      "the widths asked for.",
    examples: [[{ match: "*/shortcut/*", weights: { bits: 8 } }, { op: "Gemm", skip: true }]],
  }),
  encoding: Type.Union([Type.Literal("native"), Type.Literal("container")], {
    default: "native",
    description:
      "`native`: 4-bit and 2-bit tensors, so that the file has its real size. `container`: 8-bit tensors that hold the " +
      "narrow values: a larger file, but ONNX Runtime computes it in integers.",
  }),
  bias: Type.Union([Type.Literal("int32"), Type.Literal("float")], {
    default: "int32",
    description:
      "Biases in 32-bit integers, as integer kernels add them, where a layer's input and result have fixed scales; or in " +
      "float.",
  }),
  reduce_range: Type.Boolean({
    default: false,
    description:
      "Use 7 of 8 bits for 8-bit weights, so that sums of products do not saturate on x86 processors without VNNI " +
      "instructions.",
  }),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  model: { kinds: ["model"], description: "A prepared float model." },
  ranges: {
    kinds: ["ranges"],
    optional: true,
    description: "Statistics of its activations; needed where `activations.mode` is `static`.",
  },
  assignment: {
    kinds: ["assignment"],
    optional: true,
    description:
      "Widths of single layers and activations, as a search chose them: they come before `weights.bits` and " +
      "`activations.bits` and `first_last`, and after `overrides`. `in: { assignment: none }` ignores them.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "quantized-model", description: "The quantized model, in QDQ form." },
} as const;
