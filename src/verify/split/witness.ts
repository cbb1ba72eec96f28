/**
 * Climbing to larger differences from points that were found, without gradients.
 *
 * @module
 */

import type { Box } from "../box.ts";
import type { Witness } from "../bracket.ts";

const ROUNDS = 24;

/** How many inputs are tried one by one; with more, pattern search is hopeless and points are kept as they are. */
const MOST_INPUTS = 16;

/**
 * Pattern search (Hooke and Jeeves, 1961): each input is moved by a step either way, the best move is kept, and the step
 * is halved where none helps. All moves of all outputs are evaluated together.
 *
 * @param differences f′ − f at points, [points × outputs].
 * @returns Better witnesses, where there are any.
 */
export async function refineWitnesses(
  { lower, upper }: Box,
  witnesses: readonly (Witness | undefined)[],
  differences: (points: Float64Array) => Promise<Float64Array>,
): Promise<(Witness | undefined)[]> {
  const size = lower.length;
  const best = [...witnesses];
  if (size > MOST_INPUTS) return best;
  const steps = witnesses.map(() => 0.25);
  for (let round = 0; round < ROUNDS; round++) {
    const moves: Float64Array[] = [];
    const owners: number[] = [];
    best.forEach((witness, output) => {
      if (witness === undefined) return;
      for (let input = 0; input < size; input++) {
        for (const way of [-1, 1]) {
          const moved = witness.input.slice();
          const to = moved[input]! + way * steps[output]! * (upper[input]! - lower[input]!);
          moved[input] = Math.min(Math.max(to, lower[input]!), upper[input]!);
          if (moved[input] === witness.input[input]) continue;
          moves.push(moved);
          owners.push(output);
        }
      }
    });
    if (moves.length === 0) break;
    const points = new Float64Array(moves.length * size);
    moves.forEach((point, at) => points.set(point, at * size));
    const values = await differences(points);
    const improved = new Set<number>();
    moves.forEach((input, at) => {
      best.forEach((witness, output) => {
        const difference = values[at * best.length + output]!;
        if (witness === undefined || Math.abs(difference) <= Math.abs(witness.difference)) return;
        best[output] = { input, difference };
        improved.add(output);
      });
    });
    for (const output of new Set(owners)) if (!improved.has(output)) steps[output]! /= 2;
  }
  return best;
}
