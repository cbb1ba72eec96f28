import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../src/base/random.ts";
import { buildCodebook } from "../../src/quant/codebook.ts";
import { quantizeWeights } from "../../src/quant/weights.ts";
import { float32 } from "../../src/onnx/tensor.ts";

/** The least sum of squares of sorted numbers in at most `groups` groups, by trying all divisions. */
function bruteForce(sorted: readonly number[], groups: number): number {
  if (sorted.length === 0) return 0;
  if (groups === 0) return Infinity;
  let least = Infinity;
  for (let count = 1; count <= sorted.length; count++) {
    const group = sorted.slice(0, count);
    const mean = group.reduce((sum, value) => sum + value, 0) / count;
    const own = group.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    if (own < least) least = Math.min(least, own + bruteForce(sorted.slice(count), groups - 1));
  }
  return least;
}

Deno.test("buildCodebook finds the best means of few numbers", () => {
  // Whole numbers are never merged into one piece here, so the search is exact.
  const lists = fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 1, maxLength: 9 });
  fc.assert(fc.property(lists, fc.constantFrom(1, 2), (list, bits) => {
    const { codebook, indices, error } = buildCodebook(Float32Array.from(list), bits);
    const sorted = list.toSorted((a, b) => a - b);
    const best = bruteForce(sorted, 2 ** bits);
    assert.ok(error.meanSquare * list.length <= best * (1 + 1e-5) + 1e-3);
    assert.ok(codebook.length <= 2 ** bits);
    assert.deepEqual(codebook, codebook.toSorted());
    for (const [index, value] of list.entries()) {
      const distances: number[] = Array.from(codebook, (mean) => Math.abs(value - mean));
      assert.equal(distances[indices[index]!], Math.min(...distances));
    }
  }));
});

Deno.test("buildCodebook is better than a uniform grid of the same width", () => {
  const random = Random.from(1);
  const weights = Float32Array.from({ length: 20_000 }, () => random.normal() ** 3);
  for (const bits of [2, 4, 8]) {
    const uniform = quantizeWeights(float32([weights.length], weights), {
      bits,
      symmetric: false,
      granularity: "tensor",
      range: "mse",
      settings: { power: 2 },
    });
    const { error, codebook } = buildCodebook(weights, bits);
    assert.equal(codebook.length, 2 ** bits);
    assert.ok(error.meanSquare < uniform.error.meanSquare);
  }
});

Deno.test("buildCodebook reaches the known error of a normal distribution", () => {
  // Lloyd–Max quantizers of a unit normal: 0.1175 with 4 levels, 0.009497 with 16 (Max, 1960).
  const random = Random.from(2);
  const weights = Float32Array.from({ length: 200_000 }, () => random.normal());
  assert.ok(Math.abs(buildCodebook(weights, 2).error.meanSquare / 0.1175 - 1) < 0.02);
  assert.ok(Math.abs(buildCodebook(weights, 4).error.meanSquare / 0.009497 - 1) < 0.02);
});

Deno.test("buildCodebook keeps few distinct weights exactly", () => {
  const { codebook, indices, error } = buildCodebook(Float32Array.of(3, -1, 3, 0.5), 4);
  assert.deepEqual(codebook, Float32Array.of(-1, 0.5, 3));
  assert.deepEqual(indices, Uint8Array.of(2, 0, 2, 1));
  assert.deepEqual(error, { meanSquare: 0, maximum: 0 });
  assert.deepEqual(buildCodebook(new Float32Array(3), 2).codebook, Float32Array.of(0));
});

Deno.test("buildCodebook refuses other widths", () => {
  assert.throws(() => buildCodebook(Float32Array.of(1), 9), {
    name: "RangeError",
    message: "bits of a codebook must be 1 to 8: current value is 9",
  });
});
