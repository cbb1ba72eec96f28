import assert from "node:assert/strict";
import { grid } from "../../../src/quant/grid.ts";
import { histogramOf } from "../../../src/quant/histogram.ts";
import { chooseRange, chooseRangeOf } from "../../../src/quant/observers/table.ts";
import { quantile } from "../../../src/quant/observers/percentile.ts";
import type { TensorStatistics } from "../../../src/quant/ranges.ts";
import { laplaceSample, reluSample } from "../samples.ts";

function statisticsOf(values: Float32Array): TensorStatistics {
  const sorted = values.toSorted();
  const histogram = histogramOf(values, 2048);
  return { min: sorted[0]!, max: sorted.at(-1)!, count: values.length, histogram };
}

function assertClose(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} ≉ ${expected}`);
}

/** numpy.quantile of laplaceSample. */
const QUANTILES: [number, number][] = [
  [0.005, -4.57922547340393],
  [0.05, -2.301328420639038],
  [0.5, 0.0001069932768587023],
  [0.95, 2.299901509284974],
  [0.995, 4.566597785949713],
];

Deno.test("quantile of a histogram is numpy's to a bin", () => {
  const { histogram } = statisticsOf(laplaceSample());
  for (const [fraction, value] of QUANTILES) {
    assertClose(quantile(histogram!, fraction), value, 2 * histogram!.binWidth);
  }
});

Deno.test("percentile cuts half on each side, from values exactly as numpy does", () => {
  for (const [percentile, low, high] of [[99, 0, 4], [90, 1, 3]] as const) {
    const { min, max } = chooseRangeOf(laplaceSample(), "percentile", { percentile }, grid(8));
    assertClose(min, QUANTILES[low]![1], 1e-6);
    assertClose(max, QUANTILES[high]![1], 1e-6);
  }
});

Deno.test("percentile of a symmetric grid is that of magnitudes", () => {
  const symmetric = grid(8, { symmetric: true });
  const known = [[90, 2.3012618541717536], [99, 4.579330787658696]];
  const statistics = statisticsOf(laplaceSample());
  for (const [percentile, limit] of known as [number, number][]) {
    const exact = chooseRangeOf(laplaceSample(), "percentile", { percentile }, symmetric);
    assertClose(exact.max, limit, 1e-6);
    assertClose(exact.min, -limit, 1e-6);
    const { min, max } = chooseRange(statistics, "percentile", { percentile }, symmetric);
    assertClose(max, limit, 0.01);
    assert.equal(min, -max);
  }
});

Deno.test("percentile cuts values of one sign on that side", () => {
  const statistics = statisticsOf(reluSample());
  const { min, max } = chooseRange(statistics, "percentile", { percentile: 99.5 }, grid(8));
  assert.equal(min, 0);
  assertClose(max, 4.566597785949713, statistics.histogram!.binWidth);
});

Deno.test("percentile cuts nothing at 100, and next to nothing unless told", () => {
  const statistics = statisticsOf(laplaceSample());
  const whole = chooseRange(statistics, "percentile", { percentile: 100 }, grid(8));
  assert.deepEqual(whole, { min: statistics.min, max: statistics.max });
  const usual = chooseRange(statistics, "percentile", {}, grid(8));
  assertClose(usual.max, statistics.max, statistics.histogram!.binWidth);
});

Deno.test("values of which fewer than the cut are not zero keep their whole range", () => {
  const values = new Float32Array(100_000);
  values[3] = 5;
  for (const [min, max] of [[0, 5], [-5, 0]] as const) {
    const signed = values.map((value) => max === 5 ? value : -value);
    assert.deepEqual(chooseRange(statisticsOf(signed), "percentile", { percentile: 99 }, grid(8)), {
      min,
      max,
    });
    assert.deepEqual(chooseRangeOf(signed, "percentile", { percentile: 99 }, grid(8)), {
      min,
      max,
    });
  }
});
