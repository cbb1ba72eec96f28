/**
 * How a data set feeds a model: which array goes to which input, and in what portions.
 *
 * @module
 */

import { type Problem, UserError } from "../base/errors.ts";
import type { Dimension, ValueInfo } from "../onnx/model.ts";
import { elementCount, type Tensor } from "../onnx/tensor.ts";
import type { Batch, Dataset, DatasetInput } from "./dataset.ts";

/** A data set matched with a model's inputs. */
export interface FeedPlan {
  /** The model input that each array of the data set feeds, in order. */
  readonly names: readonly string[];
  /** How many items the model takes at a time; `undefined` if any number. */
  readonly fixedBatch: number | undefined;
}

/** One call of the model. */
export interface Feed {
  readonly feeds: Record<string, Tensor>;
  /** How many of the items are the batch's; those after them fill a fixed batch up. */
  readonly size: number;
}

/** What messages call the two sides, such as `inputs.test` and `w8.model`. */
export interface FeedOrigins {
  readonly data: string;
  readonly model: string;
}

/**
 * Matches a data set with a model's inputs.
 *
 * @param inputs The model's inputs, the batch dimension first.
 * @throws {UserError} With every mismatch of names, types and shapes, and the field that mends it.
 */
export function planFeeds(
  dataset: Dataset,
  inputs: readonly ValueInfo[],
  origins: FeedOrigins,
): FeedPlan {
  const problems: Problem[] = [];
  const names: string[] = [];
  const fixed = new Set<number>();
  for (const array of dataset.inputs) {
    const input = array.name === undefined && inputs.length === 1
      ? inputs[0]
      : inputs.find(({ name }) => name === array.name);
    if (input === undefined) {
      problems.push(noSuchInput(array, inputs, origins));
      continue;
    }
    names.push(input.name);
    const problem = mismatch(array, input, origins);
    if (problem !== undefined) problems.push(problem);
    else if (typeof input.dims?.[0] === "number") fixed.add(input.dims[0]);
  }
  // An array that feeds nothing is the likelier mistake, and its message names the inputs.
  const unfed = names.length < dataset.inputs.length
    ? []
    : inputs.filter(({ name }) => !names.includes(name));
  for (const { name } of unfed) {
    problems.push({
      message: `Nothing in the data set "${origins.data}" feeds input "${name}" of the model ` +
        `"${origins.model}"`,
      hint: `Name one array of the data set for it: input: ${name}`,
    });
  }
  if (fixed.size > 1) {
    problems.push({
      message: `The inputs of the model "${origins.model}" have different fixed batch sizes: ` +
        [...fixed].join(", "),
      hint: 'Make the batch dynamic: batch: dynamic at the stage "prepare"',
    });
  }
  if (problems.length > 0) throw new UserError(problems);
  return { names, fixedBatch: [...fixed][0] };
}

/** The calls that a batch takes: one, or as many as a fixed batch size needs, the last one filled up. */
export function* feedsOf({ names, fixedBatch }: FeedPlan, batch: Batch): Generator<Feed> {
  if (fixedBatch === undefined || fixedBatch === batch.size) {
    yield { feeds: name(names, batch.inputs), size: batch.size };
    return;
  }
  for (let start = 0; start < batch.size; start += fixedBatch) {
    const size = Math.min(fixedBatch, batch.size - start);
    const part = batch.inputs.map((tensor) => portion(tensor, start, size, fixedBatch));
    yield { feeds: name(names, part), size };
  }
}

function name(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, index) => [name, tensors[index]!]));
}

/** Items `start … start + size − 1`, the last one repeated until there are `fixed`. */
function portion(tensor: Tensor, start: number, size: number, fixed: number): Tensor {
  const dims = [fixed, ...tensor.dims.slice(1)];
  const width = elementCount(tensor.dims.slice(1));
  const data = tensor.data as Float32Array;
  if (size === fixed) {
    return { ...tensor, dims, data: data.subarray(start * width, (start + fixed) * width) };
  }
  const whole = new (data.constructor as typeof Float32Array)(fixed * width);
  whole.set(data.subarray(start * width, (start + size) * width));
  for (let item = size; item < fixed; item++) {
    whole.copyWithin(item * width, (size - 1) * width, size * width);
  }
  return { ...tensor, dims, data: whole };
}

function noSuchInput(
  array: DatasetInput,
  inputs: readonly ValueInfo[],
  { data, model }: FeedOrigins,
): Problem {
  const there = inputs.map((input) => `"${input.name}"`).join(", ");
  return array.name === undefined
    ? {
      message:
        `The data set "${data}" does not say which input of the model "${model}" it feeds: ` +
        `the model has ${there}`,
      hint: `Name it at the data set: input: ${inputs[0]?.name ?? "NAME"}`,
    }
    : {
      message:
        `The data set "${data}" feeds "${array.name}", which the model "${model}" does not ` +
        `have: its inputs are ${there}`,
      hint: "Correct the name that the data set gives to the array",
    };
}

function mismatch(
  array: DatasetInput,
  input: ValueInfo,
  { data, model }: FeedOrigins,
): Problem | undefined {
  if (input.type !== array.type) {
    return {
      message: `Input "${input.name}" of the model "${model}" is ${input.type}, but the data set ` +
        `"${data}" delivers ${array.type}`,
      hint: `Say preprocess: { dtype: ${input.type} } at the data set` +
        (isFloat(input.type) && isFloat(array.type)
          ? "; models that are compared have to take one type, so convert a half-precision copy with float32 inputs and outputs"
          : ""),
    };
  }
  const wanted = input.dims?.slice(1);
  const isRightRank = input.dims === undefined || input.dims.length === array.dims.length + 1;
  const fits = wanted === undefined || isRightRank &&
      wanted.every((dim, axis) => typeof dim !== "number" || dim === array.dims[axis]);
  if (fits) return undefined;
  return {
    message:
      `Input "${input.name}" of the model "${model}" has shape ${show(input.dims!)}, but the ` +
      `items of the data set "${data}" have shape ${show(array.dims)}, without the batch dimension`,
    hint: mend(array.dims, wanted),
  };
}

function isFloat(type: string | undefined): boolean {
  return type?.includes("float") ?? false;
}

function show(dims: readonly Dimension[]): string {
  return `[${dims.map((dim) => dim ?? "?").join(", ")}]`;
}

/** The field of the data set that makes its items fit. */
function mend(dims: readonly number[], wanted: readonly Dimension[]): string {
  const [a, b, c] = dims;
  const same = (other: readonly (number | undefined)[]) =>
    other.length === wanted.length &&
    wanted.every((dim, axis) => typeof dim !== "number" || dim === other[axis]);
  if (dims.length === 3 && wanted.length === 3) {
    if (same([b, c, a])) return "Say preprocess: { layout: nhwc } at the data set";
    if (same([c, a, b])) return "Say preprocess: { layout: nchw } at the data set";
    const [channels, height, width] = wanted;
    if (typeof channels === "number" && channels !== a && (channels === 1 || channels === 3)) {
      const channelNames = channels === 1 ? "gray" : "rgb";
      return `Say preprocess: { channels: ${channelNames} } at the data set`;
    }
    if (typeof height === "number" && typeof width === "number") {
      return `Say preprocess: { resize: [${height}, ${width}] } at the data set, with or without crop`;
    }
  }
  const fixed = wanted.filter((dim) => typeof dim === "number");
  if (fixed.length === wanted.length && elementCount(fixed) === elementCount(dims)) {
    return `Say preprocess: { reshape: [${wanted.join(", ")}] } at the data set`;
  }
  if (dims.length === 1 && wanted.length === 1 && a! - 1 === wanted[0]) {
    return "If one of the numbers is the label, name its column with labels: NAME at the data set";
  }
  return "Use data of the model's input shape";
}
