/**
 * What bounding a box as a whole takes, before it is done.
 *
 * @module
 */

import { isChain } from "./bounds/dense/chain.ts";
import { hasFields } from "./bounds/receptive/engine.ts";
import { rowWork, VIEW_WORK } from "./bounds/row_work.ts";
import { rowTargets } from "./bounds/targets.ts";
import { expandPools } from "./network/expand_pools.ts";
import { type PairedNetwork, sizeOf } from "./network/network.ts";

/** Both rows of every neuron, in all views. */
const ROWS = 2 * (VIEW_WORK.z + VIEW_WORK.joint + VIEW_WORK.y);

/**
 * About how many multiplications method `differential` takes for one box at most, where intervals leave every neuron
 * open: each has rows, and a row goes back through what its neuron depends on.
 */
export function wholeWork(given: PairedNetwork): number {
  const { network, comparisons } = expandPools(given);
  let total = 0;
  for (const target of rowTargets(network, comparisons)) {
    total += ROWS * sizeOf(network, target) * rowWork(network, target);
  }
  return total;
}

/**
 * About how many seconds one box takes on one processor core of 2021: at the rate that was measured on convolutional
 * networks most of whose neurons are open, and at that of networks whose maps are carried whole.
 */
export function wholeSeconds(network: PairedNetwork): number {
  const expanded = expandPools(network).network;
  return wholeWork(network) / (isChain(expanded) || hasFields(expanded) ? RATE.kernels : RATE.maps);
}

/** Products a second. */
const RATE = { kernels: 2e9, maps: 2e8 };
