/**
 * The standard normal distribution.
 *
 * @module
 */

/** Its density φ(x). */
export function normalDensity(x: number): number {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** The probability Φ(x) of a value below x, to about 14 digits, in the lower tail too. */
export function normalProbability(x: number): number {
  return complementaryError(-x / Math.SQRT2) / 2;
}

/** `erfc(x) = 1 − erf(x)`, to about 14 digits. */
export function complementaryError(x: number): number {
  if (x < 0) return 2 - complementaryError(-x);
  return x < 2 ? 1 - errorSeries(x) : errorFraction(x);
}

/** erf by its series `2/√π · e^{−x²} · Σ 2ⁿ x^{2n+1} / (2n+1)!!` (Abramowitz and Stegun, 7.1.6). */
function errorSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * Number.EPSILON / 4; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** erfc by its continued fraction (Abramowitz and Stegun, 7.1.14), from the inside out. */
function errorFraction(x: number): number {
  let fraction = 0;
  for (let n = 100; n >= 1; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
