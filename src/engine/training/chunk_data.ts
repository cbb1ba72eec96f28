/**
 * The data that a chunk of steps is given.
 *
 * @module
 */

import { elementCount, type Tensor } from "../../onnx/tensor.ts";
import type { TrainingData, TrainingOptions } from "./options.ts";

/** The data for a chunk of steps, and where in it the items are: all of it, or, where it has to be fetched, theirs. */
export function provideItems(
  data: ReadonlyMap<string, TrainingData>,
  order: BigInt64Array<ArrayBuffer>,
): { tensors: [string, Tensor][]; places: BigInt64Array<ArrayBuffer> } {
  const tensors: [string, Tensor][] = [];
  const isFetched = [...data.values()].some((value) => "gather" in value);
  for (const [name, value] of data) {
    if ("gather" in value) tensors.push([name, value.gather(order)]);
    else tensors.push([name, isFetched ? gatherItems(value, order) : value]);
  }
  const places = isFetched ? order.map((_, index) => BigInt(index)) : order;
  return { tensors, places };
}

/** Some items of a tensor. */
function gatherItems({ type, dims, data }: Tensor, items: BigInt64Array): Tensor {
  const width = elementCount(dims.slice(1));
  const values = data as Float32Array;
  const rows = new (values.constructor as typeof Float32Array)(items.length * width);
  items.forEach((item, index) => {
    const start = Number(item) * width;
    rows.set(values.subarray(start, start + width), index * width);
  });
  return { type, dims: [items.length, ...dims.slice(1)], data: rows };
}

/** How many items the data has; `undefined` when there is no data. */
export function itemCount({ data }: TrainingOptions): number | undefined {
  let count: number | undefined;
  for (const [name, { dims }] of data) {
    const items = dims[0];
    if (items === undefined || items === 0) throw new RangeError(`Data "${name}" has no items`);
    if (count !== undefined && count !== items) {
      throw new RangeError(`Data "${name}" has ${items} items where others have ${count}`);
    }
    count = items;
  }
  return count;
}
