/**
 * What the stage `search` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "@sinclair/typebox";

const SIZE = "^[0-9]+(\\.[0-9]+)? ?(B|kB|MB|GB)$";
const TIME = "^[0-9]+(\\.[0-9]+)? ?(us|µs|ms|s)$";

/** What can have a limit. */
const budget = Type.Object({
  size: Type.Optional(Type.Union([
    Type.String({ pattern: SIZE }),
    Type.Integer({ minimum: 1 }),
  ], {
    description:
      "Bytes of all weights, packed at their own width, with their scales: a number, or text such as `120kB`.",
    examples: ["120kB"],
  })),
  of_int8: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description:
      "The same as a share of what the weights take at 8 bits, which the table must have.",
    examples: [0.5],
  })),
  mean_bits: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "Mean width of a weight, scales not counted.",
    examples: [4],
  })),
  bops: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "Bit operations an item: multiplications × bits of weights × `activation_bits`.",
  })),
  latency: Type.Optional(Type.String({
    pattern: TIME,
    description:
      "Time an item, such as `250us`: looked up in the latency table, or computed for `accelerator`.",
    examples: ["2.5ms"],
  })),
  activation_memory: Type.Optional(Type.Union([
    Type.String({ pattern: SIZE }),
    Type.Integer({ minimum: 1 }),
  ], {
    description:
      "Bytes of activations that exist at one time at `activation_bits`, one item at a time. Widths of weights do not " +
      "change it: it is kept, or not.",
  })),
  loss: Type.Optional(Type.Number({
    minimum: 0,
    description:
      "Predicted loss, in the table's measure: the cheapest choice in `minimize` is made.",
  })),
}, {
  additionalProperties: false,
  minProperties: 1,
  description: "What may not be exceeded; several limits hold together.",
  examples: [{ size: "120kB" }, { of_int8: 0.5, latency: "2ms" }],
});

const positive = (description: string, fallback?: number) =>
  Type.Number({
    exclusiveMinimum: 0,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  });
const count = (description: string, fallback?: number) =>
  Type.Integer({
    minimum: 1,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

const genetic = Type.Object({
  population: Type.Integer({
    default: 50,
    minimum: 2,
    description: "Choices a generation and island.",
  }),
  generations: count("How many generations.", 100),
  parents: count("How many of the best choices so far are parents.", 25),
  mutation: Type.Number({
    default: 0.1,
    minimum: 0,
    maximum: 1,
    description: "Probability with which a layer of a mutated choice gets another width.",
  }),
  islands: count("Populations that search by themselves.", 1),
  migration: count("Generations after which the best of an island goes to the next.", 10),
  infeasible: Type.Union([Type.Literal("repair"), Type.Literal("reject")], {
    default: "repair",
    description:
      "What becomes of choices over a limit. `repair`: they take the steps that lose least for what they save, and the " +
      "best are improved by exchanges. `reject`: others are made, as published.",
  }),
}, { additionalProperties: false, default: {}, description: "For method `genetic`." });

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([
    Type.Literal("exact"),
    Type.Literal("genetic"),
    Type.Literal("greedy"),
  ], {
    default: "exact",
    description:
      "`exact`: the true optimum of the table. `genetic`: BRECQ's search, for tables that are too large for it. " +
      "`greedy`: the step that loses least for what it saves, again and again.",
  }),
  budget,
  minimize: Type.Union([
    Type.Literal("size"),
    Type.Literal("mean_bits"),
    Type.Literal("bops"),
    Type.Literal("latency"),
  ], {
    default: "size",
    description: "What the front shows loss against, and what a budget of `loss` makes least.",
  }),
  bits: Type.Optional(Type.Array(
    Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Literal(16)]),
    {
      minItems: 1,
      uniqueItems: true,
      description: "The widths to choose from; all that were measured unless given.",
    },
  )),
  fixed: Type.Array(
    Type.Object({
      match: Type.String({
        minLength: 1,
        description: "Layers by name; `*` stands for any text, `?` for any character.",
      }),
      bits: Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Literal(16)], {
        description: "Their width, one of those that were measured.",
      }),
    }, { additionalProperties: false }),
    {
      default: [],
      description: "Layers whose width is given; later ones come before earlier ones.",
      examples: [[{ match: "conv1", bits: 8 }]],
    },
  ),
  activation_bits: Type.Union([
    Type.Integer({ minimum: 2, maximum: 8 }),
    Type.Literal(16),
    Type.Literal(32),
  ], {
    default: 8,
    description:
      "Width of activations, for operations, latency and activation memory; 32 is float.",
  }),
  accelerator: Type.Optional(Type.Object({
    rows: count("Cells along the depth of a product."),
    columns: count("Cells along output channels."),
    clock_mhz: positive("Million cycles a second."),
    bandwidth_gbs: positive("Memory bandwidth in 10⁹ bytes a second."),
    weight_lanes: count("Bits of a weight that a cell takes in a cycle.", 1),
    activation_lanes: count("Bits of an activation that a cell takes in a cycle.", 8),
  }, {
    additionalProperties: false,
    description:
      "A bit-serial systolic array whose latency is computed, in place of a latency table.",
    examples: [{ rows: 16, columns: 16, clock_mhz: 200, bandwidth_gbs: 1 }],
  })),
  genetic,
  unreachable: Type.Union([Type.Literal("fail"), Type.Literal("keep")], {
    default: "fail",
    description:
      "What happens where limits cannot be kept. `fail`: an error that says which, and by how much. `keep`: the closest " +
      "choice, with a warning.",
  }),
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = {
  sensitivity: { kinds: ["sensitivity"], description: "What each layer loses at each width." },
  model: {
    kinds: ["model"],
    description: "The float model, for operations, latency and activation memory.",
  },
  latency: {
    kinds: ["latency"],
    optional: true,
    description: "How long layers take on a device; needed where `latency` has a limit.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  assignment: { kind: "assignment", description: "The width of each layer." },
  front: {
    kind: "json",
    description:
      "The choice with its loss and costs, and the least loss at every cost with the widths that have it.",
  },
} as const;
