/**
 * What the stage `export` takes and makes.
 *
 * @module
 */

import { Type } from "../../base/type.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  to: Type.Optional(Type.String({
    minLength: 1,
    description:
      "The folder to write to, from the pipeline file's; `exports/` and the pipeline's name unless given.",
    examples: ["out/mobilenet-w4"],
  })),
  name: Type.String({
    default: "model",
    pattern: "^[\\w-][\\w. -]*$",
    description: "Name of the model's file, without the `.onnx`.",
    examples: ["mobilenet-w4"],
  }),
  allow_options: Type.Boolean({
    default: false,
    description:
      "Export also a model that ONNX Runtime only runs with certain session options; the summaries then say which.",
  }),
}, { additionalProperties: false });

/** The artifacts that it takes. */
export const inputs = {
  model: {
    kinds: ["quantized-model", "model"],
    description: "The model to be exported.",
  },
  evaluation: {
    kinds: ["evaluation"],
    optional: true,
    description:
      "What is known of its accuracy, for the summaries; left out if it is another model's.",
  },
  test: {
    kinds: ["dataset"],
    optional: true,
    description: "Data of which a few items are run to check the model; random numbers without it.",
  },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "file", description: "The model's file, with all its tensors inside." },
  summary: {
    kind: "json",
    description: "What the model is, how it is quantized, what was measured, and how to run it.",
  },
  readme: { kind: "file", description: "The same as Markdown." },
} as const;
