/**
 * Relaxations of an elementwise function that both networks have, from lines around it in each of them.
 *
 * @module
 */

import { down, up, type ValueBounds } from "./batch.ts";
import type { Plane } from "./planes.ts";
import type { Relaxation } from "./relu.ts";

/** A line above and a line below a function of one variable, and its ends. */
export interface Lines {
  upperSlope: number;
  upperConstant: number;
  lowerSlope: number;
  lowerConstant: number;
  /** The least and the greatest value. */
  least: number;
  greatest: number;
}

/** Planes around g(z, e) = f(z) − f′(z − e). */
export interface PlanePair {
  readonly upper: Plane;
  readonly lower: Plane;
}

/** Roundings of a slope, a constant and their products, with a margin. */
const ROUNDING = 32 * 2 ** -53;

/** Lines that are to be filled in. */
export function newLines(): Lines {
  return {
    upperSlope: 0,
    upperConstant: 0,
    lowerSlope: 0,
    lowerConstant: 0,
    least: 0,
    greatest: 0,
  };
}

/**
 * Writes the relaxation of one element of one box: a = f(z) and b = f′(y) between their lines, and g = a − b between the
 * lines of a and b, or between other planes where those are nearer at the middle.
 *
 * @param planes Others that hold.
 * @param out Where the relaxation goes.
 * @param made Where the intervals of a, b and g go.
 */
export function relaxByLines(
  { zLower, zUpper, yLower, yUpper, eLower, eUpper }: ValueBounds,
  at: number,
  a: Lines,
  b: Lines,
  planes: PlanePair | undefined,
  unit: number,
  out: Relaxation,
  made: ValueBounds,
): void {
  const zl = zLower[at]!, zu = zUpper[at]!, yl = yLower[at]!, yu = yUpper[at]!;
  const el = eLower[at]!, eu = eUpper[at]!;
  const zc = (zl + zu) / 2, yc = (yl + yu) / 2, ec = (el + eu) / 2;
  const zm = Math.max(-zl, zu, 0), ym = Math.max(-yl, yu, 0), em = Math.max(-el, eu, 0);

  const aSizes = (Math.abs(a.upperSlope) + Math.abs(a.lowerSlope)) * zm +
    Math.abs(a.upperConstant) + Math.abs(a.lowerConstant);
  const bSizes = (Math.abs(b.upperSlope) + Math.abs(b.lowerSlope)) * (ym + zm + em) +
    Math.abs(b.upperConstant) + Math.abs(b.lowerConstant);
  setLines(
    a,
    zc,
    (ROUNDING + unit) * aSizes,
    at,
    out.aSlope,
    out.aSlopeHalf,
    out.aConstant,
    out.aConstantHalf,
    out.aValue,
    out.aValueHalf,
  );
  setLines(
    b,
    yc,
    (ROUNDING + unit) * bSizes,
    at,
    out.bSlope,
    out.bSlopeHalf,
    out.bConstant,
    out.bConstantHalf,
    out.bValue,
    out.bValueHalf,
  );

  // g ≤ upper line of a − lower line of b, at y = z − e; and the other way round.
  let up1 = a.upperSlope - b.lowerSlope,
    uq = b.lowerSlope,
    uc = a.upperConstant - b.lowerConstant;
  let lp = a.lowerSlope - b.upperSlope,
    lq = b.upperSlope,
    lc = a.lowerConstant - b.upperConstant;
  let room = (ROUNDING + unit) * (aSizes + bSizes + (Math.abs(uq) + Math.abs(lq)) * em);
  made.zLower[at] = a.least;
  made.zUpper[at] = a.greatest;
  made.yLower[at] = b.least;
  made.yUpper[at] = b.greatest;
  const ends = (p: number, q: number, c: number, most: boolean) =>
    c + (p > 0 === most ? p * zu : p * zl) + (q > 0 === most ? q * eu : q * el);
  let [eUpperMade, eLowerMade] = [up(a.greatest - b.least), down(a.least - b.greatest)];
  // Where bounds are infinite, what is not a number is left out.
  const narrow = (most: number, least: number) => {
    if (most < eUpperMade) eUpperMade = most;
    if (least > eLowerMade) eLowerMade = least;
  };
  narrow(up(ends(up1, uq, uc + room, true)), down(ends(lp, lq, lc - room, false)));
  if (planes !== undefined) {
    const { upper, lower } = planes;
    room += (ROUNDING + unit) * (sizeOf(upper, zm, em) + sizeOf(lower, zm, em));
    narrow(
      up(ends(upper.p, upper.q, upper.c + room, true)),
      down(ends(lower.p, lower.q, lower.c - room, false)),
    );
    if (upper.p * zc + upper.q * ec + upper.c < up1 * zc + uq * ec + uc) {
      up1 = upper.p, uq = upper.q, uc = upper.c;
    }
    if (lower.p * zc + lower.q * ec + lower.c > lp * zc + lq * ec + lc) {
      lp = lower.p, lq = lower.q, lc = lower.c;
    }
  }
  made.eUpper[at] = eUpperMade;
  made.eLower[at] = eLowerMade;
  // A function of anything at all can be bounded, but not what a runtime makes of numbers that overflow.
  if (!(zm + ym < Infinity)) {
    made.zLower[at] = made.yLower[at] = made.eLower[at] = -Infinity;
    made.zUpper[at] = made.yUpper[at] = made.eUpper[at] = Infinity;
  }
  out.gSlopeZ[at] = (up1 + lp) / 2;
  out.gSlopeZHalf[at] = (up1 - lp) / 2;
  out.gSlopeE[at] = (uq + lq) / 2;
  out.gSlopeEHalf[at] = (uq - lq) / 2;
  out.gConstant[at] = (uc + lc) / 2;
  out.gConstantHalf[at] = (uc - lc) / 2 + room;
  out.gValue[at] = ((up1 + lp) * zc + (uq + lq) * ec + uc + lc) / 2;
  out.gValueHalf[at] = ((up1 - lp) * zc + (uq - lq) * ec + uc - lc) / 2;
}

function sizeOf({ p, q, c }: Plane, zm: number, em: number): number {
  return Math.abs(p) * zm + Math.abs(q) * em + Math.abs(c);
}

function setLines(
  { upperSlope, upperConstant, lowerSlope, lowerConstant }: Lines,
  middle: number,
  room: number,
  at: number,
  slope: Float64Array,
  slopeHalf: Float64Array,
  constant: Float64Array,
  constantHalf: Float64Array,
  value: Float64Array,
  valueHalf: Float64Array,
): void {
  const s = (upperSlope + lowerSlope) / 2, h = (upperSlope - lowerSlope) / 2;
  const c = (upperConstant + lowerConstant) / 2, d = (upperConstant - lowerConstant) / 2;
  slope[at] = s;
  slopeHalf[at] = h;
  constant[at] = c;
  constantHalf[at] = d + room;
  value[at] = s * middle + c;
  valueHalf[at] = h * middle + d;
}
