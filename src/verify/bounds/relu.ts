/**
 * Relaxations of Relu in both networks and of the difference, as the backward passes read them.
 *
 * A sum c·x of a relaxed value x is at least c·middle − |c|·half, whatever the sign of c: so each pair of a lower and an
 * upper line, or plane, is held as its middle and its half difference.
 *
 * @module
 */

import { middlePlane, type Plane, simplePlane } from "./planes.ts";
import { down as roundDown, type Noise, up as roundUp, type ValueBounds } from "./batch.ts";

/** The fields of a relaxation, each [boxes × size]. */
export const RELAXATION_FIELDS = [
  // a = relu(z): slope, intercept, value at the middle of the box.
  "aSlope",
  "aSlopeHalf",
  "aConstant",
  "aConstantHalf",
  "aValue",
  "aValueHalf",
  // b = relu(y).
  "bSlope",
  "bSlopeHalf",
  "bConstant",
  "bConstantHalf",
  "bValue",
  "bValueHalf",
  // g = a − b: slopes in z and e.
  "gSlopeZ",
  "gSlopeZHalf",
  "gSlopeE",
  "gSlopeEHalf",
  "gConstant",
  "gConstantHalf",
  "gValue",
  "gValueHalf",
] as const;

/** Relaxations of one Relu step on a batch of boxes. */
export type Relaxation = Readonly<Record<typeof RELAXATION_FIELDS[number], Float64Array>>;

/** What a relaxation takes from the affine step in front of the Relu, which leaves no constant behind then. */
export interface FoldedOffset {
  /** The offset of the original network, one an element. */
  readonly z: Float64Array;
  /** Of the quantized network. */
  readonly y: Float64Array;
  /** z − y. */
  readonly e: Float64Array;
  readonly noise: Noise;
}

/** An empty relaxation. */
export function newRelaxation(length: number): Relaxation {
  return Object.fromEntries(
    RELAXATION_FIELDS.map((field) => [field, new Float64Array(length)]),
  ) as Relaxation;
}

/** Roundings of a slope, a constant and their products, as a multiple of the unit, with a margin. */
const PLANE_ROUNDING = 32 * 2 ** -53;

const PLANE: Plane = { p: 0, q: 0, c: 0 };

/**
 * Relaxes Relu on every box.
 *
 * Bounds are widened by their own roundings and by `unit` times what the backward pass multiplies, so that a pass in
 * float64 proves what exact arithmetic would: coefficients are taken as they come out, and their residual against the
 * exact ones is charged to the constants.
 *
 * @param unit γ of the longest sum of the pass.
 * @param folded The affine step in front, where nothing but this Relu reads it.
 * @param out To be filled in; made of zeros.
 * @param count How many there are.
 * @param planes What bounds g: facets, or planes that are a little looser and made much faster.
 */
export function relaxRelu(
  bounds: ValueBounds,
  size: number,
  unit: number,
  folded: FoldedOffset | undefined,
  out: Relaxation,
  count = bounds.zLower.length,
  planes: "facets" | "simple" = "facets",
): void {
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  const makePlane = planes === "facets" ? middlePlane : simplePlane;
  for (let at = 0; at < count; at++) {
    const zl = zLower[at]!, zu = zUpper[at]!;
    const yl = yLower[at]!, yu = yUpper[at]!;
    // Off in both networks: a relaxation is made of zeros.
    if (zu <= 0 && yu <= 0) continue;
    const el = eLower[at]!, eu = eUpper[at]!;
    const zc = (zl + zu) / 2, yc = (yl + yu) / 2, ec = (el + eu) / 2;
    const zm = Math.max(-zl, zu, 0), ym = Math.max(-yl, yu, 0), em = Math.max(-el, eu, 0);
    const element = at % size;
    const zb = folded === undefined ? 0 : folded.z[element]!;
    const yb = folded === undefined ? 0 : folded.y[element]!;
    const eb = folded === undefined ? 0 : folded.e[element]!;
    const zn = folded === undefined ? 0 : folded.noise.z[at]!;
    const yn = folded === undefined ? 0 : folded.noise.y[at]!;
    const en = folded === undefined ? 0 : folded.noise.e[at]!;

    // a: the chord above; the line 0 or z below.
    let upper = 0, lower = 0, intercept = 0;
    if (zl >= 0) upper = lower = 1;
    else if (zu > 0) {
      upper = zu / (zu - zl);
      intercept = -upper * zl;
      lower = zu > -zl ? 1 : 0;
    }
    let slope = (upper + lower) / 2, half = (upper - lower) / 2;
    let constant = intercept / 2;
    let constantHalf = constant + PLANE_ROUNDING * (upper * zm + intercept);
    out.aSlope[at] = slope;
    out.aSlopeHalf[at] = half;
    out.aValue[at] = slope * zc + constant;
    out.aValueHalf[at] = half * zc + constant;
    // The line below can be the steeper one: half is negative then.
    let steepest = slope + Math.abs(half);
    let rest = unit * (constant + constantHalf + steepest * (zm + Math.abs(zb)));
    out.aConstant[at] = constant + slope * zb;
    out.aConstantHalf[at] = constantHalf + half * zb + steepest * zn + rest;

    // b, likewise; the joint pass writes y as z − e.
    upper = 0, lower = 0, intercept = 0;
    if (yl >= 0) upper = lower = 1;
    else if (yu > 0) {
      upper = yu / (yu - yl);
      intercept = -upper * yl;
      lower = yu > -yl ? 1 : 0;
    }
    slope = (upper + lower) / 2;
    half = (upper - lower) / 2;
    constant = intercept / 2;
    constantHalf = constant + PLANE_ROUNDING * (upper * ym + intercept);
    out.bSlope[at] = slope;
    out.bSlopeHalf[at] = half;
    out.bValue[at] = slope * yc + constant;
    out.bValueHalf[at] = half * yc + constant;
    steepest = slope + Math.abs(half);
    rest = unit * (constant + constantHalf + steepest * (ym + zm + em + Math.abs(yb)));
    out.bConstant[at] = constant + slope * yb;
    out.bConstantHalf[at] = constantHalf + half * yb + steepest * Math.max(yn, zn + en) + rest;

    // g ≤ up·z + uq·e + uc, and g ≥ −(p1·y − q1·e + c1): a plane over the same function with the networks swapped.
    makePlane(zl, zu, yl, yu, el, eu, PLANE);
    const { p: up, q: uq, c: uc } = PLANE;
    makePlane(yl, yu, zl, zu, -eu, -el, PLANE);
    const { p: p1, q: q1, c: c1 } = PLANE;
    // Corners that facets rest on are off by roundings of all bounds.
    const isOpen = planes === "facets" &&
      (zl < 0 && zu > 0 || yl < 0 && yu > 0);
    const lp = -p1, lq = p1 + q1, lc = -c1;

    const sz = (up + lp) / 2, szHalf = (up - lp) / 2;
    const se = (uq + lq) / 2, seHalf = (uq - lq) / 2;
    const cm = (uc + lc) / 2;
    const sizes = (Math.abs(up) + Math.abs(lp)) * zm + (Math.abs(uq) + Math.abs(lq)) * em +
      Math.abs(uc) + Math.abs(lc) + Math.abs(p1) * (ym + em) + (isOpen ? zm + ym + em : 0);
    const ch = (uc - lc) / 2 + PLANE_ROUNDING * sizes;
    const absoluteZ = Math.abs(sz) + Math.abs(szHalf), absoluteE = Math.abs(se) + Math.abs(seHalf);
    out.gSlopeZ[at] = sz;
    out.gSlopeZHalf[at] = szHalf;
    out.gSlopeE[at] = se;
    out.gSlopeEHalf[at] = seHalf;
    out.gValue[at] = sz * zc + se * ec + cm;
    out.gValueHalf[at] = szHalf * zc + seHalf * ec + ch;
    out.gConstant[at] = cm + sz * zb + se * eb;
    out.gConstantHalf[at] = ch + szHalf * zb + seHalf * eb + absoluteZ * zn + absoluteE * en +
      unit * (sizes + Math.abs(cm) + Math.abs(ch) + absoluteZ * (zm + Math.abs(zb)) +
          absoluteE * (em + Math.abs(eb)));
  }
}

/** Intervals of a = relu(z), b = relu(y) and g = a − b; exact, so nothing is rounded but g's difference of bounds. */
export function reluBounds(bounds: ValueBounds): ValueBounds {
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = bounds;
  const rectified = (values: Float64Array) => {
    const made = new Float64Array(values.length);
    for (let at = 0; at < values.length; at++) if (!(values[at]! <= 0)) made[at] = values[at]!;
    return made;
  };
  const [aLower, aUpper] = [rectified(zLower), rectified(zUpper)];
  const [bLower, bUpper] = [rectified(yLower), rectified(yUpper)];
  const gLower = new Float64Array(zLower.length);
  const gUpper = new Float64Array(zLower.length);
  for (let at = 0; at < zLower.length; at++) {
    if (zLower[at]! >= 0 && yLower[at]! >= 0) {
      gLower[at] = eLower[at]!;
      gUpper[at] = eUpper[at]!;
    } else {
      gUpper[at] = Math.min(Math.max(eUpper[at]!, 0), roundUp(aUpper[at]! - bLower[at]!));
      gLower[at] = Math.max(Math.min(eLower[at]!, 0), roundDown(aLower[at]! - bUpper[at]!));
    }
  }
  return {
    zLower: aLower,
    zUpper: aUpper,
    yLower: bLower,
    yUpper: bUpper,
    eLower: gLower,
    eUpper: gUpper,
  };
}
