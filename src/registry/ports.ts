/**
 * Input ports that mean the same in several stages.
 *
 * @module
 */

/** What stages take that bring a quantized model closer to the float one, over items. */
export const LEARNING_INPUTS = {
  model: {
    kinds: ["quantized-model"],
    description: "The quantized model to start from.",
  },
  reference: {
    kinds: ["model"],
    description: "The float model that it was quantized from, prepared.",
  },
  calibration: {
    kinds: ["dataset"],
    description:
      "A few hundred items of the kind that the model will meet, real or made up; labels are not used.",
  },
} as const;
