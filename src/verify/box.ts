/**
 * Axis-parallel boxes: sets of inputs, and bounds of values.
 *
 * @module
 */

/** All x with `lower[i] ≤ x[i] ≤ upper[i]`; row-major over the shape of the input without its batch. */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * A box, checked.
 *
 * @throws {RangeError} If the two sides differ in length, or a side is not finite or above the other.
 */
export function box(lower: ArrayLike<number>, upper: ArrayLike<number>): Box {
  if (lower.length !== upper.length) {
    throw new RangeError(
      `A box must have as many upper as lower sides: current value has ${upper.length} and ${lower.length}`,
    );
  }
  for (let index = 0; index < lower.length; index++) {
    const [from, to] = [lower[index]!, upper[index]!];
    if (!(Number.isFinite(from) && Number.isFinite(to) && from <= to)) {
      throw new RangeError(
        `Side ${index} of a box must be finite and not inverted: current value is ${from} … ${to}`,
      );
    }
  }
  return { lower: Float64Array.from(lower), upper: Float64Array.from(upper) };
}

/** How many sides of a box have some width. */
export function freeSides({ lower, upper }: Box): number {
  return lower.reduce((count, from, at) => count + Number(from < upper[at]!), 0);
}

/** The middle of a box, inside it also where rounding would leave it. */
export function center({ lower, upper }: Box): Float64Array {
  return lower.map((from, index) => {
    const to = upper[index]!;
    return Math.min(Math.max(from + (to - from) / 2, from), to);
  });
}

/** Whether a point is in a box. */
export function contains({ lower, upper }: Box, point: ArrayLike<number>): boolean {
  for (let index = 0; index < lower.length; index++) {
    if (!(lower[index]! <= point[index]! && point[index]! <= upper[index]!)) return false;
  }
  return point.length === lower.length;
}

/** The two halves of a box at the middle of one side; they cover it exactly. */
export function bisect(whole: Box, side: number): [Box, Box] {
  const middle = center(whole)[side]!;
  const low = { lower: whole.lower.slice(), upper: whole.upper.slice() };
  const high = { lower: whole.lower.slice(), upper: whole.upper.slice() };
  low.upper[side] = middle;
  high.lower[side] = middle;
  return [low, high];
}
