/**
 * Matrix factors that GPTQ needs, in float64.
 *
 * @module
 */

/**
 * The upper triangular `U` with `H⁻¹ = Uᵀ U`, row by row.
 *
 * Factors `H = R Rᵀ` with `R` upper triangular, from the last row up; then `U = R⁻¹`.
 *
 * @param h Symmetric positive definite, `[size, size]`; overwritten.
 * @throws {RangeError} If it is not positive definite.
 */
export function inverseFactor(h: Float64Array, size: number): Float64Array {
  for (let column = size - 1; column >= 0; column--) {
    let diagonal = h[column * size + column]!;
    for (let k = column + 1; k < size; k++) diagonal -= h[column * size + k]! ** 2;
    if (!(diagonal > 0)) throw new RangeError("Matrix must be positive definite");
    const root = Math.sqrt(diagonal);
    h[column * size + column] = root;
    for (let row = 0; row < column; row++) {
      let sum = h[row * size + column]!;
      const a = row * size;
      const b = column * size;
      for (let k = column + 1; k < size; k++) sum -= h[a + k]! * h[b + k]!;
      h[a + column] = sum / root;
    }
  }
  // R U = 1, from the last row up; whole rows at a time, so that memory is read in order.
  const u = new Float64Array(size * size);
  for (let row = size - 1; row >= 0; row--) {
    const a = row * size;
    u[a + row] = 1;
    for (let k = row + 1; k < size; k++) {
      const factor = h[a + k]!;
      if (factor === 0) continue;
      const b = k * size;
      for (let column = k; column < size; column++) u[a + column]! -= factor * u[b + column]!;
    }
    const diagonal = h[a + row]!;
    for (let column = row; column < size; column++) u[a + column]! /= diagonal;
  }
  return u;
}
