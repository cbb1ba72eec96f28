/**
 * Rows of sensitivity tables.
 *
 * @module
 */

import type { SensitivityEntry, SensitivityLayer } from "../../search/table.ts";
import type { Layer } from "../../search/trial/layers.ts";

/** Makes the row of a layer, width by width. */
export async function layerRow(
  layer: Layer,
  widths: readonly number[],
  entry: (bits: number) => Promise<Omit<SensitivityEntry, "bits">>,
): Promise<SensitivityLayer> {
  const entries: SensitivityEntry[] = [];
  for (const bits of widths) entries.push({ bits, ...await entry(bits) });
  const { name, nodes, weights } = layer;
  return { name, nodes, elements: weights.data.length, entries };
}
