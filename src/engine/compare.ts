/**
 * Proving that a rewritten model computes what the original computes, by running both.
 *
 * @module
 */

import { Random } from "../base/random.ts";
import { openSession } from "./session.ts";
import type { Model, ValueInfo } from "../onnx/model.ts";
import { elementCount, float32, type Tensor, tensor } from "../onnx/tensor.ts";

/** How many items are fed where the batch is free. */
const BATCH = 2;

/**
 * Runs a model and what was made of it on the same random numbers. Where the original takes one item at a time and the
 * other more, the original is given one after the other.
 *
 * @returns The largest difference of an output, relative to that output's largest value.
 * @throws {UserError} If the original does not run with the changed model's input shapes.
 */
export async function largestDifference(
  original: Model,
  changed: Model,
  seed: number,
): Promise<number> {
  const random = Random.from(seed, "compare");
  const feeds: Record<string, Tensor> = {};
  for (const input of changed.graph.inputs) feeds[input.name] = randomTensor(input, random);
  const expected = await runOriginal(original, feeds);
  await using session = await openSession(changed);
  const actual = await session.run(feeds);
  let largest = 0;
  for (const [name, tensor] of Object.entries(expected)) {
    largest = Math.max(largest, tensorDifference(tensor, actual[name]!));
  }
  return largest;
}

async function runOriginal(
  original: Model,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor>> {
  const { graph } = original;
  const single = graph.inputs.every(({ name, dims }) =>
    graph.initializers.has(name) || dims?.[0] === 1
  );
  const sizes = new Set(Object.values(feeds).map(({ dims }) => dims[0] ?? 1));
  const [size = 1] = sizes;
  if (!single || sizes.size !== 1 || size === 1) {
    await using session = await openSession(withInputShapes(original, feeds));
    return await session.run(feeds);
  }
  await using session = await openSession(original);
  const items: Record<string, Tensor>[] = [];
  for (let index = 0; index < size; index++) {
    const item = Object.entries(feeds).map(([name, feed]) => [name, itemOf(feed, index)]);
    items.push(await session.run(Object.fromEntries(item)));
  }
  return Object.fromEntries(
    Object.keys(items[0]!).map((name) => [name, stack(items.map((item) => item[name]!))]),
  );
}

/** The model with its inputs declared as they are fed; what it declared of other values goes. */
function withInputShapes(model: Model, feeds: Readonly<Record<string, Tensor>>): Model {
  const { graph } = model;
  return {
    ...model,
    graph: {
      ...graph,
      inputs: graph.inputs.map((input) => {
        const feed = feeds[input.name];
        return feed === undefined ? input : { ...input, dims: [...feed.dims] };
      }),
      outputs: graph.outputs.map((output) => ({ ...output, dims: undefined })),
      values: new Map(),
    },
  };
}

function itemOf({ type, dims, data }: Tensor, index: number): Tensor {
  const size = elementCount(dims.slice(1));
  const part = (data as Float32Array).slice(index * size, (index + 1) * size);
  return tensor(type, [1, ...dims.slice(1)], part as typeof data);
}

function stack(items: readonly Tensor[]): Tensor {
  const { dims, data } = items[0]!;
  const values = items.flatMap((item) => Array.from(item.data as ArrayLike<number>));
  // Only compared, so every type may become float64.
  const joined = data instanceof BigInt64Array ? values.map(Number) : values;
  return tensor(
    "float64",
    [items.length * (dims[0] ?? 1), ...dims.slice(1)],
    Float64Array.from(joined),
  );
}

function randomTensor({ type, dims = [] }: ValueInfo, random: Random): Tensor {
  const shape = dims.map((dim) => typeof dim === "number" ? dim : BATCH);
  const count = elementCount(shape);
  switch (type) {
    case "int64":
      return tensor(type, shape, new BigInt64Array(count).map(() => BigInt(random.integer(2))));
    case "int32":
      return tensor(type, shape, new Int32Array(count).map(() => random.integer(2)));
    case "uint8":
      return tensor(type, shape, new Uint8Array(count).map(() => random.integer(256)));
    case "bool":
      return tensor(type, shape, new Uint8Array(count).map(() => random.integer(2)));
    case "float64":
      return tensor(type, shape, new Float64Array(count).map(() => random.normal()));
    default:
      return float32(shape, new Float32Array(count).map(() => random.normal()));
  }
}

/** The largest difference of two values, relative to the largest expected one. */
export function tensorDifference(expected: Tensor, actual: Tensor): number {
  if (expected.dims.join() !== actual.dims.join()) return Infinity;
  const a = expected.data as ArrayLike<number | bigint>;
  const b = actual.data as ArrayLike<number | bigint>;
  let largest = 0;
  let size = 0;
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [Number(a[index]), Number(b[index])];
    if (Object.is(x, y)) continue;
    // NaN against a number must not pass as equal.
    const apart = Math.abs(x - y);
    largest = apart <= largest ? largest : Number.isNaN(apart) ? Infinity : apart;
    size = Math.max(size, Math.abs(x));
  }
  return largest === 0 ? 0 : largest / Math.max(size, 1e-30);
}
