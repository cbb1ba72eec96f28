/**
 * Lines and planes at Sigmoid and Tanh.
 *
 * @module
 */

import { COMPUTED, type CurveLines, curveLines, CURVES, slopesOn, valueOf } from "./curve.ts";
import type { PairedCurve } from "./pair.ts";
import type { Relaxation } from "./relaxation.ts";
import type { ValueState } from "./value_state.ts";

/** Roundings of a plane's slopes and constants, relative to what they are made of. */
const ROUNDINGS = 2 ** -46;

/**
 * Lines and planes for values with these bounds, and the bounds of what is made.
 *
 * g = h(z) − h(z − e) is between m·e and M·e, where m and M are the least and the greatest slope on all that z and y can be
 * (mean value theorem); these two rays have planes over e. The lines of a and b make other planes. The ones that are
 * nearer in the middle are taken.
 *
 * @param slack How far the networks' own values may be from the function.
 */
export function relaxCurve(
  { size, function: name }: PairedCurve,
  slack: number,
  state: ValueState,
  to: ValueState,
  out: Relaxation,
): void {
  const curve = CURVES[name];
  const make = (): CurveLines => ({
    upperSlope: 0,
    upperConstant: 0,
    lowerSlope: 0,
    lowerConstant: 0,
  });
  const [a, b] = [make(), make()];
  const room = slack + COMPUTED;
  for (let at = 0; at < size; at++) {
    const [zl, zu] = [state.zLower[at]!, state.zUpper[at]!];
    const [yl, yu] = [state.yLower[at]!, state.yUpper[at]!];
    const [el, eu] = [state.eLower[at]!, state.eUpper[at]!];
    curveLines(curve, zl, zu, a);
    curveLines(curve, yl, yu, b);
    out.kind[at] = 2;
    out.aLower[at] = a.lowerSlope;
    out.aUpper[at] = a.upperSlope;
    out.aLowerConstant[at] = a.lowerConstant - slack;
    out.aUpperConstant[at] = a.upperConstant + slack;
    out.bLower[at] = b.lowerSlope;
    out.bUpper[at] = b.upperSlope;
    out.bLowerConstant[at] = b.lowerConstant - slack;
    out.bUpperConstant[at] = b.upperConstant + slack;

    // Rays through 0, steeper on one side of it.
    const [least, most] = slopesOn(curve, Math.min(zl, yl), Math.max(zu, yu));
    const sizes = state.zSize[at]! + state.ySize[at]! + state.eSize[at]! + 2;
    const more = ROUNDINGS * sizes + 2 * slack;
    const chord = rays(most, least, el, eu);
    const flat = -rays(-least, -most, el, eu);
    const above = Math.max(ray(most, least, el) - chord * el, ray(most, least, eu) - chord * eu) +
      more;
    const below = Math.min(ray(least, most, el) - flat * el, ray(least, most, eu) - flat * eu) -
      more;
    const [z, e] = [(zl + zu) / 2, (el + eu) / 2];
    const p = a.upperSlope - b.lowerSlope;
    const c = a.upperConstant - b.lowerConstant + more;
    const isOver = p * z + b.lowerSlope * e + c < chord * e + above;
    out.gUpperZ[at] = isOver ? p : 0;
    out.gUpperE[at] = isOver ? b.lowerSlope : chord;
    out.gUpperConstant[at] = isOver ? c : above;
    const r = a.lowerSlope - b.upperSlope;
    const d = a.lowerConstant - b.upperConstant - more;
    const isUnder = r * z + b.upperSlope * e + d > flat * e + below;
    out.gLowerZ[at] = isUnder ? r : 0;
    out.gLowerE[at] = isUnder ? b.upperSlope : flat;
    out.gLowerConstant[at] = isUnder ? d : below;

    to.zLower[at] = valueOf(curve, zl) - room;
    to.zUpper[at] = valueOf(curve, zu) + room;
    to.yLower[at] = valueOf(curve, yl) - room;
    to.yUpper[at] = valueOf(curve, yu) + room;
    to.eLower[at] = ray(least, most, el) - more;
    to.eUpper[at] = ray(most, least, eu) + more;
  }
  out.measure(state);
  to.close();
  to.measure();
}

/** right·e above 0 and left·e below it. */
function ray(right: number, left: number, e: number): number {
  return e > 0 ? right * e : left * e;
}

/** The slope of the chord over two rays that bend upward. */
function rays(right: number, left: number, lower: number, upper: number): number {
  if (!(lower < upper)) return upper > 0 ? right : left;
  return (ray(right, left, upper) - ray(right, left, lower)) / (upper - lower);
}
