/**
 * Where to clip values of a known distribution, so that clipping and rounding together make the least error, as published
 * (Banner et al., "Post training 4-bit quantization of convolutional networks for rapid-deployment", 2019).
 *
 * A two-sided distribution is clipped to ±α and that range divided into N steps: the rounding error is
 * (2α/N)²/12 = α²/(3N²). The minima are found numerically.
 *
 * @module
 */

import { normalDensity, normalProbability } from "../normal_distribution.ts";

/** A family of distributions. */
export type Distribution = "laplace" | "gauss";

/**
 * The best α of a Laplace distribution, in units of its scale b: the minimum of `2b²e^{−α/b} + α²/(3N²)`.
 *
 * @param steps N, positive.
 */
export function laplaceClip(steps: number): number {
  const target = Math.log(3 * steps * steps);
  // The derivative vanishes where a · e^a = 3N², that is a + ln a = ln 3N².
  return root((a) => a + Math.log(a) - target, 1e-9, Math.max(target, 1) + 1);
}

/**
 * The best α of a normal distribution, in units of its σ: the minimum of
 * `(α² + σ²)(1 − erf(α/√2σ)) − √(2/π) · ασ · e^{−α²/2σ²} + α²/(3N²)`.
 *
 * @param steps N, positive.
 */
export function gaussClip(steps: number): number {
  const rounding = 1 / (6 * steps * steps);
  return root((a) => a * (normalProbability(-a) + rounding) - normalDensity(a), 1e-9, 40);
}

const known = new Map<string, number>();

/** The best α in units of b or σ. */
export function optimalClip(distribution: Distribution, steps: number): number {
  const key = `${distribution} ${steps}`;
  let clip = known.get(key);
  if (clip === undefined) {
    clip = distribution === "laplace" ? laplaceClip(steps) : gaussClip(steps);
    known.set(key, clip);
  }
  return clip;
}

/**
 * The distribution that values are more likely from, by maximum likelihood: Laplace where σ/b > 2e/√(2πe) ≈ 1.3155.
 * (The ratio is √2 for a Laplace distribution and √(π/2) for a normal one.)
 *
 * @param standardDeviation σ.
 * @param meanAbsoluteDeviation b.
 */
export function likelierDistribution(
  standardDeviation: number,
  meanAbsoluteDeviation: number,
): Distribution {
  const threshold = 2 * Math.E / Math.sqrt(2 * Math.PI * Math.E);
  return standardDeviation > threshold * meanAbsoluteDeviation ? "laplace" : "gauss";
}

/** Where an increasing function crosses zero, to the last bits. */
function root(increasing: (x: number) => number, low: number, high: number): number {
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (increasing(middle) < 0) low = middle;
    else high = middle;
  }
}
