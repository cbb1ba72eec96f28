/**
 * Numbers that other programs can make too, bit for bit: statistics of them are known from numpy.
 *
 * @module
 */

/**
 * 5000 numbers with the quantiles of a Laplace distribution, unordered:
 * `u = (i + 1) · 0.6180339887498949 mod 1`, `x = −sign(u − ½) · log1p(−2 |u − ½|)`, in float64, then float32.
 */
export function laplaceSample(count = 5000): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => {
    const u = (index + 1) * 0.6180339887498949 % 1 - 0.5;
    return -Math.sign(u) * Math.log1p(-2 * Math.abs(u));
  });
}

/** The same, negative numbers replaced by zero. */
export function reluSample(count = 5000): Float32Array {
  return laplaceSample(count).map((value) => Math.max(value, 0));
}
