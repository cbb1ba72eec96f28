/**
 * The facets over and under g(z, e) = relu(z) − relu(z − e): the best planes there are.
 *
 * What bounds of z, y = z − e and e leave is a polygon of at most six sides. Over it, g is linear between the lines z = 0
 * and y = 0, and convex where y stays the same, so that the least concave function over g is that of the polygon's corners
 * and of the two points where y = 0 enters and leaves it. Its facets are triangles between these points.
 *
 * Slopes come out of floating-point arithmetic; the constant is what they need at the corners, so every plane holds up to
 * the rounding of that constant and of the corners.
 *
 * @module
 */

import type { Plane } from "./planes.ts";

/** Corners of the polygon and where y is 0. */
const MOST_CORNERS = 8;

/** As many triangles as a polygon of that many corners has. */
export const MOST_FACETS = MOST_CORNERS - 2;

/** Corners that are nearer to each other, or to a line, than this share of the polygon make no triangle of their own. */
const FLAT = 1e-9;

/** No slope of g is larger than 1; where a facet's is, a range is so narrow that only roundings make it steep. */
const STEEPEST = 2;

const numbers = () => new Float64Array(MOST_CORNERS);

/** z, e and g of all corners, which constants are made of. */
const [Z, E, G] = [numbers(), numbers(), numbers()];
let made = 0;

/** Those that are apart, in the order of the boundary: z and e from −1 to 1, and g. */
const [X, T, H] = [numbers(), numbers(), numbers()];
let corners = 0;
let [zMiddle, zHalf, eMiddle, eHalf] = [0, 0, 0, 0];
/** The slopes of the last triangle. */
let [p, q] = [0, 0];

/**
 * Writes the facets over g.
 *
 * @param out [{@linkcode MOST_FACETS} × 3]: p, q and c of each.
 * @returns How many there are; 0 where the polygon has no area to speak of.
 */
export function upperFacets(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
  out: Float64Array,
): number {
  if (!findCorners(zLower, zUpper, yLower, yUpper, eLower, eUpper)) return 0;
  return addFacets(0, corners - 1, out, 0);
}

/**
 * Finds the facet over g that is above the middle of the box of z and e.
 *
 * @returns Whether the polygon has an area to speak of; otherwise nothing is written.
 */
export function middleFacet(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
  out: Plane,
): boolean {
  if (!findCorners(zLower, zUpper, yLower, yUpper, eLower, eUpper)) return false;
  let from = 0, to = corners - 1;
  let isFound = false;
  for (;;) {
    const third = thirdCorner(from, to);
    if (third < 0) break;
    isFound = true;
    // The middle is at 0: on the inner side of both new edges, or behind one of them.
    if (X[from]! * T[third]! > X[third]! * T[from]!) to = third;
    else if (X[third]! * T[to]! > X[to]! * T[third]!) from = third;
    else break;
  }
  if (!isFound || isSteep()) return false;
  out.p = p;
  out.q = q;
  out.c = constantFor();
  return true;
}

/** The triangles between two corners and those between them. */
function addFacets(from: number, to: number, out: Float64Array, count: number): number {
  const third = thirdCorner(from, to);
  if (third < 0) return count;
  if (!isSteep()) {
    out[3 * count] = p;
    out[3 * count + 1] = q;
    out[3 * count++ + 2] = constantFor();
  }
  return addFacets(third, to, out, addFacets(from, third, out, count));
}

/** The corner between two others that makes the steepest plane with them; −1 where none is beside their line. */
function thirdCorner(from: number, to: number): number {
  const x = X[to]! - X[from]!, t = T[to]! - T[from]!, g = H[to]! - H[from]!;
  const square = x * x + t * t;
  let best = -1, most = -Infinity;
  for (let at = from + 1; at < to; at++) {
    const dx = X[at]! - X[from]!, dt = T[at]! - T[from]!;
    const beside = x * dt - t * dx;
    if (!(beside > FLAT)) continue;
    const rise = H[at]! - H[from]! - g * (dx * x + dt * t) / square;
    if (rise > most * beside) {
      most = rise / beside;
      best = at;
    }
  }
  if (best < 0) return -1;
  // By the edge: g / |edge| along it, and most · |edge| across it.
  p = (g * x / square - most * t) / zHalf;
  q = (g * t / square + most * x) / eHalf;
  return best;
}

function isSteep(): boolean {
  return !(Math.abs(p) <= STEEPEST && Math.abs(q) <= STEEPEST);
}

/** What the slopes need at the corners, also at those that are hardly apart. */
function constantFor(): number {
  let most = -Infinity;
  for (let at = 0; at < made; at++) {
    const c = G[at]! - p * Z[at]! - q * E[at]!;
    if (c > most) most = c;
  }
  return most;
}

/** Finds the corners, in the order in which they go round; says whether there is an area between them. */
function findCorners(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
): boolean {
  // As near as all bounds together leave them.
  const el = Math.max(eLower, zLower - yUpper), eu = Math.min(eUpper, zUpper - yLower);
  const zl = Math.max(zLower, yLower + eLower), zu = Math.min(zUpper, yUpper + eUpper);
  const yl = Math.max(yLower, zLower - eUpper), yu = Math.min(yUpper, zUpper - eLower);
  zMiddle = (zLower + zUpper) / 2;
  eMiddle = (eLower + eUpper) / 2;
  zHalf = (zu - zl) / 2;
  eHalf = (eu - el) / 2;
  if (!(zHalf > 0 && eHalf > 0 && zHalf < Infinity && eHalf < Infinity && yl < yu)) return false;
  made = corners = 0;
  const isOpen = yl < 0 && yu > 0;
  // From (yl + eu, eu) along e = eu and z = zu to y = yu, and back along e = el and z = zl to y = yl.
  add(yl + eu, eu, yl);
  if (isOpen && zu - eu > 0) add(eu, eu, 0);
  add(zu, eu, zu - eu);
  if (isOpen && zu - eu <= 0) add(zu, zu, 0);
  add(zu, zu - yu, yu);
  add(yu + el, el, yu);
  if (isOpen && zl - el <= 0) add(el, el, 0);
  add(zl, el, zl - el);
  if (isOpen && zl - el > 0) add(zl, zl, 0);
  add(zl, zl - yl, yl);
  if (corners > 1 && isSame(X[0]!, T[0]!)) corners--;
  return corners > 2;
}

function add(z: number, e: number, y: number): void {
  const g = z >= 0 ? y >= 0 ? e : z : y >= 0 ? -y : 0;
  Z[made] = z;
  E[made] = e;
  G[made++] = g;
  const x = (z - zMiddle) / zHalf, t = (e - eMiddle) / eHalf;
  if (corners > 0 && isSame(x, t)) return;
  X[corners] = x;
  T[corners] = t;
  H[corners++] = g;
}

/** Whether a place is that of the last corner. */
function isSame(x: number, t: number): boolean {
  return Math.abs(x - X[corners - 1]!) < FLAT && Math.abs(t - T[corners - 1]!) < FLAT;
}
