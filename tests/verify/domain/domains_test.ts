import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/base/errors.ts";
import type { Dataset } from "../../../src/data/dataset.ts";
import { float32 } from "../../../src/onnx/tensor.ts";
import {
  ballDomain,
  boxDomain,
  rangeDomain,
  vnnlibDomain,
} from "../../../src/verify/domain/domains.ts";
import type { DomainInput } from "../../../src/verify/domain/input.ts";
import { addDown, addUp, divideDown, divideUp } from "../../../src/verify/domain/outward.ts";
import { ceilFloat16, ceilFloat32, floorFloat32 } from "../../../src/verify/neighbors.ts";

const VECTOR: DomainInput = { name: "x", type: "float32", dims: [1, 3], size: 3 };
const IMAGE: DomainInput = { name: "x", type: "float32", dims: [1, 2, 1, 2], size: 4 };
const BYTES: DomainInput = { name: "x", type: "uint8", dims: [1, 3], size: 3 };

function dataOf(items: number[][]): Dataset {
  const batch = (start: number, count: number) =>
    Promise.resolve({
      start,
      size: count,
      inputs: [float32([count, 3], items.slice(start, start + count).flat())],
      labels: Int32Array.from(items.slice(start, start + count), (_, at) => start + at),
    });
  return {
    length: items.length,
    inputs: [{ name: undefined, type: "float32", dims: [3] }],
    labeled: true,
    nameOf: (index) => `item ${index}`,
    batch,
    async *batches() {},
  };
}

function sidesOf([named]: readonly { box: { lower: Float64Array; upper: Float64Array } }[]) {
  return [[...named!.box.lower], [...named!.box.upper]];
}

const doubles = fc.double({ noNaN: true, min: -1e30, max: 1e30 });

/** A float64 as an integer multiple of 2^-1074. */
function exact(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(Math.abs(value)).buffer)[0]!;
  const exponent = bits >> 52n;
  const fraction = bits & 0xfffffffffffffn;
  const size = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n);
  return value < 0 ? -size : size;
}

Deno.test("sums and quotients are rounded outward, and not further than to the next number", () => {
  fc.assert(
    fc.property(doubles, doubles, (a, b) => {
      const [low, high] = [addDown(a, b), addUp(a, b)];
      assert.ok(exact(low) <= exact(a) + exact(b) && exact(a) + exact(b) <= exact(high));
      assert.ok(low === a + b || high === a + b);
      assert.equal(low === high, exact(a + b) === exact(a) + exact(b));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(doubles, fc.double({ noNaN: true, min: 1e-3, max: 1e5 }), (a, b) => {
      const [low, high] = [divideDown(a, b), divideUp(a, b)];
      // low · b ≤ a ≤ high · b in multiples of 2^-2148.
      assert.ok(exact(low) * exact(b) <= exact(a) << 1074n);
      assert.ok(exact(high) * exact(b) >= exact(a) << 1074n);
    }),
    { numRuns: 2000 },
  );
  assert.deepEqual([divideDown(3, 2), divideUp(3, 2)], [1.5, 1.5]);
});

Deno.test("neighbors in short types are the nearest on their side", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e38, max: 1e38 }), (value) => {
      const [low, high] = [floorFloat32(value), ceilFloat32(value)];
      assert.ok(low <= value && value <= high);
      assert.ok(low === Math.fround(value) || high === Math.fround(value));
      assert.ok(Math.fround(low) === low && Math.fround(high) === high);
      // Nothing lies between neighbors.
      assert.ok([low, high].includes(Math.fround((low + high) / 2)));
    }),
    { numRuns: 2000 },
  );
  assert.deepEqual([ceilFloat32(1e-60), floorFloat32(1e-60), ceilFloat32(-1e-60)], [
    2 ** -149,
    0,
    -0,
  ]);
  assert.equal(ceilFloat32(1e39), Infinity);
  assert.deepEqual([ceilFloat16(1 + 2 ** -11), ceilFloat16(-1 - 2 ** -11)], [1 + 2 ** -10, -1]);
  assert.deepEqual([ceilFloat16(65505), ceilFloat16(1e-9)], [Infinity, 2 ** -24]);
});

Deno.test("a box takes one number, one an element, or one a channel", () => {
  assert.deepEqual(sidesOf(boxDomain(VECTOR, { lower: -1, upper: [1, 2, 3] })), [[-1, -1, -1], [
    1,
    2,
    3,
  ]]);
  assert.deepEqual(sidesOf(boxDomain(IMAGE, { lower: [0, 1], upper: 1.5 })), [[0, 0, 1, 1], [
    1.5,
    1.5,
    1.5,
    1.5,
  ]]);
  assert.throws(
    () => boxDomain(IMAGE, { lower: [0, 1, 2], upper: 1 }),
    /lower has 3 numbers: input "x" of shape \[1,2,1,2\] takes 1, 2 or 4/,
  );
});

Deno.test("sides move outward to the data type, and stay where they belong to it", () => {
  const [[low], [high]] = sidesOf(boxDomain(VECTOR, { lower: 0.1, upper: 0.1 })) as [
    [number],
    [number],
  ];
  assert.ok(low < 0.1 && 0.1 < high && high - low === 2 ** -27);
  assert.deepEqual(sidesOf(boxDomain(VECTOR, { lower: 0.25, upper: 0.25 }))[0], [0.25, 0.25, 0.25]);
  assert.deepEqual(sidesOf(boxDomain(BYTES, { lower: 0.5, upper: 7.5 })), [[1, 1, 1], [7, 7, 7]]);
});

Deno.test("raw units are normalized outward", () => {
  const domain = boxDomain({ ...VECTOR, type: "float64" }, {
    lower: [1500, -0.06, 960],
    upper: [1800, 0.06, 1200],
    normalize: { mean: [19791.091, 0, 600], scale: [60261, 6.28318530718, 1200] },
  });
  const [lower, upper] = sidesOf(domain);
  const expected = [(1500 - 19791.091) / 60261, -0.06 / 6.28318530718, 360 / 1200];
  expected.forEach((value, at) => {
    assert.ok(lower![at]! <= value && value - lower![at]! <= 2 ** -52 * Math.abs(value));
  });
  assert.ok(upper![2]! === 0.5);
  assert.throws(
    () => boxDomain(VECTOR, { lower: 0, upper: 1, normalize: { mean: 0, scale: [1, 0, 1] } }),
    /scale must be positive: element 1 is 0/,
  );
});

Deno.test("boxes that cannot be are errors", () => {
  const refuses = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => error instanceof UserError && message.test(error.message));
  refuses(
    () => boxDomain(VECTOR, { lower: 1, upper: [2, 0, 2] }),
    /Side 1 of the box is inverted: 1 … 0/,
  );
  refuses(() => boxDomain(VECTOR, { lower: 0, upper: 1e39 }), /beyond input "x": 0 … 1e\+39/);
  refuses(() => boxDomain(BYTES, { lower: -1, upper: 1 }), /not within the 0 … 255 of uint8/);
  refuses(() => boxDomain(BYTES, { lower: 0.25, upper: 0.75 }), /holds no uint8/);
  refuses(() => boxDomain(VECTOR, { lower: NaN, upper: 1 }), /not a number/);
  refuses(
    () =>
      vnnlibDomain(
        VECTOR,
        "(declare-const X_0 Real)(assert (<= X_0 1))(assert (>= X_0 0))",
        "p.vnnlib",
      ),
    /"p.vnnlib" declares 1 inputs: input "x" of shape \[1,3\] has 3/,
  );
  refuses(() => rangeDomain(VECTOR, undefined), /no natural range/);
});

Deno.test("ranges are those of the type, or calibrated", () => {
  assert.deepEqual(sidesOf(rangeDomain(BYTES, undefined)), [[0, 0, 0], [255, 255, 255]]);
  assert.deepEqual(sidesOf(rangeDomain(VECTOR, { min: -2, max: 0.5 })), [[-2, -2, -2], [
    0.5,
    0.5,
    0.5,
  ]]);
});

Deno.test("balls are around items, cut at clip, and bear their names and classes", async () => {
  const data = dataOf([[0, 0.5, 1], [0.25, 0.25, 0.25], [1, 1, 1]]);
  const boxes = await ballDomain(VECTOR, { linf: 0.125, take: 2, clip: [0, 1] }, data, "test");
  assert.deepEqual(boxes.map(({ name, label }) => [name, label]), [["item 0", 0], ["item 1", 1]]);
  assert.deepEqual(sidesOf(boxes), [[0, 0.375, 0.875], [0.125, 0.625, 1]]);
  const [point] = await ballDomain(VECTOR, { linf: 0, take: 1 }, data, "test");
  assert.deepEqual(point!.box.lower, point!.box.upper);
  assert.equal((await ballDomain(VECTOR, { linf: 0, take: 99 }, data, "test")).length, 3);
  await assert.rejects(
    ballDomain(VECTOR, { linf: 0.1, clip: [0, 0.75] }, data, "test"),
    /Element 2 of item 0 is 1, outside of clip 0 … 0.75/,
  );
  await assert.rejects(ballDomain(VECTOR, { linf: -1 }, data, "test"), /linf must not be negative/);
  await assert.rejects(ballDomain(IMAGE, { linf: 0 }, data, "test"), UserError);
});

Deno.test("the boxes of a property become float32", () => {
  const text =
    "(declare-const X_0 Real)(assert (or (and (>= X_0 0.1) (<= X_0 0.2)) (and (>= X_0 1) (<= X_0 1))))";
  const boxes = vnnlibDomain({ ...VECTOR, dims: [1, 1], size: 1 }, text, "p");
  assert.deepEqual(boxes.map(({ name }) => name), ["p, box 1 of 2", "p, box 2 of 2"]);
  assert.deepEqual([...boxes[0]!.box.lower, ...boxes[0]!.box.upper], [
    floorFloat32(0.1),
    ceilFloat32(0.2),
  ]);
});
