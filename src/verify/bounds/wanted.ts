/**
 * Which elements of a value are worth rows of their own.
 *
 * @module
 */

import type { Pair, PairedNetwork, Quantizer, ValueNumber } from "../network/network.ts";
import type { ValueBounds } from "./batch.ts";

/** Where the grids of both networks end, [size]; a side without a grid has no end. */
export type GridEnds = Pair<Float64Array | undefined>;

/** The ends of grids that stand behind Relu, by the value that the Relu reads. */
export function gridEndsOf({ steps }: PairedNetwork): ReadonlyMap<ValueNumber, GridEnds> {
  const ends = new Map<ValueNumber, GridEnds>();
  for (const step of steps) {
    if (step.kind !== "quantize") continue;
    const relu = steps[step.input - 1];
    if (relu?.kind !== "relu") continue;
    const { original, quantized } = step.quantizer;
    const endsOf = (grid: Quantizer | undefined) =>
      grid && Float64Array.from({ length: step.size }, (_, element) => {
        const at = grid.scale.length === 1 ? 0 : element;
        return (grid.qmax - grid.zeroPoint[at]!) * grid.scale[at]!;
      });
    ends.set(relu.input, { original: endsOf(original), quantized: endsOf(quantized) });
  }
  return ends;
}

/** What is known of a value. */
export interface WantedOptions {
  /** Whether nothing but Relu reads it. */
  readonly onlyRelu: boolean;
  /** Whether differences were bounded by rows, so that bounds of z say something of y. */
  readonly isKnownByDifference: boolean;
  /** Where grids behind the Relu that reads the value end. */
  readonly gridEnds?: GridEnds | undefined;
}

/** How much wider than those of z bounds of y are left as they are. */
const CLOSE = 1.002;

/**
 * Where rows can make a relaxation tighter, [boxes × 2·size], as `rowsOf` reads it.
 *
 * @param view Of the values of the original network, of the quantized one, or of their difference.
 */
export function wantedRows(
  bounds: ValueBounds,
  view: "z" | "y" | "joint",
  { onlyRelu, isKnownByDifference, gridEnds }: WantedOptions,
): Uint8Array {
  const { zLower, zUpper, yLower, yUpper } = bounds;
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
  if (gridEnds !== undefined) addPassed(bounds, view, gridEnds, wanted);
  return wanted;
}

/** Rows that can keep values from passing the end of a grid, which costs all by which they pass it. */
function addPassed(
  { zUpper, yUpper }: ValueBounds,
  view: "z" | "y" | "joint",
  { original, quantized }: GridEnds,
  wanted: Uint8Array,
): void {
  const size = (original ?? quantized)?.length ?? 0;
  for (let at = 0; at < zUpper.length; at++) {
    const passesZ = original !== undefined && zUpper[at]! > original[at % size]!;
    const passesY = quantized !== undefined && yUpper[at]! > quantized[at % size]!;
    // z and e say something of y: y = z − e.
    if (view === "z" ? passesZ || passesY : passesY) {
      wanted[2 * at + (view === "joint" ? 0 : 1)] = 1;
    }
  }
}
