/**
 * Values whose neurons have rows of their own.
 *
 * @module
 */

import { inputsOf, type PairedNetwork, sizeOf, type ValueNumber } from "../network/network.ts";

/** Larger pools have too many pairs of places for rows of their own. */
const MOST_COMPARED = 128;

/**
 * Values that nonlinear steps read, and that depend on relaxed ones: elsewhere intervals are exact. In their order.
 *
 * @param comparisons Values that compare places of pools, of which only few have rows.
 */
export function rowTargets(
  network: PairedNetwork,
  comparisons: ReadonlySet<ValueNumber>,
): readonly ValueNumber[] {
  const behind = new Set<ValueNumber>();
  const read = new Set<ValueNumber>();
  network.steps.forEach((step, at) => {
    const inputs = inputsOf(step);
    if (step.kind !== "affine") { for (const input of inputs) read.add(input); }
    if (step.kind !== "affine" || inputs.some((input) => behind.has(input))) behind.add(at + 1);
  });
  return [...read].sort((a, b) => a - b).filter((value) =>
    network.steps[value - 1]?.kind === "affine" && behind.has(value) &&
    !(comparisons.has(value) && sizeOf(network, value) > MOST_COMPARED)
  );
}
