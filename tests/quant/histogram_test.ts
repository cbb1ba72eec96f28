import assert from "node:assert/strict";
import fc from "fast-check";
import { histogramOf, layBins, sampleOf, sideOf, spreadOf } from "../../src/quant/histogram.ts";
import { laplaceSample, reluSample } from "./samples.ts";

const finite = { noNaN: true, noDefaultInfinity: true } as const;
const range = fc.tuple(
  fc.float({ min: Math.fround(-1e30), max: 0, ...finite }),
  fc.float({ min: 0, max: Math.fround(1e30), ...finite }),
).map(([min, max]) => ({ min, max }));

Deno.test("layBins covers the range with bins around the multiples of a float32", () => {
  fc.assert(fc.property(range, fc.integer({ min: 4, max: 4096 }), (range, bins) => {
    const { binWidth, zeroBin } = layBins(range, bins);
    assert.equal(binWidth, Math.fround(binWidth));
    assert.ok(zeroBin >= 0 && zeroBin < bins);
    for (const value of [range.min, range.max, 0]) {
      const bin = Math.round(Math.fround(value / binWidth)) + zeroBin;
      assert.ok(bin >= 0 && bin < bins, `${value} is in bin ${bin} of ${bins}`);
    }
  }));
});

Deno.test("layBins wastes no bin on a side without values", () => {
  assert.equal(layBins({ min: 0, max: 6 }, 256).zeroBin, 0);
  assert.equal(layBins({ min: -6, max: 0 }, 256).zeroBin, 255);
  assert.deepEqual(layBins({ min: -1, max: 3 }, 257), { binWidth: 1 / 64, zeroBin: 64 });
});

Deno.test("histogramOf counts every value, zeros in the bin around zero", () => {
  const { counts, zeroBin, binWidth } = histogramOf([-1, -0.5, 0, 0, 0, 0.5, 1, 1], 5);
  assert.deepEqual(counts, [1, 1, 3, 1, 2]);
  assert.deepEqual([zeroBin, binWidth], [2, 0.5]);
  assert.deepEqual(histogramOf([0, 0], 4).counts, [2, 0, 0, 0]);
});

Deno.test("spreadOf gives numpy's mean, standard deviation and mean absolute deviation", () => {
  const exact = spreadOf({ values: laplaceSample() });
  const known = [-0.00043423338872380555, 1.4101156600043625, 0.9989682879414599];
  const relu = [0.49926697504674084, 0.8613893206114478, 0.6055436192532745];
  const numbers = ({ center, standardDeviation, meanAbsoluteDeviation }: typeof exact) => [
    center,
    standardDeviation,
    meanAbsoluteDeviation,
  ];
  const gap = (a: number[], b: number[]) =>
    Math.max(...a.map((value, index) => Math.abs(value - b[index]!)));
  assert.ok(gap(numbers(exact), known) < 1e-10);
  assert.ok(gap(numbers(spreadOf({ values: reluSample() })), relu) < 1e-10);
  // From a histogram, to a small part of a bin.
  const histogram = histogramOf(laplaceSample(), 2048);
  assert.ok(gap(numbers(spreadOf(sampleOf(histogram))), known) < histogram.binWidth / 20);
});

Deno.test("spreadOf takes another centre, and a side of a sample", () => {
  const sample = { values: [-1, 0, 1, 3], counts: [5, 7, 1, 3] };
  const spread = spreadOf(sideOf(sample, "above"), 0);
  assert.equal(spread.meanAbsoluteDeviation, (1 + 9) / 4);
  assert.equal(spread.standardDeviation, Math.sqrt((1 + 27) / 4));
  assert.equal(spreadOf(sideOf(sample, "below")).center, -1);
  assert.deepEqual(spreadOf({ values: [] }), {
    center: 0,
    standardDeviation: 0,
    meanAbsoluteDeviation: 0,
  });
});
