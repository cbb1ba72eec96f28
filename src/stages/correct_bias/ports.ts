/**
 * What the stage `correct-bias` takes and makes.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";
import { THREADS } from "../../registry/parameters.ts";
import { LEARNING_INPUTS } from "../../registry/ports.ts";

/** The parameters under `with:`. */
export const parameters = Type.Object({
  method: Type.Union([Type.Literal("analytic"), Type.Literal("empirical")], {
    default: "analytic",
    description:
      "`analytic`: from what batch normalization knows of each layer's inputs; no data. `empirical`: from the means of " +
      "each layer's outputs over data, real or made up, layer by layer with those before corrected already; it also makes " +
      "up for what quantized activations change.",
  }),
  take: Type.Integer({
    default: 256,
    minimum: 1,
    description:
      "For `empirical`: how many items to use, from the first; fewer where there are fewer.",
  }),
  threads: THREADS,
}, { additionalProperties: false });

/** The parameters with every default filled in. */
export type Parameters = Static<typeof parameters>;

/** The artifacts that it takes; data only for `empirical`. */
export const inputs = {
  ...LEARNING_INPUTS,
  calibration: { ...LEARNING_INPUTS.calibration, ignorable: true },
} as const;

/** The artifacts that it makes. */
export const outputs = {
  model: { kind: "quantized-model", description: "The same model with other biases." },
  record: { kind: "json", description: "What was corrected in each layer, or why nothing was." },
} as const;
