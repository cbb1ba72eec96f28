/**
 * Operations: multiplications, and the operations on bits that they are.
 *
 * @module
 */

import type { LayerWork } from "./work.ts";

/** Multiplications of all layers, for one item. */
export function totalMacs(works: readonly LayerWork[]): number {
  return works.reduce((sum, { nodes }) => sum + nodes.reduce((all, { macs }) => all + macs, 0), 0);
}

/**
 * Bit operations of each layer at each width: multiplications × bits of weights × bits of activations (Baskin et al.,
 * "UNIQ", 2018).
 */
export function bitOperations(
  works: readonly LayerWork[],
  widths: readonly number[],
  activationBits: number,
): Float64Array {
  return Float64Array.from(
    works.flatMap(({ nodes }) => {
      const macs = nodes.reduce((sum, node) => sum + node.macs, 0);
      return widths.map((bits) => macs * bits * activationBits);
    }),
  );
}
