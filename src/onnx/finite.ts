/**
 * Counting values of a tensor that are not finite numbers.
 *
 * @module
 */

import { fromBfloat16, fromFloat16 } from "./float16.ts";
import type { Tensor } from "./tensor.ts";

/** How many values of a tensor are NaN and how many infinite; both 0 for types that have neither. */
export function countNonFinite(tensor: Tensor): { nan: number; infinite: number } {
  const values = floatValues(tensor);
  if (values === undefined) return { nan: 0, infinite: 0 };
  // x − x is 0 for finite numbers and NaN for all others: one sum tells whether a count is needed.
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]! - values[index]!;
  let nan = 0;
  let infinite = 0;
  if (sum !== 0) {
    for (const value of values) {
      if (Number.isNaN(value)) nan++;
      else if (!Number.isFinite(value)) infinite++;
    }
  }
  return { nan, infinite };
}

function floatValues(tensor: Tensor): Float32Array | Float64Array | undefined {
  switch (tensor.type) {
    case "float32":
    case "complex64":
    case "float64":
    case "complex128":
      return tensor.data as Float32Array | Float64Array;
    case "float16":
      return fromFloat16(tensor.data as Uint16Array);
    case "bfloat16":
      return fromBfloat16(tensor.data as Uint16Array);
    default:
      return undefined;
  }
}
