/**
 * The bracket of a box by zonotopes.
 *
 * @module
 */

import type { Semantics } from "../bounds/roundoff.ts";
import { type Box, center } from "../box.ts";
import type { OutputBracket } from "../bracket.ts";
import { evaluate } from "../network/evaluate.ts";
import type { PairedNetwork } from "../network/network.ts";
import type { SearchResult } from "../split/search.ts";
import { zonotopeBounds } from "./propagate.ts";

/** What counts as done, and which arithmetic is meant. */
export interface ZonotopeOptions {
  readonly semantics: Semantics;
  /** Proven over found. */
  readonly ratio: number;
  readonly signal?: AbortSignal;
}

/**
 * Bounds a box as a whole.
 *
 * @param points Where to look for differences, beside the middle.
 * @throws {UserError} If the networks have steps that zonotopes have no form for.
 */
export function zonotopeBracket(
  network: PairedNetwork,
  box: Box,
  points: readonly Float64Array[],
  { semantics, ratio, signal }: ZonotopeOptions,
): SearchResult {
  const ends = zonotopeBounds(network, box, semantics, signal);
  const seen = [center(box), ...points].map((input) => ({
    input,
    differences: evaluate(network, input).difference,
  }));
  const outputs = ends.map(({ lower, upper }, output): OutputBracket => {
    const best = seen.reduce((best, each) =>
      Math.abs(each.differences[output]!) > Math.abs(best.differences[output]!) ? each : best
    );
    const difference = best.differences[output]!;
    return {
      found: Math.abs(difference),
      proven: Math.max(upper, -lower),
      lower,
      upper,
      witness: { input: best.input, difference },
    };
  });
  const isDone = outputs.every(({ found, proven }) => proven <= ratio * found);
  return {
    outputs,
    boxes: 1,
    splits: 0,
    open: isDone ? 0 : 1,
    settled: isDone ? 1 : 0,
    left: isDone ? 0 : Infinity,
    isComplete: isDone,
  };
}
