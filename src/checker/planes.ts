/**
 * Planes over and under g(z, e) = relu(z) − relu(z − e).
 *
 * Any slopes do: the intercept that makes a plane valid follows from the corners of the region that z, y = z − e and e are
 * in. g is linear between the lines z = 0 and y = 0, so its largest distance to a plane is at a corner of one of the
 * pieces, where two of the lines z ∈ {l, 0, u}, y ∈ {l′, 0, u′}, e ∈ {eₗ, eᵤ} meet.
 *
 * @module
 */

import { facetSlopes, type Slopes } from "./facet.ts";

/** What z, y and e are between. */
export interface Region {
  zLower: number;
  zUpper: number;
  yLower: number;
  yUpper: number;
  eLower: number;
  eUpper: number;
}

const Z = new Float64Array(3);
const Y = new Float64Array(3);

/**
 * The least c with g ≤ p·z + q·e + c on the region, rounded upward; for `sign` −1, with −g ≤ p·z + q·e + c.
 */
export function intercept(region: Region, p: number, q: number, sign: 1 | -1): number {
  const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = region;
  const zSize = Math.max(-zLower, zUpper, 0);
  const ySize = Math.max(-yLower, yUpper, 0);
  const eSize = Math.max(-eLower, eUpper, 0);
  // Corners are found up to rounding: those a little outside take part as well, which can only raise the plane.
  const slack = (zSize + ySize + eSize) * 2 ** -48;
  let most = -Infinity;
  const visit = (z: number, y: number, e: number) => {
    if (z < zLower - slack || z > zUpper + slack) return;
    if (y < yLower - slack || y > yUpper + slack) return;
    if (e < eLower - slack || e > eUpper + slack) return;
    const g = Math.max(z, 0) - Math.max(y, 0);
    const distance = sign * g - p * z - q * e;
    if (distance > most) most = distance;
  };
  let zs = 2, ys = 2;
  Z[0] = zLower;
  Z[1] = zUpper;
  if (zLower < 0 && zUpper > 0) Z[zs++] = 0;
  Y[0] = yLower;
  Y[1] = yUpper;
  if (yLower < 0 && yUpper > 0) Y[ys++] = 0;
  for (let i = 0; i < zs; i++) {
    const z = Z[i]!;
    for (let j = 0; j < ys; j++) visit(z, Y[j]!, z - Y[j]!);
    visit(z, z - eLower, eLower);
    visit(z, z - eUpper, eUpper);
  }
  for (let j = 0; j < ys; j++) {
    visit(Y[j]! + eLower, Y[j]!, eLower);
    visit(Y[j]! + eUpper, Y[j]!, eUpper);
  }
  if (most === -Infinity) return Infinity;
  const magnitude = zSize + ySize + Math.abs(p) * zSize + Math.abs(q) * eSize + 2 * slack;
  return most + magnitude * 2 ** -47 + Number.MIN_VALUE;
}

/**
 * Slopes of a plane over g (or, for `sign` −1, over −g): those of the facet in the middle, or where there is none, of the
 * planes that are known to touch g those of the one that is least in the middle. Nothing depends on them but how tight the
 * bound is.
 */
export function chooseSlopes(region: Region, sign: 1 | -1): Slopes {
  // −g is g of the networks swapped: z and y change places, and e its sign.
  const { zLower: l, zUpper: u, yLower: m, yUpper: n, eLower: a, eUpper: b } = sign > 0 ? region : {
    zLower: region.yLower,
    zUpper: region.yUpper,
    yLower: region.zLower,
    yUpper: region.zUpper,
    eLower: -region.eUpper,
    eUpper: -region.eLower,
  };
  // p·z_s + q·e_s with z_s = y = z − e and e_s = −e.
  const oriented = ({ p, q }: Slopes) => sign > 0 ? { p, q } : { p, q: -p - q };
  const facet = facetSlopes(l, u, m, n, a, b);
  if (facet !== undefined) return oriented(facet);
  const [z, e] = [(l + u) / 2, (a + b) / 2];
  let [p, q, least] = [0, 0, Infinity];
  const offer = (slopeZ: number, slopeE: number, constant: number) => {
    const value = slopeZ * z + slopeE * e + constant;
    if (value < least) [p, q, least] = [slopeZ, slopeE, value];
  };
  // g ≤ relu(e).
  if (b <= 0) offer(0, 0, 0);
  else if (a >= 0) offer(0, 1, 0);
  else offer(0, b / (b - a), -a * b / (b - a));
  // g ≤ relu(min(z, b)).
  const top = Math.min(u, b);
  if (top <= 0) offer(0, 0, 0);
  else if (l >= 0) offer(1, 0, 0);
  else offer(top / (top - l), 0, -l * top / (top - l));
  // g ≤ e + relu(min(−z, −a)).
  const low = Math.min(-l, -a);
  if (low <= 0) offer(0, 1, 0);
  else if (u <= 0) offer(-1, 1, 0);
  else offer(-low / (low + u), 1, u * low / (low + u));
  // A line over relu(z) minus a line under relu(y).
  const alpha = m >= 0 || (n > 0 && m + n > 0) ? 1 : 0;
  if (l >= 0) offer(1 - alpha, alpha, 0);
  else if (u <= 0) offer(-alpha, alpha, 0);
  else offer(u / (u - l) - alpha, alpha, -l * u / (u - l));
  return oriented({ p, q });
}
