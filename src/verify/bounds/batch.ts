/**
 * Bounds of the values of a paired network on a batch of boxes.
 *
 * @module
 */

/**
 * Bounds of one value on every box of a batch, [boxes × size] in row-major order: z of the original network, y of the
 * quantized one, and e = z − y.
 */
export interface ValueBounds {
  readonly zLower: Float64Array;
  readonly zUpper: Float64Array;
  readonly yLower: Float64Array;
  readonly yUpper: Float64Array;
  readonly eLower: Float64Array;
  readonly eUpper: Float64Array;
}

/** Boxes side by side, [boxes × inputs]. */
export interface BoxBatch {
  readonly count: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** The fields of {@linkcode ValueBounds}, in the order in which they are packed. */
export const BOUND_FIELDS = ["zLower", "zUpper", "yLower", "yUpper", "eLower", "eUpper"] as const;

/**
 * What a bound has to leave room for, for each element of a value that an affine step makes: how far the values of
 * the two networks, and their difference, may be from what exact arithmetic on the bounds says.
 */
export interface Noise {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly e: Float64Array;
}

/** Bounds that are to be filled in. */
export function emptyBounds(length: number): ValueBounds {
  return {
    zLower: new Float64Array(length),
    zUpper: new Float64Array(length),
    yLower: new Float64Array(length),
    yUpper: new Float64Array(length),
    eLower: new Float64Array(length),
    eUpper: new Float64Array(length),
  };
}

/** Narrows bounds to those that hold as well. */
export function intersect(bounds: ValueBounds, others: ValueBounds): void {
  for (const field of BOUND_FIELDS) {
    const [own, other] = [bounds[field], others[field]];
    const isLower = field.endsWith("Lower");
    for (let at = 0; at < own.length; at++) {
      if (isLower ? other[at]! > own[at]! : other[at]! < own[at]!) own[at] = other[at]!;
    }
  }
}

/**
 * Narrows bounds by e = z − y: e ≤ u − l′, e ≥ l − u′, u ≤ u′ + eᵤ, l ≥ l′ + eₗ, u′ ≤ u − eₗ, l′ ≥ l − eᵤ, each rounded
 * outward.
 */
export function close(bounds: ValueBounds): void {
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  for (let at = 0; at < zLower.length; at++) {
    eUpper[at] = Math.min(eUpper[at]!, up(zUpper[at]! - yLower[at]!));
    eLower[at] = Math.max(eLower[at]!, down(zLower[at]! - yUpper[at]!));
    zUpper[at] = Math.min(zUpper[at]!, up(yUpper[at]! + eUpper[at]!));
    zLower[at] = Math.max(zLower[at]!, down(yLower[at]! + eLower[at]!));
    yUpper[at] = Math.min(yUpper[at]!, up(zUpper[at]! - eLower[at]!));
    yLower[at] = Math.max(yLower[at]!, down(zLower[at]! - eUpper[at]!));
  }
}

/** A number at least as large as the exact result that was rounded to this one. */
export function up(value: number): number {
  return value + (Math.abs(value) * 2 ** -52 + 5e-324);
}

/** A number at most as large as the exact result that was rounded to this one. */
export function down(value: number): number {
  return value - (Math.abs(value) * 2 ** -52 + 5e-324);
}

/** Middles and half widths of boxes as backward passes read them, the latter with what roundings at the input cost. */
export function inputFeed(
  { lower, upper }: BoxBatch,
  unit: number,
): { center: Float64Array; half: Float64Array } {
  const center = new Float64Array(lower.length);
  const half = new Float64Array(lower.length);
  for (let at = 0; at < lower.length; at++) {
    const middle = (lower[at]! + upper[at]!) / 2;
    const width = up(Math.max(upper[at]! - middle, middle - lower[at]!));
    center[at] = middle;
    half[at] = width + unit * (Math.abs(middle) + width);
  }
  return { center, half };
}
