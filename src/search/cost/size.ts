/**
 * Sizes of weights.
 *
 * @module
 */

import type { SensitivityLayer, SensitivityTable } from "../table.ts";

/** Bytes of each layer at each width, row by row, packed, with scales; 0 at widths that a layer was not measured at. */
export function weightBytes(
  layers: readonly SensitivityLayer[],
  widths: readonly number[],
): Float64Array {
  return Float64Array.from(
    layers.flatMap(({ entries }) =>
      widths.map((bits) => entries.find((entry) => entry.bits === bits)?.bytes ?? 0)
    ),
  );
}

/** How many weights there are. */
export function weightCount(layers: readonly SensitivityLayer[]): number {
  return layers.reduce((sum, { elements }) => sum + elements, 0);
}

/** Bytes if all layers had one width; `undefined` if the table lacks it. */
export function uniformBytes(
  { widths, layers }: SensitivityTable,
  bits: number,
): number | undefined {
  if (!widths.includes(bits)) return undefined;
  return weightBytes(layers, [bits]).reduce((sum, bytes) => sum + bytes, 0);
}
