/**
 * Data sets of seeded random numbers. Every item has its own stream, so any item can be made by itself.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { fieldError } from "../problems.ts";
import type { DrawRecipe, SourceRecipeOf } from "../recipe_types.ts";
import type { RawArray, RawValue, Source, SourceArray, SourceShape } from "../source.ts";
import type { DatasetSpecs } from "../spec.ts";
import type { Format } from "./format.ts";

type Fields = NonNullable<DatasetSpecs["synthetic"]["synthetic"]["inputs"]>[string];

/** What the fields mean when they are not said. */
const UNSAID: Readonly<Record<string, number>> = { low: 0, mean: 0, std: 1 };

/** More values an item than any model takes. */
const MOST_VALUES = 2 ** 28;

/** Seeded random numbers. */
export const syntheticFormat: Format<"synthetic"> = {
  describe(spec, _context) {
    const { count = 128, seed = 0, inputs, ...fields } = spec.synthetic;
    if (inputs === undefined) {
      if (fields.shape === undefined) {
        throw fieldError(
          ["synthetic"],
          "synthetic needs the shape of an item",
          "Write shape: [3, 224, 224]",
        );
      }
    } else {
      const extra = Object.keys(fields)[0] ?? (spec.input === undefined ? undefined : "input");
      if (extra !== undefined) {
        throw fieldError(
          extra === "input" ? ["input"] : ["synthetic", extra],
          `${extra} is given beside synthetic.inputs`,
          `Write ${extra} inside each of the inputs, or leave it out`,
        );
      }
    }
    const arrays = inputs === undefined
      ? [drawRecipe(fields, spec.input ?? null, ["synthetic"])]
      : Object.entries(inputs).map(([input, draw]) =>
        drawRecipe(draw, input, ["synthetic", "inputs", input])
      );
    const source: SourceRecipeOf<"synthetic"> = { format: "synthetic", arrays, count, seed };
    return Promise.resolve({ source, shape: shapeOf(source), count });
  },

  open(recipe): Source {
    return {
      ...shapeOf(recipe),
      length: recipe.count,
      nameOf: (item) => `synthetic item ${item}`,
      read: (items) => ({
        arrays: recipe.arrays.map((array) =>
          Array.from(
            items,
            (item): RawValue => ({ data: draw(array, recipe.seed, item), offset: 0 }),
          )
        ),
      }),
    };
  },
};

function drawRecipe(fields: Fields, input: string | null, at: readonly string[]): DrawRecipe {
  const { shape, distribution = "uniform" } = fields;
  if (shape === undefined) {
    throw fieldError(at, `${at.join(".")} needs a shape`, "Write shape: [3, 224, 224]");
  }
  if (elementCount(shape) > MOST_VALUES) {
    throw fieldError(
      [...at, "shape"],
      `An item of shape ${shape.join("×")} has more than ${MOST_VALUES} values`,
    );
  }
  const foreign = distribution === "normal"
    ? (["low", "high"] as const)
    : (["mean", "std"] as const);
  for (const name of foreign) {
    if (fields[name] === undefined || fields[name] === UNSAID[name]) continue;
    throw fieldError(
      [...at, name],
      `${name} does not go with distribution: ${distribution}`,
      distribution === "normal" ? "Use mean and std" : "Use low and high, or distribution: normal",
    );
  }
  if (distribution === "normal") {
    return { input, shape, distribution, parameters: [fields.mean ?? 0, fields.std ?? 1] };
  }
  const low = fields.low ?? 0;
  const high = fields.high ?? (distribution === "integer" ? 2 : 1);
  const whole = Number.isInteger(low) && Number.isInteger(high) && high - low <= 2 ** 32;
  if (high <= low || (distribution === "integer" && !whole)) {
    throw fieldError(
      [...at, "high"],
      `${distribution} from ${low} up to ${high} is empty${
        distribution === "integer" ? " or not of whole numbers" : ""
      }`,
      "high is the first number that is not drawn any more",
    );
  }
  return { input, shape, distribution, parameters: [low, high] };
}

function shapeOf(recipe: SourceRecipeOf<"synthetic">): SourceShape {
  const arrays = recipe.arrays.map((array): SourceArray => ({
    input: array.input ?? undefined,
    type: array.distribution === "integer" ? "int64" : "float32",
    picture: undefined,
    dims: array.shape,
  }));
  return { origin: "synthetic", arrays };
}

function draw(array: DrawRecipe, seed: number, item: number): RawArray {
  const random = Random.from(seed, `data/synthetic/${array.input ?? ""}/${item}`);
  const count = elementCount(array.shape);
  const [first, second] = array.parameters;
  if (array.distribution === "integer") {
    const values = new BigInt64Array(count);
    for (let index = 0; index < count; index++) {
      values[index] = BigInt(first + random.integer(second - first));
    }
    return values;
  }
  const values = new Float32Array(count);
  if (array.distribution === "normal") {
    for (let index = 0; index < count; index++) values[index] = first + second * random.normal();
    return values;
  }
  for (let index = 0; index < count; index++) {
    const value = Math.fround(first + (second - first) * random.uniform());
    // Rounding to single precision can reach the bound.
    values[index] = value < second ? value : first;
  }
  return values;
}
