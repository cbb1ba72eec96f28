import assert from "node:assert/strict";
import { allocateBits } from "../../src/quant/bit_allocation.ts";

Deno.test("allocateBits gives equal ranges equal widths", () => {
  assert.deepEqual(allocateBits([2, 2, 2], 4), [4, 4, 4]);
});

Deno.test("allocateBits gives a range eight times as wide two bits more", () => {
  // B = 64 · {1, 4, 4, 4} / 13: log₂ is 2.3 and 4.3.
  assert.deepEqual(allocateBits([1, 8, 8, 8], 4), [2, 4, 4, 4]);
});

Deno.test("allocateBits spends the grid points that it has, but for rounding", () => {
  const ranges = Array.from({ length: 64 }, (_, index) => 1 + index / 10);
  const bits = allocateBits(ranges, 4);
  const points = bits.reduce((sum, width) => sum + 2 ** width, 0);
  assert.ok(points > 64 * 16 / Math.SQRT2 && points < 64 * 16 * Math.SQRT2, `${points}`);
  assert.deepEqual(bits, bits.toSorted());
});

Deno.test("allocateBits makes less rounding error than one width for all", () => {
  const ranges = [0.1, 0.3, 1, 4, 9, 20];
  const error = (bits: readonly number[]) =>
    ranges.reduce((sum, range, index) => sum + range ** 2 / (3 * 4 ** bits[index]!), 0);
  assert.ok(error(allocateBits(ranges, 4)) < error(ranges.map(() => 4)));
});

Deno.test("allocateBits keeps within its limits", () => {
  assert.deepEqual(allocateBits([0, 1e-9, 1], 8, { least: 2, most: 8 }), [2, 2, 8]);
  assert.throws(() => allocateBits([0, 0], 4), {
    name: "RangeError",
    message: "Ranges must be finite, and one of them positive",
  });
});
