/**
 * The sets of inputs that verification speaks of, from the forms that a user gives them in.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { feedsOf, planFeeds } from "../../data/feeds.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { parseVnnlib } from "../vnnlib/property.ts";
import { boxOfType, type DomainInput, type NamedBox } from "./input.ts";
import { addDown, addUp, divideDown, divideUp, typeEnds } from "./outward.ts";
import { numbersOf } from "./values.ts";

/** One number for all elements, one for each channel, or one for each element. */
export type Spread = number | readonly number[];

/** A box by its sides. */
export interface BoxSpec {
  readonly lower: Spread;
  readonly upper: Spread;
  /** What the model's input is in these units: (side − mean) / scale. */
  readonly normalize?: { readonly mean: Spread; readonly scale: Spread };
}

/** Boxes around the items of a data set, after its preprocessing: in the units of the model's input. */
export interface BallSpec {
  /** The radius in each element; 0 makes the box a point. */
  readonly linf: Spread;
  /** How many items, from the first; all unless told. */
  readonly take?: number;
  /** The least and largest values that inputs can have. */
  readonly clip?: readonly [Spread, Spread];
}

/**
 * The boxes of a VNN-LIB property; see {@linkcode boxOfType} for what they hold.
 *
 * @param file Names the text in errors.
 * @throws {UserError} If the text is no union of boxes, or one of them does not fit the input.
 */
export function vnnlibDomain(input: DomainInput, text: string, file: string): NamedBox[] {
  const { inputs, boxes } = parseVnnlib(text, file);
  if (inputs !== input.size) {
    throw new UserError(
      `"${file}" declares ${inputs} inputs: input "${input.name}" of shape [${input.dims}] has ` +
        `${input.size} elements`,
    );
  }
  return boxes.map(({ lower, upper }, at) => {
    const name = boxes.length === 1 ? file : `${file}, box ${at + 1} of ${boxes.length}`;
    return { name, box: boxOfType(input, lower, upper, name) };
  });
}

/**
 * A box by its sides.
 *
 * @throws {UserError} If it does not fit the input, or a scale is not positive.
 */
export function boxDomain(input: DomainInput, spec: BoxSpec): NamedBox[] {
  let lower = spread(input, spec.lower, "lower");
  let upper = spread(input, spec.upper, "upper");
  if (spec.normalize !== undefined) {
    const mean = spread(input, spec.normalize.mean, "mean");
    const scale = spread(input, spec.normalize.scale, "scale");
    const wrong = scale.findIndex((each) => !(each > 0));
    if (wrong >= 0) {
      throw new UserError(`scale must be positive: element ${wrong} is ${scale[wrong]}`);
    }
    lower = lower.map((side, at) => divideDown(addDown(side, -mean[at]!), scale[at]!));
    upper = upper.map((side, at) => divideUp(addUp(side, -mean[at]!), scale[at]!));
  }
  return [{ name: "box", box: boxOfType(input, lower, upper, "the box") }];
}

/**
 * A box around each item of a data set.
 *
 * @param origin Names the data set in errors.
 * @throws {UserError} If the data set does not feed the input, or an item is outside of `clip`.
 */
export async function ballDomain(
  input: DomainInput,
  spec: BallSpec,
  dataset: Dataset,
  origin: string,
): Promise<NamedBox[]> {
  const radius = spread(input, spec.linf, "linf");
  const wrong = radius.findIndex((each) => !(each >= 0));
  if (wrong >= 0) {
    throw new UserError(`linf must not be negative: element ${wrong} is ${radius[wrong]}`);
  }
  const ends = typeEnds(input.type)!;
  const least = spread(input, spec.clip?.[0] ?? ends[0], "clip");
  const largest = spread(input, spec.clip?.[1] ?? ends[1], "clip");
  const plan = planFeeds(dataset, [{ ...input, dims: [...input.dims] }], {
    data: origin,
    model: input.name,
  });
  const count = Math.min(spec.take ?? dataset.length, dataset.length);
  const boxes: NamedBox[] = [];
  for (let index = 0; index < count; index++) {
    const batch = await dataset.batch(index, 1);
    const [feed] = feedsOf(plan, batch);
    const values = numbersOf(feed!.feeds[input.name]!);
    const name = dataset.nameOf(index);
    const lower = new Float64Array(input.size);
    const upper = new Float64Array(input.size);
    for (let at = 0; at < input.size; at++) {
      const value = values[at]!;
      if (!(value >= least[at]! && value <= largest[at]!)) {
        throw new UserError({
          message: `Element ${at} of ${name} is ${value}, outside of clip ${least[at]} … ${
            largest[at]
          }`,
          hint: "clip speaks of the model's input, after preprocessing",
        });
      }
      lower[at] = Math.max(addDown(value, -radius[at]!), least[at]!);
      upper[at] = Math.min(addUp(value, radius[at]!), largest[at]!);
    }
    const label = batch.labels?.[0];
    boxes.push({
      // Where files are is not for a result to say.
      name: `item ${index}`,
      box: boxOfType(input, lower, upper, `the box around ${name}`),
      ...(label !== undefined && { label }),
      item: values,
    });
  }
  return boxes;
}

/** Data that boxes stand around. */
export interface DomainData {
  readonly value: Dataset;
  /** Names it in errors. */
  readonly origin: string;
}

/**
 * The boxes of a domain that is a box or balls.
 *
 * @throws {UserError} If there are balls and no data, or the boxes do not fit the input.
 */
export async function boxesOf(
  input: DomainInput,
  spec: { readonly box: BoxSpec } | BallSpec,
  data: DomainData | undefined,
): Promise<NamedBox[]> {
  if ("box" in spec) return boxDomain(input, spec.box);
  if (data === undefined) {
    throw new UserError({
      message: "A domain with linf needs the data set that boxes are put around",
      hint: "Name it under inputs, such as test: { idx: … }",
    });
  }
  return await ballDomain(input, spec, data.value, data.origin);
}

/**
 * All values that the input can have: those of its type for integers, else a calibrated range.
 *
 * @param range The least and largest value that calibration saw of the input.
 * @throws {UserError} If the input is a floating-point one and there is no range.
 */
export function rangeDomain(
  input: DomainInput,
  range: { readonly min: number; readonly max: number } | undefined,
): NamedBox[] {
  const [least, largest] = typeEnds(input.type)!;
  if (range === undefined && input.type.startsWith("float")) {
    throw new UserError({
      message: `Input "${input.name}" of type ${input.type} has no natural range`,
      hint: 'Put the stage "calibrate" before, or give a box',
    });
  }
  const lower = spread(input, range?.min ?? least, "range");
  const upper = spread(input, range?.max ?? largest, "range");
  return [{ name: "range", box: boxOfType(input, lower, upper, "the range") }];
}

/** A number for each element of the input; numbers of channels stand at the first dimension after the batch. */
function spread(input: DomainInput, values: Spread, field: string): Float64Array {
  const { dims, size } = input;
  const given = typeof values === "number" ? [values] : values;
  if (given.length === 1) return new Float64Array(size).fill(given[0]!);
  if (given.length === size) return Float64Array.from(given);
  const channels = dims.length > 2 ? dims[1]! : size;
  if (given.length === channels) {
    const positions = elementCount(dims.slice(2));
    return Float64Array.from({ length: size }, (_, at) => given[Math.floor(at / positions)]!);
  }
  const wanted = channels === size || channels === 1 ? `1 or ${size}` : `1, ${channels} or ${size}`;
  throw new UserError(
    `${field} has ${given.length} numbers: input "${input.name}" of shape [${dims}] takes ${wanted}`,
  );
}
