/**
 * Relaxations of rounding to a grid, R(v) = s·(clip(round(v/s) + z, qmin, qmax) − z), on one side or on both.
 *
 * @module
 */

import { roundHalfEven } from "../../quant/grid.ts";
import type { Pair, Quantizer } from "../network/network.ts";
import { emptyBounds, type ValueBounds } from "./batch.ts";
import { type Lines, newLines, relaxByLines } from "./line_pairs.ts";
import type { Relaxation } from "./relu.ts";

/** The identity between two bounds. */
function identityLines(lower: number, upper: number, out: Lines): void {
  out.upperSlope = out.lowerSlope = 1;
  out.upperConstant = out.lowerConstant = 0;
  out.least = lower;
  out.greatest = upper;
}

/** How many lines there are above R at most, and as many below. */
export const MOST_LINES = 4;

/** Lines around R: a slope and a constant each. */
export interface CandidateLines {
  /** [2·{@linkcode MOST_LINES}], of which `aboveCount` lines are filled. */
  readonly above: Float64Array;
  readonly below: Float64Array;
  aboveCount: number;
  belowCount: number;
  /** The least and the greatest value. */
  least: number;
  greatest: number;
}

/** Lines that are to be filled in. */
export function newCandidates(): CandidateLines {
  const [above, below] = [new Float64Array(2 * MOST_LINES), new Float64Array(2 * MOST_LINES)];
  return { above, below, aboveCount: 0, belowCount: 0, least: 0, greatest: 0 };
}

/**
 * Lines around R between two bounds:
 *
 * - the constants R(l) and R(u), which are all there is where both are the same;
 * - v ± s/2, further out by what a grid's ends cut off;
 * - chords along which an end cuts off more and more;
 * - the lines from a corner of the staircase next to l or u.
 *
 * @param slack Relative error of the division and the product, where the networks' arithmetic counts.
 */
export function candidateLines(
  { scale, zeroPoint, qmin, qmax }: Quantizer,
  element: number,
  lower: number,
  upper: number,
  slack: number,
  out: CandidateLines,
): void {
  const at = scale.length === 1 ? 0 : element;
  const s = scale[at]!, zero = zeroPoint[at]!;
  const [first, last] = [qmin - zero, qmax - zero];
  const relative = slack + 2 ** -51;
  const from = lower / s, to = upper / s;
  const low = Math.min(Math.max(roundHalfEven(from - Math.abs(from) * relative), first), last);
  const high = Math.min(Math.max(roundHalfEven(to + Math.abs(to) * relative), first), last);
  out.least = low * s - Math.abs(low * s) * relative;
  out.greatest = high * s + Math.abs(high * s) * relative;
  out.aboveCount = out.belowCount = 0;
  addAbove(out, 0, out.greatest);
  addBelow(out, 0, out.least);
  if (low === high) return;
  const room = relative * (Math.max(Math.abs(lower), Math.abs(upper)) + s);
  // Slope 1.
  addAbove(out, 1, s / 2 + Math.max(first * s - lower, 0) + 2 * room);
  addBelow(out, 1, -(s / 2 + Math.max(upper - last * s, 0) + 2 * room));
  // Chords: R is half a step off at most up to the grid's end, and constant behind it.
  const steepest = (room: number) => Math.min((room + s / 2) / (upper - lower), 1);
  if (lower < (first - 0.5) * s) {
    const slope = Math.max(steepest(upper - first * s), 0);
    const constant = Math.max((1 - slope) * upper + s / 2, first * s - slope * lower) + 4 * room;
    addAbove(out, slope, constant);
  }
  if (upper > (last + 0.5) * s) {
    const slope = Math.max(steepest(last * s - lower), 0);
    const constant = Math.min((1 - slope) * lower - s / 2, last * s - slope * upper) - 4 * room;
    addBelow(out, slope, constant);
  }
  // Corners: R rises above low·s at (low + ½)·s at the earliest, and reaches high·s at (high − ½)·s at the latest.
  const rise = (low + 0.5) * s - room - lower;
  if (rise >= s / 4) {
    const slope = Math.max((s + 2 * room) / rise, 1);
    const constant = out.least + 2 * room - slope * lower + 4 * Math.abs(slope * lower) * 2 ** -52;
    addAbove(out, slope, constant);
  }
  const fall = upper - ((high - 0.5) * s + room);
  if (fall >= s / 4) {
    const slope = Math.max((s + 2 * room) / fall, 1);
    const constant = out.greatest - 2 * room - slope * upper -
      4 * Math.abs(slope * upper) * 2 ** -52;
    addBelow(out, slope, constant);
  }
}

function addAbove(out: CandidateLines, slope: number, constant: number): void {
  const at = 2 * out.aboveCount++;
  out.above[at] = slope;
  out.above[at + 1] = constant;
}

function addBelow(out: CandidateLines, slope: number, constant: number): void {
  const at = 2 * out.belowCount++;
  out.below[at] = slope;
  out.below[at + 1] = constant;
}

const CANDIDATES = newCandidates();

/** Of the lines of {@linkcode candidateLines} those that are best at the middle. */
export function roundingLines(
  quantizer: Quantizer,
  element: number,
  lower: number,
  upper: number,
  slack: number,
  out: Lines,
): void {
  candidateLines(quantizer, element, lower, upper, slack, CANDIDATES);
  const { above, below, aboveCount, belowCount, least, greatest } = CANDIDATES;
  out.least = least;
  out.greatest = greatest;
  const middle = (lower + upper) / 2;
  let [most, value] = [0, greatest];
  for (let line = 1; line < aboveCount; line++) {
    const own = above[2 * line]! * middle + above[2 * line + 1]!;
    // Slope 1 rather than a constant: it cancels with the other network's.
    if (own < value || (line === 1 && own === value)) [most, value] = [line, own];
  }
  out.upperSlope = above[2 * most]!;
  out.upperConstant = above[2 * most + 1]!;
  [most, value] = [0, least];
  for (let line = 1; line < belowCount; line++) {
    const own = below[2 * line]! * middle + below[2 * line + 1]!;
    if (own > value || (line === 1 && own === value)) [most, value] = [line, own];
  }
  out.lowerSlope = below[2 * most]!;
  out.lowerConstant = below[2 * most + 1]!;
}

/**
 * Relaxes rounding on every box. The difference g = a − b is that of the lines of both sides: with slope 1, what z and y
 * have in common cancels.
 *
 * @returns Intervals of a, b and g.
 */
export function relaxQuantize(
  bounds: ValueBounds,
  size: number,
  quantizer: Pair<Quantizer | undefined>,
  unit: number,
  slack: number,
  out: Relaxation,
): ValueBounds {
  const { zLower, zUpper, yLower, yUpper } = bounds;
  const count = zLower.length;
  const made = emptyBounds(count);
  const a: Lines = newLines(), b: Lines = newLines();
  const { original, quantized } = quantizer;
  for (let at = 0; at < count; at++) {
    const element = at % size;
    const zl = zLower[at]!, zu = zUpper[at]!, yl = yLower[at]!, yu = yUpper[at]!;
    if (original === undefined) identityLines(zl, zu, a);
    else roundingLines(original, element, zl, zu, slack, a);
    if (quantized === undefined) identityLines(yl, yu, b);
    else roundingLines(quantized, element, yl, yu, slack, b);
    relaxByLines(bounds, at, a, b, undefined, unit, out, made);
  }
  return made;
}
