/**
 * The facet over g(z, e) = relu(z) − relu(z − e) that is above the middle of a region.
 *
 * Over the polygon that bounds of z, y = z − e and e leave, the least concave function over g rests on the polygon's corners
 * and on the two points of its boundary where y is 0. So its facets go through three of these points. Of all planes
 * through three of them, raised to where they are over all, the facet is the one that is least in the middle.
 *
 * @module
 */

/** Slopes of a plane. */
export interface Slopes {
  p: number;
  q: number;
}

/** z, e and g of the points, z and e from −1 to 1. */
const [X, T, G] = [new Float64Array(8), new Float64Array(8), new Float64Array(8)];

/** Points that are nearer to a line than this make no plane. */
const FLAT = 1e-7;

/** No slope may be larger than this. */
const STEEPEST = 2;

/**
 * Slopes of the facet, up to rounding; whoever uses them has to find the constant that they need.
 *
 * @param zLower Like the others, what all bounds together leave.
 * @returns `undefined` where bounds leave no area.
 */
export function facetSlopes(
  zLower: number,
  zUpper: number,
  yLower: number,
  yUpper: number,
  eLower: number,
  eUpper: number,
): Slopes | undefined {
  const [zHalf, eHalf] = [(zUpper - zLower) / 2, (eUpper - eLower) / 2];
  if (!(zHalf > 0 && eHalf > 0 && zHalf < Infinity && eHalf < Infinity)) return undefined;
  const [zMiddle, eMiddle] = [(zLower + zUpper) / 2, (eLower + eUpper) / 2];
  let count = 0;
  const add = (z: number, e: number) => {
    const y = z - e;
    X[count] = (z - zMiddle) / zHalf;
    T[count] = (e - eMiddle) / eHalf;
    G[count++] = z >= 0 ? (y >= 0 ? e : z) : y >= 0 ? -y : 0;
  };
  add(zUpper, eUpper);
  add(zLower, eLower);
  add(zUpper, zUpper - yUpper);
  add(zLower, zLower - yLower);
  add(yLower + eUpper, eUpper);
  add(yUpper + eLower, eLower);
  if (yLower < 0 && yUpper > 0) {
    const [right, left] = [Math.min(zUpper, eUpper), Math.max(zLower, eLower)];
    add(right, right);
    add(left, left);
  }
  let [p, q, least] = [0, 0, Infinity];
  for (let i = 2; i < count; i++) {
    for (let j = 1; j < i; j++) {
      const [x1, t1, g1] = [X[j]! - X[i]!, T[j]! - T[i]!, G[j]! - G[i]!];
      for (let k = 0; k < j; k++) {
        const x2 = X[k]! - X[i]!, t2 = T[k]! - T[i]!, g2 = G[k]! - G[i]!;
        const area = x1 * t2 - x2 * t1;
        if (Math.abs(area) < FLAT) continue;
        const onX = (g1 * t2 - g2 * t1) / area, onT = (x1 * g2 - x2 * g1) / area;
        let most = -Infinity;
        for (let at = 0; at < count; at++) {
          most = Math.max(most, G[at]! - onX * X[at]! - onT * T[at]!);
        }
        const [slopeZ, slopeE] = [onX / zHalf, onT / eHalf];
        if (most >= least || !isGentle(slopeZ) || !isGentle(slopeE)) continue;
        if (isGentle(slopeZ + slopeE)) [p, q, least] = [slopeZ, slopeE, most];
      }
    }
  }
  return least < Infinity ? { p, q } : undefined;
}

function isGentle(slope: number): boolean {
  return Math.abs(slope) <= STEEPEST;
}
