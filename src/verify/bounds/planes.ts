/**
 * Planes over and under g(z, e) = relu(z) − relu(z − e): how far two rectified values can be apart.
 *
 * Every plane holds wherever z, y = z − e and e are within their bounds, whatever the signs. Those that hold are many;
 * the one that is least at the middle of the box is taken.
 *
 * @module
 */

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
