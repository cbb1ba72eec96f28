/**
 * What the stage `finetune` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { THREADS } from "../../registry/parameters.ts";
import { LEARNING_INPUTS } from "../../registry/ports.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  estimator: Type.Union([Type.Literal("ste"), Type.Literal("dsq")], {
    default: "ste",
    description:
      "What gradients take rounding for. `ste`: the identity (straight-through estimator). `dsq`: steps of tanh that " +
      "become sharper as training goes on (differentiable soft quantization). Values are rounded in either case.",
  }),
  steps: Type.Integer({ default: 600, minimum: 1, description: "Steps of training." }),
  batch: Type.Integer({ default: 32, minimum: 1, description: "Items a step." }),
  weight_rate: Type.Number({
    default: 0.003,
    exclusiveMinimum: 0,
    description: "Adam's rate for weights, in steps of their grid; it falls to 0 along a cosine.",
  }),
  rate: Type.Number({
    default: 1e-3,
    exclusiveMinimum: 0,
    description: "Adam's rate for the factors of all scales and for biases; likewise.",
  }),
  temperature: Type.Number({
    default: 4,
    exclusiveMinimum: 0,
    description: "What logits are divided by before their divergence is taken.",
  }),
  features: Type.Number({
    default: 0.1,
    minimum: 0,
    description:
      "Weight of the errors of blocks' outputs, relative to their size, beside the divergence of the network's answers; 0 " +
      "leaves them out.",
  }),
  take: Type.Integer({
    default: 1024,
    minimum: 2,
    description:
      "How many items to use, from the first; fewer where there are fewer. One in eight is not learned from but decides " +
      "whether the result is kept.",
  }),
  threads: THREADS,
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes. */
export const inputs = LEARNING_INPUTS;

/** The artifacts that it makes. */
export const outputs = {
  model: {
    kind: "quantized-model",
    description: "The same model with other integers, scales and biases.",
  },
} as const;
