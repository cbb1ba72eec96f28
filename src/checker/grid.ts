/**
 * Lines over and under rounding to a grid.
 *
 * R(v) is the level q·s nearest to v with first ≤ q ≤ last. It is a staircase that rises from level q to q + 1 at
 * v = (q + ½)·s. So for a slope k ≥ 0, R(v) − k·v is largest right behind a rise, or at the lower end of the interval;
 * between the first rise and the last one it changes linearly. Three places give the intercept of a line over R, and three
 * others that of a line under it. Any slope is valid with its intercept.
 *
 * @module
 */

/** A line over and one under R, and what R is between. */
export interface GridLines {
  upperSlope: number;
  upperConstant: number;
  lowerSlope: number;
  lowerConstant: number;
  least: number;
  most: number;
}

/** More than the roundings of what is computed here, of levels and of rises. */
const ROUNDINGS = 2 ** -47;

/** No line is steeper than this. */
export const STEEPEST = 2;

/**
 * The lines for one element on an interval, those that are best at its middle of the slopes 0, 1, that of the chord, and
 * that to the first rise, or from the last, unless it is steeper than {@linkcode STEEPEST}.
 *
 * @param slack How much the runtime may be off, relative, where it divides by the scale and multiplies with it.
 */
export function gridLines(
  scale: number,
  first: number,
  last: number,
  lower: number,
  upper: number,
  slack: number,
  out: GridLines,
): void {
  const relative = slack + ROUNDINGS;
  // Either level of a tie, and what slack makes of the ends.
  const level = (value: number, way: 1 | -1) => {
    const exact = value / scale;
    const moved = exact + way * Math.abs(exact) * relative;
    const rounded = way > 0 ? Math.floor(moved + 0.5) : Math.ceil(moved - 0.5);
    return Math.min(Math.max(rounded, first), last);
  };
  const [low, high] = [level(lower, -1), level(upper, 1)];
  const [least, most] = [low * scale, high * scale];
  const room = relative * Math.max(Math.abs(least), Math.abs(most));
  out.least = least - room;
  out.most = most + room;
  out.upperSlope = out.lowerSlope = 0;
  out.upperConstant = out.most;
  out.lowerConstant = out.least;
  if (low === high) return;
  const size = Math.max(Math.abs(lower), Math.abs(upper)) + Math.abs(least) + Math.abs(most) +
    scale;
  if (!(size < Infinity)) return;
  const firstRise = (low + 0.5) * scale;
  const lastRise = (high - 0.5) * scale;
  const middle = lower + (upper - lower) / 2;
  // Where the grid ends inside of the interval, R rises less than v.
  const chord = (most - least) / (upper - lower);

  const atLower = level(lower, 1) * scale;
  const over = (slope: number) => {
    const constant = Math.max(
      atLower - slope * lower,
      least + scale - slope * Math.max(firstRise, lower),
      most - slope * Math.max(lastRise, lower),
    ) + relative * (1 + slope) * size;
    if (slope * middle + constant >= out.upperSlope * middle + out.upperConstant) return;
    out.upperSlope = slope;
    out.upperConstant = constant;
  };
  over(1);
  if (chord < 1) over(chord);
  if (STEEPEST * (firstRise - lower) > scale) over(scale / (firstRise - lower));

  const atUpper = level(upper, -1) * scale;
  const under = (slope: number) => {
    const constant = Math.min(
      atUpper - slope * upper,
      most - scale - slope * Math.min(lastRise, upper),
      least - slope * Math.min(firstRise, upper),
    ) - relative * (1 + slope) * size;
    if (slope * middle + constant <= out.lowerSlope * middle + out.lowerConstant) return;
    out.lowerSlope = slope;
    out.lowerConstant = constant;
  };
  under(1);
  if (chord < 1) under(chord);
  if (STEEPEST * (upper - lastRise) > scale) under(scale / (upper - lastRise));
}
