/**
 * What the stage `reconstruct` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { THREADS } from "../../registry/parameters.ts";
import { LEARNING_INPUTS } from "../../registry/ports.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([
    Type.Literal("brecq"),
    Type.Literal("adaround"),
    Type.Literal("qdrop"),
    Type.Literal("genie"),
    Type.Literal("gptq"),
    Type.Literal("bias"),
  ], {
    default: "brecq",
    description:
      "`brecq`: learns roundings by the error of a block's output, then the steps of its activations. `adaround`: " +
      "roundings alone, layer by layer. `qdrop`: roundings and steps of activations together, while half of the " +
      "activations are taken in float. `genie`: the steps of weights besides. `gptq`: no learning; rounds column by " +
      "column, each error made up for by the columns that follow. `bias`: no roundings, only means of channels.",
  }),
  preset: Type.Union([Type.Literal("fast"), Type.Literal("standard"), Type.Literal("paper")], {
    default: "standard",
    description:
      "Where `steps` and the rates come from that are not given. `fast`: minutes. `standard`: the best accuracy in " +
      "reasonable time. `paper`: as published, 20 000 steps a unit.",
  }),
  unit: Type.Optional(Type.Union([
    Type.Literal("layer"),
    Type.Literal("block"),
    Type.Literal("stage"),
    Type.Literal("network"),
  ], {
    description:
      "What is reconstructed together; unless given a layer with the preset `fast` and for `adaround`, a residual block or " +
      "the like otherwise.",
  })),
  steps: Type.Optional(Type.Integer({ minimum: 1, description: "Steps a unit." })),
  batch: Type.Optional(Type.Integer({
    minimum: 1,
    description:
      "Items a step, 16 or 32 as the preset has it unless given. Many steps on few items reach what as many on more do.",
  })),
  learning_rate: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: "Adam's rate for the rounding variables.",
  })),
  loss: Type.Union([Type.Literal("mse"), Type.Literal("fisher")], {
    default: "mse",
    description:
      "How errors of a unit's output count: all alike, or by how much they would change the network's answer (the " +
      "diagonal of the Fisher information; for classifiers).",
  }),
  lambda: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Literal("auto")], {
    description:
      "Weight of the term that drives every rounding up or down; without it many stay undecided and are lost. `auto`: " +
      "3.5 times the square root of the unit's loss a weight.",
  })),
  warmup: Type.Optional(Type.Number({
    minimum: 0,
    maximum: 1,
    description: "Share of the steps before that term counts.",
  })),
  bias: Type.Boolean({
    default: true,
    description: "Whether biases are learned too.",
  }),
  bias_rate: Type.Number({
    default: 1e-3,
    exclusiveMinimum: 0,
    description: "Adam's rate for biases.",
  }),
  scale_rate: Type.Optional(Type.Number({
    minimum: 0,
    description:
      "Adam's rate for the factors by which steps of weights change while roundings are learned; 0 leaves them. As the " +
      "method has it unless given.",
  })),
  activations: Type.Optional(
    Type.Union([Type.Literal("fixed"), Type.Literal("joint"), Type.Literal("after")], {
      description:
        "When the steps of quantized activations are learned: not at all, with the roundings, or after them. As the " +
        "method has it unless given.",
    }),
  ),
  activation_steps: Type.Optional(Type.Integer({
    minimum: 1,
    description: "Steps a unit when activations are learned after the roundings.",
  })),
  activation_rate: Type.Number({
    default: 1e-3,
    exclusiveMinimum: 0,
    description: "Adam's rate for the factors by which steps of activations change.",
  }),
  drop: Type.Optional(Type.Number({
    minimum: 0,
    exclusiveMaximum: 1,
    description:
      "Probability with which an element of an activation is taken in float while learning; as the method has it unless given.",
  })),
  distill: Type.Optional(Type.Integer({
    minimum: 0,
    description:
      "Steps of a last pass in which the scales and biases of the whole network are learned, by the divergence of its " +
      "outputs (logits of classes) from those of the float network; 0 for none.",
  })),
  distill_rate: Type.Number({
    default: 1e-3,
    exclusiveMinimum: 0,
    description: "Adam's rate in that pass; it falls to 0 along a cosine.",
  }),
  distill_weight_rate: Type.Number({
    default: 0,
    minimum: 0,
    description:
      "Adam's rate for weights in that pass, in steps of their grid: float values that are rounded at every step. 0 " +
      "leaves the integers as they are.",
  }),
  temperature: Type.Number({
    default: 4,
    exclusiveMinimum: 0,
    description: "What logits are divided by in that pass.",
  }),
  early_stop: Type.Optional(Type.Number({
    minimum: 0,
    exclusiveMaximum: 1,
    description:
      "When learning gets nowhere, its last fifth, in which roundings are decided, follows at once: when the mean error " +
      "of neither of two twentieths of the steps is below that of all before by this share. 0, or nothing: every step " +
      "is made.",
  })),
  damping: Type.Number({
    default: 0.01,
    exclusiveMinimum: 0,
    description:
      "For `gptq`: what is added to the diagonal of the Hessian, as a share of its mean.",
  }),
  take: Type.Integer({
    default: 1024,
    minimum: 1,
    description: "How many calibration items to use, from the first; fewer where there are fewer.",
  }),
  augment: Type.Array(Type.Union([Type.Literal("mirror"), Type.Literal("shift")]), {
    default: [],
    uniqueItems: true,
    description:
      "Learn from changed images besides, so that few of them are not learned by heart. `mirror`: half of them left to " +
      "right. `shift`: by up to an eighth of their size. For models that take an image, and images that mean the " +
      "same afterwards, as photographs do and mirrored letters do not.",
    examples: [["mirror", "shift"]],
  }),
  copies: Type.Integer({
    default: 4,
    minimum: 2,
    maximum: 64,
    description:
      "With `augment`: versions of every image, itself among them; `mirror` alone has two.",
  }),
  max_bits: Type.Integer({
    default: 7,
    minimum: 2,
    maximum: 16,
    description: "Layers with wider weights stay as they are: rounding anew gains nothing there.",
  }),
  first_last: Type.Union([Type.Literal("width"), Type.Literal("learn"), Type.Literal("keep")], {
    default: "width",
    description:
      "What is done with the first and the last layers, which `first_last` of `quantize` gives more bits: `width`: as " +
      "with other layers, `max_bits` decides. `learn`: they are learned, however many bits they have. `keep`: they stay.",
  }),
  except: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description:
      "Nodes by name whose weights stay as they are; `*` stands for any text, `?` for any character.",
    examples: [["*/shortcut/*"]],
  }),
  threads: THREADS,
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = LEARNING_INPUTS;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "quantized-model", description: "The same model with other integers." },
  record: {
    kind: "json",
    description:
      "What came of each unit: losses, roundings that changed, steps; widths of the first and last layers.",
  },
  times: {
    kind: "json",
    description: "How many seconds each unit took; the only output that differs from run to run.",
  },
} as const;
