/**
 * Lines around Relu in one network, for passes that choose the slope below for each row.
 *
 * @module
 */

import type { ValueBounds } from "./batch.ts";
import type { FoldedOffset } from "./relu.ts";

/** Lines of one Relu step, each [boxes × size]. */
export interface ReluLines {
  /** Of the upper line. */
  readonly slope: Float64Array;
  readonly constant: Float64Array;
  /** The slope of the lower line through 0, to begin with. */
  readonly start: Float64Array;
  /** 1 where any slope from 0 to 1 is valid below. */
  readonly open: Float64Array;
  /** What roundings and noise cost, for each unit of a coefficient. */
  readonly room: Float64Array;
}

/** Roundings of a slope, a constant and their products, with a margin. */
const ROUNDING = 32 * 2 ** -53;

/** The lines of z or y. */
export function reluLines(
  bounds: ValueBounds,
  view: "z" | "y",
  size: number,
  unit: number,
  folded: FoldedOffset | undefined,
): ReluLines {
  const lower = bounds[`${view}Lower`], upper = bounds[`${view}Upper`];
  const count = lower.length;
  const lines = {
    slope: new Float64Array(count),
    constant: new Float64Array(count),
    start: new Float64Array(count),
    open: new Float64Array(count),
    room: new Float64Array(count),
  };
  for (let at = 0; at < count; at++) {
    const l = lower[at]!, u = upper[at]!;
    if (l >= 0) lines.slope[at] = lines.start[at] = 1;
    else if (u > 0) {
      lines.slope[at] = u / (u - l);
      lines.constant[at] = -lines.slope[at]! * l;
      lines.start[at] = u > -l ? 1 : 0;
      lines.open[at] = 1;
    }
    const most = Math.max(-l, u, 0);
    const offset = folded === undefined ? 0 : Math.abs(folded[view][at % size]!);
    const noise = folded === undefined ? 0 : folded.noise[view][at]!;
    const dead = lines.slope[at] === 0;
    lines.room[at] = dead
      ? 0
      : (ROUNDING + 2 * unit) * (lines.constant[at]! + 2 * most + offset) + 1.001 * noise;
  }
  return lines;
}
