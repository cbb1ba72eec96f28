/**
 * The bracket of a box that is bounded as a whole.
 *
 * @module
 */

import { type Box, center, contains } from "./box.ts";
import type { OutputBracket } from "./bracket.ts";
import type { SearchResult } from "./split/search.ts";

/** Certified bounds of f′ − f of one output. */
export interface Ends {
  readonly lower: number;
  readonly upper: number;
}

/** When a box is done. */
export interface WholeGoal {
  /** Proven over found; 1 unless given. */
  readonly ratio?: number;
  /** A bound that is enough, whatever was found. */
  readonly target?: number;
}

/** Where differences are looked for: the middle of the box, and those of the points that are in it. */
export function lookedAt(box: Box, points: readonly Float64Array[]): Float64Array[] {
  return [center(box), ...points.filter((point) => contains(box, point))];
}

/**
 * Puts what is proven and what was seen together.
 *
 * @param ends One an output.
 * @param points Points of the box.
 * @param differences f′ − f there, [points × outputs].
 */
export function wholeBracket(
  ends: readonly Ends[],
  points: readonly Float64Array[],
  differences: Float64Array,
  { ratio = 1, target = 0 }: WholeGoal,
): SearchResult {
  const outputs = ends.map(({ lower, upper }, output): OutputBracket => {
    let best = 0;
    points.forEach((_, at) => {
      const each = Math.abs(differences[at * ends.length + output]!);
      if (each > Math.abs(differences[best * ends.length + output]!)) best = at;
    });
    const difference = differences[best * ends.length + output]!;
    return {
      found: Math.abs(difference),
      proven: Math.max(upper, -lower),
      lower,
      upper,
      witness: { input: points[best]!, difference },
    };
  });
  const isDone = outputs.every(({ found, proven }) => proven <= Math.max(target, ratio * found));
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
