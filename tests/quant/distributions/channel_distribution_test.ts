import assert from "node:assert/strict";
import {
  channelExtents,
  cut,
  momentsOf,
  normalChannels,
} from "../../../src/quant/distributions/channel_distribution.ts";
import { expectedHistogram } from "../../../src/quant/distributions/histogram.ts";
import { normalDensity } from "../../../src/quant/normal_distribution.ts";
import { HistogramError } from "../../../src/quant/observers/mse.ts";
import { grid } from "../../../src/quant/grid.ts";

/** E f(y) for y ~ N(mean, deviation²) by the trapezoidal rule, which is exact to rounding for such integrands. */
function expectation(mean: number, deviation: number, f: (y: number) => number): number {
  const [steps, reach] = [40_000, 12];
  const width = 2 * reach / steps;
  let sum = 0;
  for (let step = 0; step <= steps; step++) {
    const z = -reach + step * width;
    sum += normalDensity(z) * f(mean + deviation * z) * width;
  }
  return sum;
}

const CASES = [
  [0, 1, 0, Infinity],
  [-2.5, 0.7, 0, Infinity],
  [1.2, 2, 0, 6],
  [7, 1.5, 0, 6],
  [-0.3, 0.4, -1, 1],
  [3, 0.01, 0, 6],
  [0.5, 2, -Infinity, Infinity],
] as const;

Deno.test("moments of cut normal distributions are those of numerical integration", () => {
  for (const [mean, deviation, low, high] of CASES) {
    const given = cut(
      normalChannels(Float64Array.of(mean), Float64Array.of(deviation)),
      low,
      high,
    );
    const { mean: [first], variance: [variance] } = momentsOf(given);
    const clip = (y: number) => Math.min(Math.max(y, low), high);
    const expected = expectation(mean, deviation, clip);
    const square = expectation(mean, deviation, (y) => (clip(y) - expected) ** 2);
    // The kinks cost the trapezoidal rule some digits.
    assert.ok(
      Math.abs(first! - expected) < 1e-6 * deviation,
      `${mean}: ${first} is not ${expected}`,
    );
    assert.ok(Math.abs(variance! - square) < 1e-6 * deviation ** 2, `${variance} is not ${square}`);
  }
});

Deno.test("what does not vary is its mean, cut", () => {
  const constant = normalChannels(Float64Array.of(-1, 3, 9), new Float64Array(3));
  assert.deepEqual(momentsOf(cut(constant, 0, 6)), {
    mean: Float64Array.of(0, 3, 6),
    variance: new Float64Array(3),
  });
});

Deno.test("cutting twice is cutting once", () => {
  const given = normalChannels(Float64Array.of(1), Float64Array.of(2));
  assert.deepEqual(cut(cut(given, 0, Infinity), -3, 6), cut(given, 0, 6));
});

Deno.test("extents are some deviations wide, and end where the distribution is cut", () => {
  const given = cut(normalChannels(Float64Array.of(1, -9), Float64Array.of(2, 1)), 0, 6);
  assert.deepEqual(channelExtents(given, 2), {
    min: Float64Array.of(0, 0),
    max: Float64Array.of(5, 0),
  });
});

Deno.test("the expected histogram is that of many samples, to the resolution of its bins", () => {
  const given = cut(
    normalChannels(Float64Array.of(0.5, -1), Float64Array.of(1, 0.5)),
    0,
    Infinity,
  );
  const range = { min: 0, max: 6.5 };
  const histogram = expectedHistogram(given, range, 4096);
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  assert.ok(Math.abs(total - 2e9) < 4096);
  // The mean squared error of a 4-bit grid, from the histogram and by integration.
  const levels = grid(4);
  const error = new HistogramError(histogram, range, 2).of({ min: 0, max: 3 }, levels) / total;
  const distance = (y: number) => {
    const x = Math.max(y, 0);
    return (x - Math.min(Math.round(x * 5), 15) / 5) ** 2;
  };
  const expected = (expectation(0.5, 1, distance) + expectation(-1, 0.5, distance)) / 2;
  assert.ok(Math.abs(error / expected - 1) < 2e-3, `${error} is not ${expected}`);
});
