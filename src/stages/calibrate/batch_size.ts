/**
 * How many items to run at a time.
 *
 * @module
 */

import type { Graph, ValueInfo } from "../../onnx/model.ts";

/** Values that are watched in one call of the model: more make nothing faster, and take memory. */
const WATCHED = 2 ** 24;
const LARGEST = 64;
/** Where shapes are not known. */
const USUAL = 16;

/**
 * A batch size that depends on the model only, since results may depend on it.
 *
 * @param names The values that are watched.
 */
export function batchSize({ inputs, values }: Graph, names: readonly string[]): number {
  const known = new Map([...inputs.map((input) => [input.name, input] as const), ...values]);
  let perItem = 0;
  for (const name of names) {
    const size = itemSize(known.get(name));
    if (size === undefined) return USUAL;
    perItem += size;
  }
  return Math.max(1, Math.min(LARGEST, Math.floor(WATCHED / perItem)));
}

/** How many elements a value has for one item. */
function itemSize(info: ValueInfo | undefined): number | undefined {
  let size = 1;
  for (const dim of info?.dims?.slice(1) ?? [undefined]) {
    if (typeof dim !== "number") return undefined;
    size *= dim;
  }
  return size;
}
