/**
 * Planes over and under g(z, e) = relu(z) − relu(z − e): how far two rectified values can be apart.
 *
 * Every plane holds wherever z, y = z − e and e are within their bounds, whatever the signs. Those that hold are many:
 * facets are the best of them, and simple ones are there where bounds leave no area.
 *
 * @module
 */

import { middleFacet, MOST_FACETS, upperFacets } from "./facets.ts";

/** p·z + q·e + c. */
export interface Plane {
  p: number;
  q: number;
  c: number;
}

const plane = (p: number, q: number, c: number): Plane => ({ p, q, c });

/**
 * The planes over g that are known for these bounds.
 *
 * - g ≤ relu(e), under the chord of relu between the bounds of e;
 * - g ≤ relu(min(z, eᵤ)), under a chord in z;
 * - g = e + relu(−z) − relu(−y) ≤ e + relu(min(−z, −eₗ)), under a chord in z;
 * - the chord of relu(z) minus a line under relu(y).
 */
export function upperPlanes(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
): Plane[] {
  const planes: Plane[] = [];
  if (eUpper <= 0) planes.push(plane(0, 0, 0));
  else if (eLower >= 0) planes.push(plane(0, 1, 0));
  else {
    const k = eUpper / (eUpper - eLower);
    planes.push(plane(0, k, -k * eLower));
  }
  const m = Math.min(zUpper, eUpper);
  if (m <= 0) planes.push(plane(0, 0, 0));
  else if (zLower >= 0) planes.push(plane(1, 0, 0));
  else {
    const k = m / (m - zLower);
    planes.push(plane(k, 0, -k * zLower));
  }
  const n = Math.min(-zLower, -eLower);
  if (n <= 0) planes.push(plane(0, 1, 0));
  else if (zUpper <= 0) planes.push(plane(-1, 1, 0));
  else {
    const k = n / (n + zUpper);
    planes.push(plane(-k, 1, k * zUpper));
  }
  const alpha = yLower >= 0 ? 1 : yUpper <= 0 ? 0 : yLower + yUpper > 0 ? 1 : 0;
  if (zLower >= 0) planes.push(plane(1 - alpha, alpha, 0));
  else if (zUpper <= 0) planes.push(plane(-alpha, alpha, 0));
  else {
    const k = zUpper / (zUpper - zLower);
    planes.push(plane(k - alpha, alpha, -k * zLower));
  }
  return planes;
}

/**
 * The plane over g that is least at the middle of the box.
 *
 * @param out Where it goes.
 */
export function middlePlane(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
  out: Plane,
): void {
  const isKnown = (zLower >= 0 || zUpper <= 0) && (yLower >= 0 || yUpper <= 0);
  if (isKnown) {
    const [onZ, onY] = [zUpper > 0 ? 1 : 0, yUpper > 0 ? 1 : 0];
    out.p = onZ - onY;
    out.q = onY;
    out.c = 0;
    return;
  }
  if (middleFacet(zLower, zUpper, yLower, yUpper, eLower, eUpper, out)) return;
  const [z, e] = [(zLower + zUpper) / 2, (eLower + eUpper) / 2];
  // Where nothing is finite, nothing is known.
  out.p = out.q = 0;
  let least = out.c = Infinity;
  for (const { p, q, c } of upperPlanes(zLower, zUpper, yLower, yUpper, eLower, eUpper)) {
    const value = p * z + q * e + c;
    if (value >= least) continue;
    least = value;
    out.p = p;
    out.q = q;
    out.c = c;
  }
}

/**
 * The one of {@linkcode upperPlanes} that is least at the middle of the box: a little looser than a facet, and much faster.
 *
 * @param out Where it goes.
 */
export function simplePlane(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
  out: Plane,
): void {
  const z = (zLower + zUpper) / 2, e = (eLower + eUpper) / 2, y = (yLower + yUpper) / 2;
  let p = 0, q = 0, c = 0;
  if (eLower >= 0 && eUpper > 0) q = 1;
  else if (eUpper > 0) {
    q = eUpper / (eUpper - eLower);
    c = -q * eLower;
  }
  let least = q * e + c;
  const m = Math.min(zUpper, eUpper);
  const up = m <= 0 ? 0 : zLower >= 0 ? 1 : m / (m - zLower);
  const ofZ = zLower >= 0 ? 0 : -up * zLower;
  if (up * z + ofZ < least) p = up, q = 0, c = ofZ, least = up * z + ofZ;
  const n = Math.min(-zLower, -eLower);
  const down = n <= 0 ? 0 : zUpper <= 0 ? 1 : n / (n + zUpper);
  const ofE = zUpper <= 0 ? 0 : down * zUpper;
  if (e - down * z + ofE < least) p = -down, q = 1, c = ofE, least = e - down * z + ofE;
  const line = zLower >= 0 ? 1 : zUpper <= 0 ? 0 : zUpper / (zUpper - zLower);
  const constant = zLower >= 0 || zUpper <= 0 ? 0 : -line * zLower;
  const slope = yLower >= 0 ? 1 : yUpper <= 0 ? 0 : y > 0 ? 1 : 0;
  if ((line - slope) * z + slope * e + constant < least) p = line - slope, q = slope, c = constant;
  out.p = p;
  out.q = q;
  out.c = c;
}

/** How many planes {@linkcode planesOver} gives at most. */
export const MOST_PLANES = MOST_FACETS;

/**
 * The facets over g, or the planes that hold without them where bounds leave no area.
 *
 * @param out [{@linkcode MOST_PLANES} × 3]: p, q and c of each.
 * @returns How many there are.
 */
export function planesOver(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
  out: Float64Array,
): number {
  const count = upperFacets(zLower, zUpper, yLower, yUpper, eLower, eUpper, out);
  if (count > 0) return count;
  const others = upperPlanes(zLower, zUpper, yLower, yUpper, eLower, eUpper);
  others.forEach(({ p, q, c }, at) => out.set([p, q, c], 3 * at));
  return others.length;
}

/** The planes under g: those over the same function with the networks swapped, g(z, e) = −g(y, −e). */
export function lowerPlanes(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
): Plane[] {
  return upperPlanes(yLower, yUpper, zLower, zUpper, -eUpper, -eLower)
    .map(({ p, q, c }) => plane(-p, p + q, -c));
}
