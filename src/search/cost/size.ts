/**
 * Sizes of weights.
 *
 * @module
 */

import type { SensitivityTable } from "../table.ts";

/** Bytes of each layer at each width, packed, with scales. */
export function weightBytes(table: SensitivityTable, widths: readonly number[]): Float64Array {
  return perLayer(
    table,
    widths,
    ({ entries }, bits) => entries.find((entry) => entry.bits === bits)!.bytes,
  );
}

/** Bits of each layer's weights at each width, without scales. */
export function weightBits(table: SensitivityTable, widths: readonly number[]): Float64Array {
  return perLayer(table, widths, ({ elements }, bits) => elements * bits);
}

/** How many weights there are. */
export function weightCount(table: SensitivityTable): number {
  return table.layers.reduce((sum, { elements }) => sum + elements, 0);
}

/** Bytes if all layers had one width; `undefined` if the table lacks it. */
export function uniformBytes(table: SensitivityTable, bits: number): number | undefined {
  if (!table.widths.includes(bits)) return undefined;
  return weightBytes(table, [bits]).reduce((sum, bytes) => sum + bytes, 0);
}

function perLayer(
  table: SensitivityTable,
  widths: readonly number[],
  value: (layer: SensitivityTable["layers"][number], bits: number) => number,
): Float64Array {
  return Float64Array.from(
    table.layers.flatMap((layer) => widths.map((bits) => value(layer, bits))),
  );
}
