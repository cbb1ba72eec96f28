import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { dequantize } from "../../src/quant/grid.ts";
import { binarize, ternarize } from "../../src/quant/extreme.ts";

function sample(count: number, seed = 0): Float32Array {
  const random = Random.from(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

function squaredError(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0);
}

Deno.test("binarize gives signs times the mean magnitude of each channel", () => {
  const weights = Float32Array.of(1, -3, 2, -0.5, 0, -0.25);
  const { values, parameters } = binarize(weights, [2, 3], { axis: 0 });
  assert.deepEqual(values, Int8Array.of(1, -1, 1, -1, 1, -1));
  assert.deepEqual(parameters.scale, Float32Array.of(2, 0.25));
  assert.deepEqual(parameters.zeroPoint, Int32Array.of(0, 0));
});

Deno.test("binarize is the nearest of all signs and scales", () => {
  const weights = sample(8);
  const { values, parameters } = binarize(weights, [8], {});
  const error = squaredError(weights, dequantize(values, [8], parameters));
  for (let signs = 0; signs < 256; signs++) {
    for (let scale = 0; scale <= 2; scale += 0.05) {
      const other = Float32Array.from(weights, (_, bit) => (signs >> bit & 1 ? 1 : -1) * scale);
      assert.ok(error <= squaredError(weights, other) + 1e-6);
    }
  }
});

Deno.test("ternarize is the nearest of all choices of zeros", () => {
  for (let seed = 0; seed < 5; seed++) {
    const weights = sample(10, seed);
    const { values, parameters, error } = ternarize(weights, [10], {});
    const least = squaredError(weights, dequantize(values, [10], parameters));
    assert.ok(Math.abs(error.meanSquare - least / 10) < 1e-9);
    for (let kept = 0; kept < 1024; kept++) {
      const chosen = weights.filter((_, index) => kept >> index & 1);
      const scale = chosen.reduce((sum, value) => sum + Math.abs(value), 0) /
        Math.max(chosen.length, 1);
      const other = weights.map((value, index) => (kept >> index & 1) * Math.sign(value) * scale);
      assert.ok(least <= squaredError(weights, other) + 1e-6);
    }
  }
});

Deno.test("ternarize keeps equal magnitudes together, per channel and per group", () => {
  const weights = Float32Array.of(1, -1, 1, 0.1, 5, 5, -5, 0);
  const { values, parameters } = ternarize(weights, [2, 4], { axis: 0 });
  assert.deepEqual(values, Int8Array.of(1, -1, 1, 0, 1, 1, -1, 0));
  assert.deepEqual(parameters.scale, Float32Array.of(1, 5));
  const groups = ternarize(weights, [2, 4], { axis: 1, blockSize: 2 });
  assert.deepEqual(groups.parameters.scale.length, 4);
  assert.deepEqual(groups.values, Int8Array.of(1, -1, 1, 0, 1, 1, -1, 0));
});

Deno.test("weights that are all zero stay as good as zero", () => {
  const zeros = new Float32Array(4);
  for (const result of [binarize(zeros, [4], {}), ternarize(zeros, [4], {})]) {
    assert.equal(result.parameters.scale[0], 2 ** -126);
    assert.ok(result.error.maximum < 1e-37);
  }
});
