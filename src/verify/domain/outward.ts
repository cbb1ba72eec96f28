/**
 * Rounding away from the inside of an interval: of sums, and to the data type of an input.
 *
 * @module
 */

import { typeRange } from "../../quant/qdq/storage.ts";
import type { DataType } from "../../onnx/tensor.ts";
import { ceilFloat16, ceilFloat32, nextUp } from "../neighbors.ts";

/** The least float64 that is not below a + b. */
export function addUp(a: number, b: number): number {
  const sum = a + b;
  return lost(a, b, sum) > 0 ? nextUp(sum) : sum;
}

/** The largest float64 that is not above a + b. */
export function addDown(a: number, b: number): number {
  return -addUp(-a, -b);
}

/** A float64 that is not below a / b, at most one step above the least; b must be positive. */
export function divideUp(a: number, b: number): number {
  const quotient = a / b;
  return quotient * b === a && isShort(quotient) && isShort(b) ? quotient : nextUp(quotient);
}

/** A float64 that is not above a / b; b must be positive. */
export function divideDown(a: number, b: number): number {
  return -divideUp(-a, b);
}

/** What rounding took from a + b, exactly (Knuth, TwoSum). */
function lost(a: number, b: number, sum: number): number {
  const part = sum - a;
  return (a - (sum - part)) + (b - part);
}

/** Whether products of two such numbers are exact. */
function isShort(value: number): boolean {
  return Math.fround(value) === value;
}

/** The ends of the numbers of a data type; `undefined` where it holds no numbers that networks take. */
export function typeEnds(type: DataType): readonly [number, number] | undefined {
  switch (type) {
    case "float64":
      return [-Number.MAX_VALUE, Number.MAX_VALUE];
    case "float32":
      return [-(2 - 2 ** -23) * 2 ** 127, (2 - 2 ** -23) * 2 ** 127];
    case "float16":
      return [-65504, 65504];
    default: {
      const range = typeRange(type);
      return range === undefined ? undefined : [range.min, range.max];
    }
  }
}

/** The least value of a floating-point type that is not below a number. */
export function ceilTo(type: DataType, value: number): number {
  if (type === "float32") return ceilFloat32(value);
  return type === "float16" ? ceilFloat16(value) : value;
}

/** The largest value of a floating-point type that is not above a number. */
export function floorTo(type: DataType, value: number): number {
  return -ceilTo(type, -value);
}

/** Whether values of the type have no fractions. */
export function isInteger(type: DataType): boolean {
  return typeRange(type) !== undefined;
}
