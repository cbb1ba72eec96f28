/**
 * Operations: multiplications, and the operations on bits that they are.
 *
 * @module
 */

import type { NodeCost } from "./node_cost.ts";
import type { LayerWork } from "./work.ts";

/** Multiplications of all layers, for one item. */
export function totalMacs(works: readonly LayerWork[]): number {
  return works.reduce((sum, { nodes }) => sum + nodes.reduce((all, { macs }) => all + macs, 0), 0);
}

/** Bit operations: multiplications × bits of weights × bits of activations (Baskin et al., "UNIQ", 2018). */
export const bitOperations: NodeCost = ({ macs }, weightBits, activationBits) =>
  macs * weightBits * activationBits;
