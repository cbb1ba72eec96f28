/**
 * Sparse and dense matrices of the checker.
 *
 * @module
 */

/** Rows of (column, weight) pairs one after another; dense rows have all columns in order. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Where each row starts, and where the last one ends. Absent for dense matrices. */
  readonly starts?: Int32Array;
  /** Absent for dense matrices. */
  readonly places?: Int32Array;
  readonly weights: Float64Array;
  /** The most weights that a row, or a column, has. */
  readonly longest: number;
  /** The most weights that a row has. */
  readonly longestRow: number;
}

/** A matrix with all weights, in row-major order. */
export function denseMatrix(rows: number, columns: number, weights: Float64Array): Matrix {
  return { rows, columns, weights, longest: Math.max(rows, columns), longestRow: columns };
}

/** A matrix by its rows. */
export function sparseMatrix(
  columns: number,
  rows: readonly (readonly (readonly [column: number, weight: number])[])[],
): Matrix {
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, at) => starts[at + 1] = starts[at]! + row.length);
  const places = new Int32Array(starts[rows.length]!);
  const weights = new Float64Array(places.length);
  const uses = new Int32Array(columns);
  let at = 0;
  let [longest, longestRow] = [1, 1];
  for (const row of rows) {
    longestRow = Math.max(longestRow, row.length);
    for (const [column, weight] of row) {
      places[at] = column;
      weights[at++] = weight;
      longest = Math.max(longest, ++uses[column]!);
    }
  }
  longest = Math.max(longest, longestRow);
  return { rows: rows.length, columns, starts, places, weights, longest, longestRow };
}

/** The matrix with every weight changed. */
export function mapWeights(matrix: Matrix, change: (weight: number, at: number) => number): Matrix {
  return { ...matrix, weights: matrix.weights.map(change) };
}

/** Whether two matrices have weights in the same places. */
export function sameForm(a: Matrix, b: Matrix): boolean {
  if (a.rows !== b.rows || a.columns !== b.columns || a.weights.length !== b.weights.length) {
    return false;
  }
  if (a.places === undefined || b.places === undefined) return a.places === b.places;
  return a.places.every((place, at) => place === b.places![at]) &&
    a.starts!.every((start, at) => start === b.starts![at]);
}

/** y += M·x and, for magnitudes, y += |M|·x. */
export function multiply(
  { rows, columns, starts, places, weights }: Matrix,
  x: Float64Array,
  y: Float64Array,
  magnitudes: boolean,
): void {
  for (let row = 0; row < rows; row++) {
    const from = starts === undefined ? row * columns : starts[row]!;
    const to = starts === undefined ? from + columns : starts[row + 1]!;
    let sum = 0;
    if (places === undefined) {
      if (magnitudes) {
        for (let at = from, column = 0; at < to; at++) sum += Math.abs(weights[at]!) * x[column++]!;
      } else for (let at = from, column = 0; at < to; at++) sum += weights[at]! * x[column++]!;
    } else if (magnitudes) {
      for (let at = from; at < to; at++) sum += Math.abs(weights[at]!) * x[places[at]!]!;
    } else for (let at = from; at < to; at++) sum += weights[at]! * x[places[at]!]!;
    y[row]! += sum;
  }
}

const CHOSEN = new Int32Array(1 << 20);

/** out[r] += a[r]·M for `count` rows of coefficients, a of [count × rows], out of [count × columns]. */
export function multiplyRows(
  matrix: Matrix,
  count: number,
  a: Float64Array,
  out: Float64Array,
): void {
  const { rows, columns, starts, places, weights } = matrix;
  for (let r = 0; r < count; r++) {
    // Inactive neurons have no coefficients: only those that have take part.
    let chosen = 0;
    for (let row = 0, at = r * rows; row < rows; row++, at++) {
      if (a[at] !== 0) CHOSEN[chosen++] = row;
    }
    const base = r * rows;
    const target = r * columns;
    if (places !== undefined) {
      for (let each = 0; each < chosen; each++) {
        const row = CHOSEN[each]!;
        const factor = a[base + row]!;
        for (let at = starts![row]!; at < starts![row + 1]!; at++) {
          out[target + places[at]!]! += factor * weights[at]!;
        }
      }
      continue;
    }
    let each = 0;
    for (; each + 3 < chosen; each += 4) {
      const i = CHOSEN[each]!, j = CHOSEN[each + 1]!, k = CHOSEN[each + 2]!, l = CHOSEN[each + 3]!;
      const fi = a[base + i]!, fj = a[base + j]!, fk = a[base + k]!, fl = a[base + l]!;
      let wi = i * columns, wj = j * columns, wk = k * columns, wl = l * columns;
      for (let at = target; at < target + columns; at++) {
        out[at]! += fi * weights[wi++]! + fj * weights[wj++]! + fk * weights[wk++]! +
          fl * weights[wl++]!;
      }
    }
    for (; each < chosen; each++) {
      const i = CHOSEN[each]!;
      const factor = a[base + i]!;
      let weight = i * columns;
      for (let at = target; at < target + columns; at++) out[at]! += factor * weights[weight++]!;
    }
  }
}
