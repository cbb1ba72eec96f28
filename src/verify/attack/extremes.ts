/**
 * The most and the least difference of every output among points that were evaluated.
 *
 * @module
 */

import { fromFloat16, toFloat16 } from "../../onnx/float16.ts";
import type { DataType } from "../../onnx/tensor.ts";
import type { Box } from "../box.ts";
import { ceilFloat32, floorFloat32 } from "../neighbors.ts";
import type { FoundDifference, OutputExtremes } from "./attack.ts";

/** Takes a point of a box to one of the box that the network can be fed. */
export type PointSnap = (point: Float64Array, box: Box) => Float64Array;

/** The nearest float32 values inside of the box; where there are none, a side stays what it is. */
export function snapToFloat32(point: Float64Array, { lower, upper }: Box): Float64Array {
  return point.map((value, at) => {
    const [from, to] = [lower[at]!, upper[at]!];
    const nearest = Math.fround(value);
    if (from <= nearest && nearest <= to) return nearest;
    const inside = nearest < from ? ceilFloat32(from) : floorFloat32(to);
    return from <= inside && inside <= to ? inside : value;
  });
}

/** The nearest integers inside of the box. */
export function snapToIntegers(point: Float64Array, { lower, upper }: Box): Float64Array {
  return point.map((value, at) => {
    const nearest = Math.round(value);
    return Math.min(Math.max(nearest, Math.ceil(lower[at]!)), Math.floor(upper[at]!));
  });
}

/** The snap of an input type. */
export function snapFor(type: DataType): PointSnap {
  if (type === "float64") return (point) => point;
  if (type === "float16") {
    return (point, box) => {
      const values = fromFloat16(toFloat16(point));
      return point.map((value, at) =>
        box.lower[at]! <= values[at]! && values[at]! <= box.upper[at]! ? values[at]! : value
      );
    };
  }
  return type === "float32" ? snapToFloat32 : snapToIntegers;
}

/** Collects extremes. */
export class Extremes {
  readonly #highest: (FoundDifference | undefined)[];
  readonly #lowest: (FoundDifference | undefined)[];

  constructor(outputs: number) {
    this.#highest = new Array<undefined>(outputs).fill(undefined);
    this.#lowest = new Array<undefined>(outputs).fill(undefined);
  }

  /** @param differences [points × outputs]; there may be more than the points. */
  note(points: readonly Float64Array[], differences: ArrayLike<number>): void {
    const outputs = this.#highest.length;
    points.forEach((input, at) => {
      for (let output = 0; output < outputs; output++) {
        const difference = differences[at * outputs + output]!;
        if (difference > (this.#highest[output]?.difference ?? -Infinity)) {
          this.#highest[output] = { input, difference };
        }
        if (difference < (this.#lowest[output]?.difference ?? Infinity)) {
          this.#lowest[output] = { input, difference };
        }
      }
    });
  }

  /** The different points among the extremes. */
  points(): Float64Array[] {
    const found = [...this.#highest, ...this.#lowest].flatMap((each) => each?.input ?? []);
    return [...new Set(found)];
  }

  /** One an output. */
  all(): OutputExtremes[] {
    return this.#highest.map((highest, output) => ({
      highest: highest!,
      lowest: this.#lowest[output]!,
    }));
  }
}
