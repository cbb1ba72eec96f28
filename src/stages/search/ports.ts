/**
 * What the stage `search` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import {
  ACTIVATION_PLACES,
  ACTIVATION_RANGE,
  DOMAIN_BOX,
  domainBall,
  RECONSTRUCTION,
  take,
  WEIGHT_GRID_WITH_DEFAULTS,
  withDefault,
} from "../../registry/parameters.ts";

const SIZE = "^[0-9]+(\\.[0-9]+)? ?(B|kB|MB|GB)$";
const TIME = "^[0-9]+(\\.[0-9]+)? ?(us|µs|ms|s)$";

/** What can have a limit. */
const budget = Type.Object({
  size: Type.Optional(Type.Union([
    Type.String({ pattern: SIZE, examples: ["120kB"] }),
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
  mean_activation_bits: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "Mean width of a quantized activation, where `targets` names activations.",
    examples: [5],
  })),
  bops: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "Bit operations an item: multiplications × bits of weights × bits of activations.",
  })),
  latency: Type.Optional(Type.String({
    pattern: TIME,
    description:
      "Time an item, such as `250us`: looked up in the latency table, or computed for `accelerator`.",
    examples: ["2.5ms"],
  })),
  activation_memory: Type.Optional(Type.Union([
    Type.String({ pattern: SIZE, examples: ["120kB"] }),
    Type.Integer({ minimum: 1 }),
  ], {
    description:
      "Bytes of activations that exist at one time, one item at a time. Widths of weights do not change it: with targets " +
      "`weights` it is kept, or not.",
  })),
  loss: Type.Optional(Type.Number({
    minimum: 0,
    description:
      "Predicted loss, in the table's measure: the cheapest choice in `minimize` is made.",
  })),
  kl: Type.Optional(Type.Number({
    minimum: 0,
    description:
      "Measured divergence from the float model: the cheapest choice in `minimize` is looked for by trials.",
  })),
  mse: Type.Optional(Type.Number({
    minimum: 0,
    description: "The same for the measured mean squared difference of outputs.",
  })),
  top1_drop: Type.Optional(Type.Number({
    minimum: 0,
    maximum: 1,
    description: "The same for the measured drop of the top-1 accuracy; 0.01 is one point.",
    examples: [0.01],
  })),
  bound: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description:
      "The same for the proven bound on the difference of any output from the float model's, for all inputs of " +
      "`trials.domain`: the cheapest model with a guarantee.",
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

const WIDTH = Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Literal(16)]);
const ACTIVATION_WIDTH = Type.Union([
  Type.Integer({ minimum: 2, maximum: 8 }),
  Type.Literal(16),
]);

/** Things whose width is given. */
const fixed = (what: string, width: typeof WIDTH | typeof ACTIVATION_WIDTH) =>
  Type.Array(
    Type.Object({
      match: Type.String({
        minLength: 1,
        description: `${what} by name; \`*\` stands for any text, \`?\` for any character.`,
      }),
      bits: { ...width, description: "Their width, one of those that were measured." },
    }, { additionalProperties: false }),
    {
      default: [],
      description: `${what} whose width is given; later ones come before earlier ones.`,
    },
  );

const activations = Type.Object({
  bits: Type.Optional(Type.Array(ACTIVATION_WIDTH, {
    minItems: 1,
    uniqueItems: true,
    description: "The widths to choose from; all that were measured unless given.",
  })),
  fixed: fixed("Activations", ACTIVATION_WIDTH),
}, {
  additionalProperties: false,
  default: {},
  description: "For targets `activations` and `both`.",
});

const trials = Type.Object({
  count: Type.Integer({
    default: 8,
    minimum: 1,
    description: "How many models are measured at most.",
  }),
  metric: Type.Union([Type.Literal("auto"), Type.Literal("kl"), Type.Literal("mse")], {
    default: "auto",
    description:
      "What is to be least: `kl`, divergence of a classifier's probabilities, or `mse`, mean squared difference. `auto` " +
      "takes `kl` where an item has one row of scores.",
  }),
  weights: Type.Object(WEIGHT_GRID_WITH_DEFAULTS, {
    additionalProperties: false,
    default: {},
    description: "How weights are quantized; as `sensitivity` and `quantize` are told.",
  }),
  activations: Type.Object({
    bits: withDefault(ACTIVATION_WIDTH, 8),
    symmetric: Type.Boolean({
      default: false,
      description:
        "Whether the zero point is in the middle of the grid, or at its start for values that are never negative.",
    }),
    range: ACTIVATION_RANGE,
    at: ACTIVATION_PLACES,
    mode: Type.Union([Type.Literal("auto"), Type.Literal("none"), Type.Literal("static")], {
      default: "auto",
      description:
        "Whether activations are quantized in trials. `auto`: where `targets` names them.",
    }),
  }, {
    additionalProperties: false,
    default: {},
    description:
      "How activations are quantized; `bits` is for those whose width is not chosen. Needs calibrated ranges.",
  }),
  reconstruction: Type.Optional(
    Type.Object({ ...RECONSTRUCTION, steps: withDefault(RECONSTRUCTION.steps, 400) }, {
      additionalProperties: false,
      description: "Roundings are learned before a model is measured; not unless given.",
      examples: [{ steps: 400 }],
    }),
  ),
  domain: Type.Optional(Type.Union([DOMAIN_BOX, domainBall("validation")], {
    description:
      "For a limit of `bound`: the inputs that it holds for, one box or boxes around items, as `verify` has them.",
    examples: [{ linf: 0.01, take: 5, clip: [0, 1] }],
  })),
  take: take("learn roundings"),
  validate: take("measure"),
  batch: Type.Integer({
    default: 64,
    minimum: 1,
    description: "How many items run at a time. A model with a fixed batch gets that.",
  }),
  output: Type.Optional(Type.String({
    minLength: 1,
    description: "Which output of the model is measured; the first one unless given.",
  })),
}, { additionalProperties: false });

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([
    Type.Literal("exact"),
    Type.Literal("genetic"),
    Type.Literal("greedy"),
    Type.Literal("pareto"),
  ], {
    default: "exact",
    description:
      "`exact`: the true optimum of the table. `genetic`: BRECQ's search, for tables that are too large for it. " +
      "`greedy`: the step that loses least for what it saves, again and again. `pareto`: all best trades of the loss " +
      "against `minimize` within the limits; chosen is the one behind which each unit of cost saves least, the knee.",
  }),
  targets: Type.Union([
    Type.Literal("weights"),
    Type.Literal("activations"),
    Type.Literal("both"),
  ], {
    default: "weights",
    description: "What gets widths, of what the table has losses of.",
  }),
  budget: Type.Optional(budget),
  minimize: Type.Optional(Type.Union([
    Type.Literal("size"),
    Type.Literal("mean_bits"),
    Type.Literal("mean_activation_bits"),
    Type.Literal("bops"),
    Type.Literal("latency"),
  ], {
    description:
      "What the front shows loss against, and what a budget of `loss` or of a measured drop makes least: `size` unless " +
      "given, `bops` for targets `activations`.",
  })),
  bits: Type.Optional(Type.Array(WIDTH, {
    minItems: 1,
    uniqueItems: true,
    description: "The widths of weights to choose from; all that were measured unless given.",
  })),
  fixed: fixed("Layers", WIDTH),
  activations,
  weight_bits: {
    ...withDefault(WIDTH, 8),
    description: "Width of weights, for costs, where `targets` does not name them.",
  },
  activation_bits: Type.Union([
    Type.Integer({ minimum: 2, maximum: 8 }),
    Type.Literal(16),
    Type.Literal(32),
  ], {
    default: 8,
    description:
      "Width of activations, for operations, latency and activation memory, where it is not chosen; 32 is float.",
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
  trials: Type.Optional({
    ...trials,
    description:
      "Real models are made, reconstructed if wanted, and measured: the best of what differs in how losses of layers add " +
      "up is chosen; for a limit of a measured drop, the cheapest that keeps it.",
    examples: [{ count: 8, reconstruction: { steps: 400 } }],
  }),
  to: Type.Optional(Type.String({
    minLength: 1,
    description:
      "A folder to write the front, its picture and the table of widths to, from the pipeline file's; none unless given.",
    examples: ["out"],
  })),
  unreachable: Type.Union([Type.Literal("fail"), Type.Literal("keep")], {
    default: "keep",
    description:
      "What happens where limits cannot be kept. `keep`: the closest choice is made, with a warning that says which limit, " +
      "and by how much. `fail`: that is an error, and nothing is made.",
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
  calibration: {
    kinds: ["dataset"],
    ignorable: true,
    description: "Items to learn roundings from, for `trials` with reconstruction.",
  },
  validation: {
    kinds: ["dataset"],
    ignorable: true,
    description:
      "Items to measure models on, for `trials`; with labels for a limit of `top1_drop`.",
  },
  ranges: {
    kinds: ["ranges"],
    ignorable: true,
    description: "Statistics of activations, for `trials` that quantize them.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  assignment: { kind: "assignment", description: "The width of each layer." },
  front: {
    kind: "json",
    description:
      "The choice with its loss and costs, the least loss at every cost with the widths that have it, and what was measured.",
  },
  picture: { kind: "file", description: "The front and the widths of all layers, as SVG." },
  widths: {
    kind: "file",
    description: "A table of what each layer gets, loses and costs, as Markdown.",
  },
} as const;
