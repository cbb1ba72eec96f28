/**
 * Which elements of a value are worth rows of their own.
 *
 * @module
 */

import type { ValueBounds } from "./batch.ts";

/** What is known of a value. */
export interface WantedOptions {
  /** Whether nothing but Relu reads it. */
  readonly onlyRelu: boolean;
  /** Whether differences were bounded by rows, so that bounds of z say something of y. */
  readonly isKnownByDifference: boolean;
}

/** How much wider than those of z bounds of y are left as they are. */
const CLOSE = 1.002;

/**
 * Where rows can make a relaxation tighter, [boxes × 2·size], as `rowsOf` reads it.
 *
 * @param view Of the values of the original network, of the quantized one, or of their difference.
 */
export function wantedRows(
  { zLower, zUpper, yLower, yUpper }: ValueBounds,
  view: "z" | "y" | "joint",
  { onlyRelu, isKnownByDifference }: WantedOptions,
): Uint8Array {
  const wanted = new Uint8Array(2 * zLower.length);
  const [lower, upper] = view === "y" ? [yLower, yUpper] : [zLower, zUpper];
  for (let at = 0; at < lower.length; at++) {
    let is = onlyRelu ? lower[at]! < 0 && upper[at]! > 0 : lower[at]! < upper[at]!;
    if (view === "joint") {
      // The difference of two rectified values is exact where both are on the same side.
      is = onlyRelu
        ? (zLower[at]! < 0 || yLower[at]! < 0) && (zUpper[at]! > 0 || yUpper[at]! > 0)
        : zLower[at]! < zUpper[at]! || yLower[at]! < yUpper[at]!;
    } else if (isKnownByDifference && is) {
      // z − e says enough where both networks are close.
      is = yUpper[at]! - yLower[at]! > CLOSE * (zUpper[at]! - zLower[at]!);
    }
    if (is) wanted[2 * at] = wanted[2 * at + 1] = 1;
  }
  return wanted;
}
