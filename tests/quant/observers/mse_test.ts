import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import {
  fakeQuantize,
  type Grid,
  grid,
  parametersFromRange,
  tensorParameters,
} from "../../../src/quant/grid.ts";
import { extent, histogramOf } from "../../../src/quant/histogram.ts";
import { HistogramError, ValuesError } from "../../../src/quant/observers/mse.ts";
import { searchRange } from "../../../src/quant/observers/search.ts";
import { chooseRange, chooseRangeOf } from "../../../src/quant/observers/table.ts";
import type { Range } from "../../../src/quant/ranges.ts";

/** Σ |x − x̂|^p, by really quantizing. */
function errorOf(values: Float32Array, { min, max }: Range, target: Grid, power: number): number {
  const chosen = tensorParameters(parametersFromRange(min, max, target), target);
  const rounded = fakeQuantize(values, [values.length], chosen);
  return values.reduce((sum, value, index) => sum + Math.abs(value - rounded[index]!) ** power, 0);
}

/** The least error of all pairs of ratios in steps of two hundredths. */
function bruteForce(values: Float32Array, target: Grid, power: number): number {
  const whole = extent(values);
  let least = Infinity;
  for (let low = 1; low > 0.01; low -= 0.02) {
    for (let high = 1; high > 0.01; high -= 0.02) {
      const range = { min: Math.min(whole.min, 0) * low, max: Math.max(whole.max, 0) * high };
      least = Math.min(least, errorOf(values, range, target, power));
    }
  }
  return least;
}

function sample(seed: number, count: number, shape: (value: number) => number): Float32Array {
  const random = Random.from(seed);
  return Float32Array.from({ length: count }, () => shape(random.normal()));
}

const SHAPES: Readonly<Record<string, (value: number) => number>> = {
  "two-sided": (value) => value,
  "skewed": (value) => value < 0 ? value / 4 : value * Math.abs(value),
  "one-sided": (value) => Math.max(value, 0),
  "negative": (value) => -Math.abs(value),
};

Deno.test("mse of values is about as good as trying all pairs of ratios", () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    const values = sample(1, 300, shape);
    for (const target of [grid(2), grid(4), grid(8), grid(3, { symmetric: true })]) {
      for (const power of [2, 2.4]) {
        const chosen = chooseRangeOf(values, "mse", { power }, target);
        const error = errorOf(values, chosen, target, power);
        const best = bruteForce(values, target, power);
        assert.ok(
          error <= 1.05 * best,
          `${name}, ${target.bits} bits, power ${power}: ${error} against ${best}`,
        );
      }
    }
  }
});

Deno.test("mse with one ratio is the best of all hundredths", () => {
  for (const count of [9, 64, 1000]) {
    const values = sample(count, count, (value) => value);
    const target = grid(4, { symmetric: true });
    const whole = extent(values);
    const error = errorOf(values, chooseRangeOf(values, "mse", {}, target), target, 2.4);
    for (let ratio = 75; ratio <= 100; ratio++) {
      const range = { min: whole.min * ratio / 100, max: whole.max * ratio / 100 };
      assert.ok(error <= errorOf(values, range, target, 2.4) * (1 + 1e-5));
    }
  }
});

Deno.test("the error of values is that of quantizing them, up to its limit", () => {
  const values = sample(2, 500, (value) => value);
  const whole = extent(values);
  for (const bits of [2, 4, 8]) {
    const target = grid(bits);
    for (const ratio of [1, 0.6, 0.1]) {
      const range = { min: whole.min * ratio, max: whole.max * ratio / 2 };
      const error = new ValuesError(values, whole, 2.4);
      const exact = errorOf(values, range, target, 2.4);
      assert.ok(Math.abs(error.of(range, target, Infinity) / exact - 1) < 1e-4);
      assert.ok(error.of(range, target, exact / 2) >= exact / 2);
    }
  }
});

Deno.test("the error of a histogram is that of its values", () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    const values = sample(4, 200_000, shape);
    const whole = extent(values);
    const error = new HistogramError(histogramOf(values, 2048), whole, 2.4);
    for (const bits of [2, 4, 6]) {
      const target = grid(bits);
      for (const ratio of [1, 0.5, 0.2]) {
        const range = {
          min: Math.min(whole.min, 0) * ratio,
          max: Math.max(whole.max, 0) * ratio,
        };
        const relative = error.of(range, target) / errorOf(values, range, target, 2.4);
        assert.ok(Math.abs(relative - 1) < 0.02, `${name}, ${bits} bits: ${relative}`);
      }
    }
  }
});

Deno.test("mse of a histogram chooses as well as mse of its values", () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    const values = sample(5, 20_000, shape);
    const statistics = {
      ...extent(values),
      count: values.length,
      histogram: histogramOf(values, 2048),
    };
    for (const target of [grid(4), grid(8), grid(4, { symmetric: true })]) {
      const binned = chooseRange(statistics, "mse", {}, target);
      const exact = chooseRangeOf(values, "mse", {}, target);
      const ratio = errorOf(values, binned, target, 2.4) / errorOf(values, exact, target, 2.4);
      assert.ok(ratio < 1.02, `${name}, ${target.bits} bits: ${ratio}`);
    }
  }
});

Deno.test("mse moves the zero point where that is better than any common ratio", () => {
  const values = sample(6, 5000, (value) => value > 0 ? value : value / 20);
  values[0] = -3;
  const whole = extent(values);
  const target = grid(4);
  const error = errorOf(values, chooseRangeOf(values, "mse", {}, target), target, 2.4);
  for (let ratio = 1; ratio > 0; ratio -= 0.01) {
    const together = { min: whole.min * ratio, max: whole.max * ratio };
    assert.ok(error < 0.95 * errorOf(values, together, target, 2.4));
  }
});

Deno.test("searchRange tries the whole range first and keeps it where nothing is better", () => {
  const tried: Range[] = [];
  const chosen = searchRange({ min: -1, max: 2 }, grid(8), (range) => {
    tried.push(range);
    return 1;
  });
  assert.deepEqual(tried[0], { min: -1, max: 2 });
  assert.deepEqual(chosen, { min: -1, max: 2 });
});

Deno.test("mse refuses a power below 1", () => {
  assert.throws(() => chooseRangeOf(Float32Array.of(1, 2), "mse", { power: 0.5 }, grid(8)), {
    name: "RangeError",
    message: "power must be ≥ 1: current value is 0.5",
  });
});
