/**
 * The bracket of a box by zonotopes.
 *
 * @module
 */

import type { Semantics } from "../bounds/roundoff.ts";
import type { Box } from "../box.ts";
import { evaluate } from "../network/evaluate.ts";
import type { PairedNetwork } from "../network/network.ts";
import type { SearchResult } from "../split/search.ts";
import { lookedAt, wholeBracket, type WholeGoal } from "../whole.ts";
import { zonotopeBounds } from "./propagate.ts";

/** What counts as done, and which arithmetic is meant. */
export interface ZonotopeOptions extends WholeGoal {
  readonly semantics: Semantics;
  readonly signal?: AbortSignal;
}

/**
 * Bounds a box as a whole.
 *
 * @param points Inputs worth looking at beside the middle; those outside of the box are left out.
 * @throws {UserError} If the networks have steps that zonotopes have no form for.
 */
export function zonotopeBracket(
  network: PairedNetwork,
  box: Box,
  points: readonly Float64Array[],
  { semantics, signal, ...goal }: ZonotopeOptions,
): SearchResult {
  const ends = zonotopeBounds(network, box, semantics, signal);
  const seen = lookedAt(box, points);
  const differences = seen.flatMap((point) => [...evaluate(network, point).difference]);
  return wholeBracket(ends, seen, Float64Array.from(differences), goal);
}
