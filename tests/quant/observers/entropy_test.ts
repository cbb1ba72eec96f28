import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { type Grid, grid } from "../../../src/quant/grid.ts";
import { histogramOf } from "../../../src/quant/histogram.ts";
import { chooseRange, chooseRangeOf } from "../../../src/quant/observers/table.ts";
import type { Histogram, TensorStatistics } from "../../../src/quant/ranges.ts";
import { reluSample } from "../samples.ts";

/** The divergence of one candidate, from its definition: distributions as arrays, nothing summed in advance. */
function divergence(histogram: Histogram, low: number, high: number, levels: number): number {
  const at = (bin: number) => bin === 0 ? 0 : histogram.counts[bin + histogram.zeroBin] ?? 0;
  const bins = Array.from({ length: high - low + 1 }, (_, index) => at(low + index));
  const p = [...bins];
  for (let index = 0; index < histogram.counts.length; index++) {
    const bin = index - histogram.zeroBin;
    if (bin < low) p[0]! += at(bin);
    if (bin > high) p[p.length - 1]! += at(bin);
  }
  const q = new Array<number>(p.length).fill(0);
  for (let level = 0; level < levels; level++) {
    const start = Math.floor(level * p.length / levels);
    const end = Math.floor((level + 1) * p.length / levels);
    let mass = 0;
    let filled = 0;
    for (let bin = start; bin < end; bin++) {
      mass += bins[bin]!;
      if (p[bin]! > 0) filled++;
    }
    for (let bin = start; bin < end; bin++) {
      if (p[bin]! > 0) q[bin] = mass > 0 ? mass / filled : 1e-4;
    }
  }
  const total = p.reduce((sum, count) => sum + count, 0);
  const kept = bins.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  for (let bin = 0; bin < p.length; bin++) {
    if (p[bin] === 0) continue;
    sum += p[bin]! / total * Math.log(p[bin]! / total / (q[bin]! / kept));
  }
  return kept === 0 ? Infinity : sum;
}

/** The distance from zero with the least divergence, by trying all. */
function bruteForce({ histogram }: TensorStatistics, target: Grid): number | undefined {
  const { counts, zeroBin } = histogram!;
  const filled = counts.flatMap((count, bin) =>
    count > 0 && bin !== zeroBin ? [bin - zeroBin] : []
  );
  const low = Math.min(0, ...filled);
  const high = Math.max(0, ...filled);
  const twoSided = low < 0 && high > 0;
  let best: number | undefined;
  let least = Infinity;
  const longest = Math.max(-low, high);
  for (let distance = 1; distance <= longest; distance++) {
    const both = target.symmetric && twoSided;
    const from = both ? -distance : Math.max(low, -distance);
    const to = both ? distance : Math.min(high, distance);
    const levels = !target.symmetric
      ? 2 ** target.bits
      : twoSided
      ? 2 ** target.bits - 1
      : 2 ** (target.bits - 1);
    if (to - from + 1 < (distance < longest ? Math.max(128, levels) : levels)) continue;
    const value = divergence(histogram!, from, to, levels);
    if (value < least) {
      least = value;
      best = distance;
    }
  }
  return best;
}

function statisticsOf(values: Float32Array, bins: number): TensorStatistics {
  const sorted = values.toSorted();
  const histogram = histogramOf(values, bins);
  return { min: sorted[0]!, max: sorted.at(-1)!, count: values.length, histogram };
}

Deno.test("entropy finds the least divergence, as trying all ranges by definition does", () => {
  const random = Random.from(3);
  const shapes: ((value: number) => number)[] = [
    (value) => Math.max(value, 0),
    (value) => Math.sign(value) * value * value,
    (value) => value + 1,
    (value) => Math.min(value, 0) ** 3,
  ];
  for (const [index, shape] of shapes.entries()) {
    const values = Float32Array.from({ length: 4000 }, () => shape(random.normal()));
    const statistics = statisticsOf(values, 256 + 30 * index);
    for (const target of [grid(4), grid(7), grid(4, { symmetric: true }), grid(2)]) {
      const { min, max } = chooseRange(statistics, "entropy", {}, target);
      const distance = bruteForce(statistics, target)!;
      const limit = distance * statistics.histogram!.binWidth;
      assert.deepEqual([min, max], [
        Math.min(Math.max(statistics.min, -limit), 0),
        Math.max(Math.min(statistics.max, limit), 0),
      ]);
    }
  }
});

Deno.test("entropy clips a far outlier, and does not mind how many zeros there are", () => {
  const values = reluSample(50_000);
  values[7] = 400;
  const few = chooseRange(statisticsOf(values, 2048), "entropy", {}, grid(4));
  assert.ok(few.max > 5 && few.max < 100, `${few.max}`);
  const zeros = new Float32Array(1_000_000);
  zeros.set(values);
  assert.deepEqual(chooseRange(statisticsOf(zeros, 2048), "entropy", {}, grid(4)), few);
});

Deno.test("entropy clips nothing where the grid is finer than the histogram", () => {
  const statistics = statisticsOf(reluSample(), 256);
  assert.deepEqual(chooseRange(statistics, "entropy", {}, grid(16)), {
    min: 0,
    max: statistics.max,
  });
});

Deno.test("entropy of few values takes fewer bins, and none clips what has too few", () => {
  const few = Float32Array.of(-3, 1, 2, 7);
  assert.deepEqual(chooseRangeOf(few, "entropy", {}, grid(8)), { min: -3, max: 7 });
});
