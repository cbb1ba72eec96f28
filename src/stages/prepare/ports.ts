/**
 * What the stage `prepare` takes and makes.
 *
 * @module
 */

import { Type } from "../../base/type.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  shape: Type.Record(
    Type.String(),
    Type.Array(Type.Union([Type.Integer({ minimum: 1 }), Type.String({ minLength: 1 })]), {
      minItems: 1,
    }),
    {
      default: {},
      description:
        "Shapes of inputs by name, where the file leaves more than the first dimension open. A text is a dynamic " +
        "dimension; only the first may be one.",
      examples: [{ input: ["N", 3, 224, 224] }],
    },
  ),
  batch: Type.Union([
    Type.Literal("keep"),
    Type.Literal("dynamic"),
    Type.Integer({ minimum: 1 }),
  ], {
    default: "keep",
    description:
      "The first dimension of every input: as the file has it, dynamic, or a fixed size.",
  }),
  opset: Type.Integer({
    default: 21,
    minimum: 21,
    maximum: 26,
    description:
      "Operator set that older models are brought up to. 21 is the first with 4-bit integers; for 2-bit ones " +
      "`quantize` raises it further by itself.",
  }),
  fold_batch_norm: Type.Boolean({
    default: true,
    description: "Fold batch normalization into the layer before it.",
  }),
  fold_arithmetic: Type.Boolean({
    default: true,
    description:
      "Fold additions and multiplications with a constant per channel into the layer before them.",
  }),
  fold_constants: Type.Boolean({
    default: true,
    description: "Compute what depends on constants only, once and for all.",
  }),
  tolerance: Type.Number({
    default: 1e-3,
    minimum: 0,
    description:
      "How far outputs of the prepared model may be from the original's on random input, relative to the largest " +
      "output value.",
  }),
}, { additionalProperties: false });

/** The artifacts that it takes. */
export const inputs = {
  model: { kinds: ["model"], description: "A float ONNX model." },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "model", description: "The same function, ready to be quantized." },
} as const;
