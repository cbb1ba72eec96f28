/**
 * Relaxations of rounding to a grid, R(v) = s·(clip(round(v/s) + z, qmin, qmax) − z), on one side or on both.
 *
 * @module
 */

import { roundHalfEven } from "../../quant/grid.ts";
import type { Pair, Quantizer } from "../network/network.ts";
import { down, up, type ValueBounds } from "./batch.ts";
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

/** The identity between two bounds. */
function identityLines(lower: number, upper: number, out: Lines): void {
  out.upperSlope = out.lowerSlope = 1;
  out.upperConstant = out.lowerConstant = 0;
  out.least = lower;
  out.greatest = upper;
}

/**
 * Lines around R between two bounds: those that are best at the middle of
 *
 * - the constants R(l) and R(u), which are all there is where both are the same;
 * - v ± s/2, further out by what a grid's ends cut off;
 * - the lines from a corner of the staircase next to l or u.
 *
 * @param slack Relative error of the division and the product, where the networks' arithmetic counts.
 */
export function roundingLines(
  { scale, zeroPoint, qmin, qmax }: Quantizer,
  element: number,
  lower: number,
  upper: number,
  slack: number,
  out: Lines,
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
  // Constants.
  out.upperSlope = out.lowerSlope = 0;
  out.upperConstant = out.greatest;
  out.lowerConstant = out.least;
  if (low === high) return;
  const middle = (lower + upper) / 2;
  const room = relative * (Math.max(Math.abs(lower), Math.abs(upper)) + s);
  let above = out.greatest, below = out.least;
  // Slope 1.
  const overUp = s / 2 + Math.max(first * s - lower, 0) + 2 * room;
  const overDown = s / 2 + Math.max(upper - last * s, 0) + 2 * room;
  if (middle + overUp <= above) {
    above = middle + overUp;
    out.upperSlope = 1;
    out.upperConstant = overUp;
  }
  if (middle - overDown >= below) {
    below = middle - overDown;
    out.lowerSlope = 1;
    out.lowerConstant = -overDown;
  }
  // Corners: R rises above low·s at (low + ½)·s at the earliest, and reaches high·s at (high − ½)·s at the latest.
  const rise = (low + 0.5) * s - room - lower;
  if (rise >= s / 4) {
    const slope = Math.max((s + 2 * room) / rise, 1);
    const constant = out.least + 2 * room - slope * lower + 4 * Math.abs(slope * lower) * 2 ** -52;
    if (slope * middle + constant < above) {
      out.upperSlope = slope;
      out.upperConstant = constant;
    }
  }
  const fall = upper - ((high - 0.5) * s + room);
  if (fall >= s / 4) {
    const slope = Math.max((s + 2 * room) / fall, 1);
    const constant = out.greatest - 2 * room - slope * upper -
      4 * Math.abs(slope * upper) * 2 ** -52;
    if (slope * middle + constant > below) {
      out.lowerSlope = slope;
      out.lowerConstant = constant;
    }
  }
}

const ROUNDING = 32 * 2 ** -53;

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
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  const count = zLower.length;
  const made: ValueBounds = {
    zLower: new Float64Array(count),
    zUpper: new Float64Array(count),
    yLower: new Float64Array(count),
    yUpper: new Float64Array(count),
    eLower: new Float64Array(count),
    eUpper: new Float64Array(count),
  };
  const a: Lines = newLines(), b: Lines = newLines();
  const { original, quantized } = quantizer;
  for (let at = 0; at < count; at++) {
    const element = at % size;
    const zl = zLower[at]!, zu = zUpper[at]!, yl = yLower[at]!, yu = yUpper[at]!;
    const el = eLower[at]!, eu = eUpper[at]!;
    if (original === undefined) identityLines(zl, zu, a);
    else roundingLines(original, element, zl, zu, slack, a);
    if (quantized === undefined) identityLines(yl, yu, b);
    else roundingLines(quantized, element, yl, yu, slack, b);
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
    const up1 = a.upperSlope - b.lowerSlope,
      uq = b.lowerSlope,
      uc = a.upperConstant - b.lowerConstant;
    const lp = a.lowerSlope - b.upperSlope,
      lq = b.upperSlope,
      lc = a.lowerConstant - b.upperConstant;
    const room = (ROUNDING + unit) * (aSizes + bSizes + (Math.abs(uq) + Math.abs(lq)) * em);
    out.gSlopeZ[at] = (up1 + lp) / 2;
    out.gSlopeZHalf[at] = (up1 - lp) / 2;
    out.gSlopeE[at] = (uq + lq) / 2;
    out.gSlopeEHalf[at] = (uq - lq) / 2;
    out.gConstant[at] = (uc + lc) / 2;
    out.gConstantHalf[at] = (uc - lc) / 2 + room;
    out.gValue[at] = ((up1 + lp) * zc + (uq + lq) * ec + uc + lc) / 2;
    out.gValueHalf[at] = ((up1 - lp) * zc + (uq - lq) * ec + uc - lc) / 2;

    made.zLower[at] = a.least;
    made.zUpper[at] = a.greatest;
    made.yLower[at] = b.least;
    made.yUpper[at] = b.greatest;
    const ends = (p: number, q: number, c: number, most: boolean) =>
      c + (p > 0 === most ? p * zu : p * zl) + (q > 0 === most ? q * eu : q * el);
    made.eUpper[at] = Math.min(up(a.greatest - b.least), up(ends(up1, uq, uc + room, true)));
    made.eLower[at] = Math.max(down(a.least - b.greatest), down(ends(lp, lq, lc - room, false)));
  }
  return made;
}

function newLines(): Lines {
  return {
    upperSlope: 0,
    upperConstant: 0,
    lowerSlope: 0,
    lowerConstant: 0,
    least: 0,
    greatest: 0,
  };
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
