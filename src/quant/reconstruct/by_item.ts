/**
 * Which values of a network belong to items one by one.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { inferShapes } from "../../engine/shapes.ts";
import type { Model } from "../../onnx/model.ts";
import type { ItemValues } from "./item_values.ts";

/**
 * The float32 values whose first dimension counts the items: they grow with the items there, and nowhere else.
 *
 * @param inputs The network's inputs for all items.
 */
export async function valuesByItem(
  model: Model,
  inputs: ReadonlyMap<string, ItemValues>,
): Promise<Set<string>> {
  const shapesOf = (items: number) => {
    const dims = [...inputs].map(([name, values]) => [name, [items, ...values.dims.slice(1)]]);
    const graph = {
      ...model.graph,
      inputs: model.graph.inputs.map((input) => {
        const values = inputs.get(input.name);
        return values === undefined
          ? input
          : { ...input, dims: [undefined, ...values.dims.slice(1)] };
      }),
    };
    return inferShapes({ ...model, graph }, Object.fromEntries(dims));
  };
  try {
    const [two, three] = [await shapesOf(2), await shapesOf(3)];
    const found = [...two].filter(([name, { type, dims }]) => {
      const [items, ...rest] = three.get(name)?.dims ?? [];
      return type === "float32" && dims[0] === 2 && items === 3 &&
        String(rest) === String(dims.slice(1));
    });
    return new Set(found.map(([name]) => name));
  } catch (error) {
    // What cannot run with any number of items says so where it runs; until then nothing is known of its values.
    if (error instanceof UserError) return new Set();
    throw error;
  }
}
