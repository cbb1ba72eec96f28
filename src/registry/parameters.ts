/**
 * Parameters that mean the same in several stages, so that they are named, limited and explained alike.
 *
 * @module
 */

import { type TSchema, Type } from "../base/type.ts";

/** The schema with a default. */
export function withDefault<T extends TSchema>(schema: T, fallback: unknown): T {
  return { ...schema, default: fallback };
}

/** What shares a scale, and how the range of a weight's grid is chosen. */
export const WEIGHT_GRID = {
  symmetric: Type.Boolean({
    description: "Whether zero is in the middle of the grid, without a zero point.",
  }),
  granularity: Type.Union([
    Type.Literal("tensor"),
    Type.Literal("channel"),
    Type.Literal("group"),
  ], {
    description:
      "What shares a scale: the whole tensor, the weights of an output channel, or `block_size` consecutive ones of them.",
  }),
  block_size: Type.Integer({
    minimum: 2,
    description: "How many weights share a scale with granularity `group`.",
  }),
  range: Type.Union([
    Type.Literal("minmax"),
    Type.Literal("percentile"),
    Type.Literal("mse"),
    Type.Literal("entropy"),
    Type.Literal("aciq"),
    Type.Literal("aciq-grid"),
  ], {
    description: "How the range is chosen that the grid covers, from 2 bits on.",
  }),
  percentile: Type.Number({
    exclusiveMinimum: 50,
    maximum: 100,
    description: "For range `percentile`: percent of the weights that stay inside.",
  }),
} as const;

/** {@linkcode WEIGHT_GRID} with the defaults of every stage that has them all. */
export const WEIGHT_GRID_WITH_DEFAULTS = {
  symmetric: withDefault(WEIGHT_GRID.symmetric, true),
  granularity: withDefault(WEIGHT_GRID.granularity, "channel"),
  block_size: withDefault(WEIGHT_GRID.block_size, 32),
  range: withDefault(WEIGHT_GRID.range, "mse"),
  percentile: withDefault(WEIGHT_GRID.percentile, 99.999),
} as const;

/** Nodes that stay in float: patterns on their names. */
export function excludedNodes(description: string) {
  return Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    uniqueItems: true,
    description: `${description} \`*\` stands for any text, \`?\` for any character.`,
    examples: [["*/head/*"]],
  });
}

/** How many items of a data set a stage reads. */
export function take(purpose: string) {
  return Type.Optional(Type.Integer({
    minimum: 1,
    description: `How many items to ${purpose} on, from the first; all unless given.`,
  }));
}

/** How a candidate's roundings are learned, where stages try quantized networks out. */
export const RECONSTRUCTION = {
  steps: Type.Integer({ minimum: 1, description: "Steps of learning a layer." }),
  batch: Type.Integer({ default: 32, minimum: 1, description: "Items a step." }),
  loss: Type.Union([Type.Literal("mse"), Type.Literal("fisher")], {
    default: "mse",
    description:
      "How errors of a block's output are weighted: alike, or by the Fisher information of a classifier's scores.",
  }),
  learning_rate: Type.Number({
    default: 0.1,
    exclusiveMinimum: 0,
    description: "Adam's rate, as in the preset `fast` of `reconstruct`.",
  }),
} as const;

/** How many threads an operator has, where the last bits of a result depend on it. */
export const THREADS = Type.Integer({
  default: 2,
  minimum: 1,
  description:
    "Threads inside one operator. Part of the result's identity, because the last bits can depend on it.",
});

/** How the ranges of activations are chosen from calibrated statistics. */
export const ACTIVATION_RANGE = Type.Union([
  Type.Literal("calibrated"),
  Type.Literal("minmax"),
  Type.Literal("moving-average"),
  Type.Literal("percentile"),
  Type.Literal("entropy"),
  Type.Literal("mse"),
  Type.Literal("aciq"),
  Type.Literal("aciq-grid"),
], {
  default: "calibrated",
  description:
    "How ranges are chosen from the calibrated statistics; as `calibrate` was told unless given.",
});

/** Where activations are quantized. */
export const ACTIVATION_PLACES = Type.Union([Type.Literal("operators"), Type.Literal("layers")], {
  default: "operators",
  description: "Which values are quantized, as `activations.at` of `quantize` will have it.",
});

/** Numbers of a box. */
const spread = (description: string, limits: { minimum?: number } = {}) =>
  Type.Union([Type.Number(limits), Type.Array(Type.Number(limits), { minItems: 1 })], {
    description,
  });

/** A domain of one box. */
export const DOMAIN_BOX = Type.Object({
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

/** A domain of boxes around items. */
export const domainBall = (dataset: string) =>
  Type.Object({
    linf: spread(
      `How far each element may be from an item of the data set \`${dataset}\`, in the units of the model's input; 0 makes points.`,
      { minimum: 0 },
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
