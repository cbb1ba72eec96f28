/**
 * Measuring how far values of two networks are apart.
 *
 * @module
 */

import type { ItemValues } from "./item_values.ts";
import type { ItemSum, Prefix } from "./prefix.ts";
import { positions } from "./unit_training.ts";

/** A value computed anew, or only measured. */
export interface Measured {
  /** Mean over items and space of the sum over channels of (weighted) squared differences from the target. */
  readonly error: number;
  /** The value, if it was to be kept. */
  readonly values?: ItemValues;
}

/**
 * Computes a value anew and measures how far it is from what it should be.
 *
 * @param keep Whether the value is wanted too.
 * @param importance Weights of the squared differences; all alike unless given.
 */
export async function measureError(
  prefix: Prefix,
  name: string,
  target: ItemValues,
  { keep, importance }: { keep: boolean; importance?: ItemValues | undefined },
): Promise<Measured> {
  let sum = 0;
  const error: ItemSum = {
    of: name,
    beside: importance === undefined ? [target] : [target, importance],
    // The sum of each item in float32, over items in float64.
    terms: (emit, value, [wanted, weights]) => {
      const difference = emit.sub(value, wanted!);
      const square = emit.mul(difference, difference);
      const axes = target.dims.slice(1).map((_, axis) => axis + 1);
      const term = weights === undefined ? square : emit.mul(square, weights);
      return emit.reduceSum(term, axes, false);
    },
    add: (errors) => {
      for (const each of errors) sum += each;
    },
  };
  const found = await prefix.run(keep ? [name] : [], [error]);
  const values = found.get(name);
  return {
    error: sum / (target.dims[0]! * positions(target.dims)),
    ...values !== undefined && { values },
  };
}
