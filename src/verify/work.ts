/**
 * What bounding a box as a whole takes, before it is done.
 *
 * @module
 */

import type { LinearMap } from "./network/linear_map.ts";
import type { PairedNetwork } from "./network/network.ts";

/** Rows of a neuron: from both sides, one for each network and twice the work of one for the difference. */
const ROWS = 2 * 4;

/**
 * About how many multiplications method `differential` takes for one box at most, where intervals leave every neuron
 * open: each has rows, and a row goes back through all maps in front of it.
 */
export function wholeWork({ steps }: PairedNetwork): number {
  let [behind, total] = [0, 0];
  for (const step of steps) {
    if (step.kind === "affine") {
      for (const { map } of step.terms) behind += products(map.original);
    } else total += ROWS * step.size * behind;
  }
  return total;
}

/** Products of a map with one vector. */
function products(map: LinearMap): number {
  switch (map.kind) {
    case "dense":
      return map.rows * map.columns;
    case "convolution": {
      const { channels, groups, kernel } = map.geometry;
      return map.rows * (channels / groups) * kernel[0] * kernel[1];
    }
    default:
      return map.rows;
  }
}
