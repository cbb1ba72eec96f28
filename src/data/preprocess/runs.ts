/**
 * Loops over runs of numbers.
 *
 * @module
 */

import { capital, fileError } from "../problems.ts";
import type { RawArray } from "../source.ts";

/** Numbers of an array, `step` apart. */
export interface Run<A extends RawArray = RawArray> {
  readonly data: A;
  readonly at: number;
  readonly step: number;
}

/** Arrays of floating point numbers. */
export type FloatArray = Float32Array | Float64Array | Float16Array;

/** Whether an array holds floating point numbers. */
export function isFloat(data: RawArray): data is FloatArray {
  return data instanceof Float32Array || data instanceof Float64Array ||
    data instanceof Float16Array;
}

/** Replaces bytes by what a table has for them. */
export function lookUp(table: RawArray, from: Run<Uint8Array>, into: Run, count: number): void {
  const source = from.data;
  const target = into.data;
  let read = from.at;
  let write = into.at;
  if (table instanceof Float32Array && target instanceof Float32Array) {
    for (let index = 0; index < count; index++, read += from.step, write += into.step) {
      target[write] = table[source[read]!]!;
    }
  } else {
    for (let index = 0; index < count; index++, read += from.step, write += into.step) {
      target[write] = table[source[read]!]!;
    }
  }
}

/** @throws {UserError} If a number is NaN or infinite. */
export function requireFinite(run: Run<FloatArray>, count: number, name: () => string): void {
  const { data, at, step } = run;
  let sum = 0;
  for (let index = 0, read = at; index < count; index++, read += step) {
    sum += data[read]! - data[read]!;
  }
  if (sum === 0) return;
  for (let index = 0; index < count; index++) {
    const value = data[at + index * step]!;
    if (Number.isFinite(value)) continue;
    throw fileError(
      `${capital(name())} holds ${Number.isNaN(value) ? "NaN" : "an infinite number"}`,
      "Correct the data, or leave the item out with skip and take",
    );
  }
}

/** Stores a number in an array of any type. */
export function store(into: RawArray, index: number, value: number): void {
  if (into instanceof BigInt64Array || into instanceof BigUint64Array) into[index] = BigInt(value);
  else into[index] = value;
}

/** The nearest whole number; halves go to the even one, as ONNX and NumPy round. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const part = value - floor;
  if (part !== 0.5) return part < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
