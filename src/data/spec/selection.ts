/**
 * The schemas of the fields that every data set has: which items, which classes, which model input.
 *
 * @module
 */

import { Type } from "../../base/type.ts";
import { preprocessSchema } from "./preprocess.ts";

const split = Type.Object({
  of: Type.Union([
    Type.Integer({ minimum: 2, description: "Number of equal parts" }),
    Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0, maximum: 1 }), {
      description:
        "Names of the parts and the fraction of the items that each gets; they add up to 1",
    }),
  ], {
    description: "The parts: a number of equal ones, or names with fractions that add up to 1",
    examples: [5, { calibration: 0.2, test: 0.8 }],
  }),
  part: Type.Union([
    Type.Integer({ minimum: 1, description: "Which of the equal parts, from 1" }),
    Type.String({ description: "Which of the named parts" }),
  ], { description: "The part that this data set is", examples: [1, "test"] }),
  seed: Type.Optional(Type.Integer({
    description:
      "Which item goes into which part. Data sets with the same `of` and `seed` never overlap",
    default: 0,
  })),
}, {
  additionalProperties: false,
  description:
    "One of several parts that never overlap; items are dealt at random and keep their order",
  examples: [{ part: "test", of: { calibration: 0.2, test: 0.8 } }],
});

/** Fields of every data set. The items are chosen in the order `split`, `shuffle`, `skip`, `take`. */
export const commonFields = {
  split: Type.Optional(split),
  shuffle: Type.Optional(Type.Integer({
    description: "Seed of a random order; without it items keep the order of the file",
    examples: [0],
  })),
  skip: Type.Optional(Type.Integer({
    minimum: 0,
    description: "How many items to leave out at the start",
    default: 0,
  })),
  take: Type.Optional(Type.Integer({
    minimum: 1,
    description: "How many items to use; all unless told",
    examples: [512],
  })),
  preprocess: Type.Optional(preprocessSchema),
  classes: Type.Optional(Type.Array(Type.String(), {
    minItems: 1,
    uniqueItems: true,
    description:
      "Class names in the order of the labels. A label beyond them is an error, and labels that are text are looked up in them",
    examples: [["cat", "dog"]],
  })),
};

/** Which model input an array feeds. */
export const inputField = {
  input: Type.Optional(Type.String({
    description: "Name of the model input that it feeds; not needed for a model with one input",
    examples: ["image"],
  })),
};

/** Where an array's pixels are, for arrays that hold pictures. */
export const imageField = {
  image: Type.Optional(Type.Unsafe<"hw" | "hwc" | "chw">(Type.String({
    enum: ["hw", "hwc", "chw"],
    description:
      "Says that each item is a picture and what its dimensions are (h height, w width, c channels): only then can it be " +
      "resized, cropped or normalized by channel",
    examples: ["hwc"],
  }))),
};

/** A file of one's own or one inside an npm package. */
export function source(description: string, examples: readonly string[]) {
  return Type.String({
    minLength: 1,
    description:
      `${description}. A path relative to the pipeline file, or npm:PACKAGE@VERSION/PATH`,
    examples: [...examples],
  });
}
