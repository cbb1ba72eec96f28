/**
 * The JSON Schema of certificates.
 *
 * @module
 */

import { FORMAT, SEMANTICS, VERSION } from "./certificate.ts";

const NUMBERS = { type: "array", minItems: 1, items: { type: "number" } } as const;
const DIGEST = { type: "string", pattern: "^[0-9a-f]{64}$" } as const;

/** Every accepted certificate fits it; what makes a claim true is not for a schema to say. */
export const CERTIFICATE_SCHEMA = {
  title: "A certified bound on the difference of two models",
  type: "object",
  additionalProperties: false,
  required: ["format", "version", "models", "semantics", "boxes"],
  properties: {
    format: { const: FORMAT },
    version: { const: VERSION },
    models: {
      description: "SHA-256 of the model files.",
      type: "object",
      additionalProperties: false,
      required: ["original", "quantized"],
      properties: { original: DIGEST, quantized: DIGEST },
    },
    semantics: { enum: SEMANTICS },
    boxes: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name", "lower", "upper", "difference", "tree"],
        properties: {
          name: { type: "string" },
          lower: NUMBERS,
          upper: NUMBERS,
          difference: {
            description: "Bounds of f′ − f on the box, one an output.",
            type: "object",
            additionalProperties: false,
            required: ["lower", "upper"],
            properties: { lower: NUMBERS, upper: NUMBERS },
          },
          tree: {
            description: "Cuts [side, at] and parts 0 or 1, in preorder.",
            type: "array",
            minItems: 1,
            items: {
              anyOf: [
                { enum: [0, 1] },
                {
                  type: "array",
                  items: [{ type: "integer", minimum: 0 }, { type: "number" }],
                  minItems: 2,
                  additionalItems: false,
                },
              ],
            },
          },
        },
      },
    },
  },
} as const;
