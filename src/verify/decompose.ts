/**
 * What a bound consists of: changed weights, rounding of activations, what their grids cut off, floating point.
 *
 * The same box is bounded without splitting for networks that do less and less: as they are, with exact arithmetic, with
 * grids that have no ends, without grids. What a bound loses from one to the next is the part of what was left out.
 *
 * @module
 */

import type { Semantics } from "./bounds/roundoff.ts";
import type { Box } from "./box.ts";
import type { PairedNetwork } from "./network/network.ts";
import { withGrids, withoutEnds } from "./variants.ts";
import { type Method, Verifier } from "./verify.ts";
import type { WholeProgress } from "./whole_progress.ts";

/** The parts of a bound on one output; they add up to `total`. */
export interface Decomposition {
  readonly output: number;
  /** The bound of the box as a whole, which can be larger than one that splitting gave. */
  readonly total: number;
  readonly weights: number;
  readonly rounding: number;
  readonly saturation: number;
  readonly arithmetic: number;
}

/** How the bound was made that is to be decomposed. */
export interface DecomposeOptions {
  readonly method: Method;
  readonly semantics: Semantics;
  readonly threads?: number;
  /** Bounds of all outputs on the box, if it was bounded whole by this method and with these semantics. */
  readonly bounds?: readonly number[];
  /** Where differences were seen: how near bounds are to them says what passes are worth. */
  readonly points?: readonly Float64Array[];
  readonly signal?: AbortSignal;
  /** Told how far each of the networks is that are bounded. */
  readonly whole?: (
    progress: WholeProgress & { readonly network: number; readonly of: number },
  ) => void;
}

/**
 * Decomposes the largest bound on a box.
 *
 * @returns `undefined` if there is no finite bound.
 */
export async function decompose(
  network: PairedNetwork,
  box: Box,
  { method, semantics, threads = 1, bounds, points = [], signal, whole }: DecomposeOptions,
): Promise<Decomposition | undefined> {
  const rounds = network.steps.some(({ kind }) => kind === "quantize");
  const of = Number(bounds === undefined) + Number(semantics !== "real") + (rounds ? 2 : 0);
  let done = 0;
  const boundsOf = async (variant: PairedNetwork, semantics: Semantics) => {
    const number = ++done;
    await using verifier = new Verifier(variant, {
      method,
      split: false,
      semantics,
      threads,
      ...(signal && { signal }),
      ...(whole && { whole: (progress) => whole({ ...progress, network: number, of }) }),
    });
    return (await verifier.verify(box, points)).outputs.map(({ proven }) => proven);
  };
  const all = bounds ?? await boundsOf(network, semantics);
  const total = Math.max(...all);
  const output = all.indexOf(total);
  if (!Number.isFinite(total)) return undefined;
  // Leaving something out should not make a bound larger; where it does, it counts nothing.
  let left = total;
  const withOnly = async (variant: PairedNetwork) => {
    left = Math.min(left, (await boundsOf(variant, "real"))[output]!);
    return left;
  };
  const exact = semantics === "real" ? total : await withOnly(network);
  const endless = rounds ? await withOnly(withGrids(network, withoutEnds)) : exact;
  const weights = rounds ? await withOnly(withGrids(network, () => undefined)) : endless;
  return {
    output,
    total,
    weights,
    rounding: endless - weights,
    saturation: exact - endless,
    arithmetic: total - exact,
  };
}
