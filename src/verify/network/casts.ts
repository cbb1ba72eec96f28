/**
 * Constants in another type.
 *
 * @module
 */

import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../../onnx/float16.ts";
import { DATA_TYPE_NUMBERS, type DataType } from "../../onnx/tensor.ts";
import type { Constant } from "./constants.ts";

/** By floating-point type: bits of a number's fraction with the leading one, and what rounds to it. */
const FLOATS: Readonly<
  Partial<Record<DataType, { bits: number; rounded: (values: Float64Array) => Float64Array }>>
> = {
  float64: { bits: 53, rounded: (values) => values },
  float32: { bits: 24, rounded: (values) => values.map(Math.fround) },
  float16: { bits: 11, rounded: (values) => Float64Array.from(fromFloat16(toFloat16(values))) },
  bfloat16: { bits: 8, rounded: (values) => Float64Array.from(fromBfloat16(toBfloat16(values))) },
};

/** The type of a number in ONNX. */
export function typeOfNumber(number: number): DataType | undefined {
  return (Object.keys(DATA_TYPE_NUMBERS) as DataType[])
    .find((type) => DATA_TYPE_NUMBERS[type] === number);
}

/**
 * A constant in another type, as a runtime casts it.
 *
 * Integers times a half-precision scale stay as they are where the model rounds them to half precision, as in all other
 * places; where it casts them on to a wider type, what that rounding was off by becomes part of the relative error.
 *
 * @returns `undefined` where the result is not known: rounding something that is not exact, or numbers that a type does
 *   not hold.
 */
export function castTo(x: Constant, to: DataType | undefined): Constant | undefined {
  if (to === undefined) return undefined;
  if (x.type === to) return x;
  const [from, target] = [FLOATS[x.type], FLOATS[to]];
  const isHeld = from === undefined || same(from.rounded(x.data), x.data);
  if (target === undefined) {
    // Integers, as long as they are in the range that all kinds have.
    const isInteger = x.relativeError === 0 && isHeld &&
      x.data.every((value) => Number.isInteger(value) && value >= 0 && value < 128);
    return isInteger ? { ...x, type: to } : undefined;
  }
  const rounded = target.rounded(x.data);
  if (isHeld) {
    const isExact = same(rounded, x.data);
    if (!isExact && (x.relativeError !== 0 || from === undefined)) return undefined;
    return isExact ? { ...x, type: to } : { ...x, data: rounded, type: to };
  }
  // What the file's own type does not hold was rounded to it before.
  if (target.bits < from.bits || !isNormal(x, from.bits)) return undefined;
  return { ...x, type: to, relativeError: x.relativeError + 2 ** -from.bits };
}

/** Whether rounding to so few bits is relative to the numbers: none is below the least normal one, or too large. */
function isNormal({ data, type }: Constant, bits: number): boolean {
  const [least, most] = type === "float16" ? [2 ** -14, 65504] : [2 ** -126, 2 ** 127];
  return bits <= 24 &&
    data.every((value) => value === 0 || (Math.abs(value) >= least && Math.abs(value) <= most));
}

function same(a: Float64Array, b: Float64Array): boolean {
  return a.every((value, at) => value === b[at]);
}
