import assert from "node:assert/strict";
import fc from "fast-check";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { Random } from "../../src/base/random.ts";
import { elementCount, float32, type Tensor } from "../../src/onnx/tensor.ts";
import { scaleDims } from "../../src/quant/granularity.ts";
import {
  dequantize,
  fakeQuantize,
  type Grid,
  grid,
  parametersFromRange,
  type QuantizationParameters,
  quantize,
  roundHalfEven,
  tensorParameters,
} from "../../src/quant/grid.ts";
import { integerTensor, integerValues, storageType } from "../../src/quant/qdq/storage.ts";

const anyGrid = fc.record({
  bits: fc.constantFrom(2, 3, 4, 5, 6, 7, 8, 16),
  symmetric: fc.boolean(),
  signed: fc.boolean(),
  narrow: fc.boolean(),
}).map(({ bits, symmetric, signed, narrow }) =>
  grid(bits, { symmetric, signed: signed || symmetric || narrow, narrow })
);
const magnitude = fc.double({ min: 1e-30, max: 1e30, noNaN: true, noDefaultInfinity: true });
const anyRange = fc.tuple(magnitude, magnitude, fc.constantFrom(0, 1, 2)).map(([a, b, sides]) => ({
  min: Math.fround(sides === 1 ? 0 : -a),
  max: Math.fround(sides === 2 ? 0 : b),
}));

function parameters(range: { min: number; max: number }, grid: Grid): QuantizationParameters {
  return tensorParameters(parametersFromRange(range.min, range.max, grid), grid);
}

Deno.test("grid has 2^bits integers, one fewer if narrow", () => {
  assert.deepEqual(grid(8), { bits: 8, signed: false, symmetric: false, qmin: 0, qmax: 255 });
  assert.deepEqual(grid(4, { symmetric: true }), {
    bits: 4,
    signed: true,
    symmetric: true,
    qmin: -8,
    qmax: 7,
  });
  assert.equal(grid(8, { symmetric: true, narrow: true }).qmin, -127);
  assert.deepEqual([grid(1).qmin, grid(1).qmax], [0, 1]);
  assert.equal(grid(16).qmax, 65_535);
});

Deno.test("grid refuses what is no grid", () => {
  for (const bits of [0, 9, 15, 17, 2.5, NaN]) {
    assert.throws(() => grid(bits), {
      name: "RangeError",
      message: `bits must be 1 to 8 or 16: current value is ${bits}`,
    });
  }
  assert.throws(() => grid(8, { symmetric: true, signed: false }), {
    message: "A symmetric grid must be signed",
  });
  assert.throws(() => grid(1, { symmetric: true }), {
    message: "A symmetric or narrow grid must have at least 2 bits",
  });
});

Deno.test("roundHalfEven rounds ties to even", () => {
  const values = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999999, 1e9 + 0.5];
  assert.deepEqual(values.map((value) => roundHalfEven(value) + 0), [-2, -2, 0, 0, 2, 2, 2, 1e9]);
});

Deno.test("parametersFromRange represents zero exactly, with a usable scale and a zero point on the grid", () => {
  fc.assert(fc.property(anyRange, anyGrid, ({ min, max }, grid) => {
    const { scale, zeroPoint } = parametersFromRange(min, max, grid);
    assert.ok(scale >= 2 ** -126 && Number.isFinite(scale));
    assert.equal(scale, Math.fround(scale));
    assert.ok(Number.isInteger(zeroPoint) && zeroPoint >= grid.qmin && zeroPoint <= grid.qmax);
    if (grid.symmetric) assert.equal(zeroPoint, 0);
    assert.deepEqual(
      fakeQuantize(Float32Array.of(0), [1], parameters({ min, max }, grid)),
      Float32Array.of(0),
    );
  }));
});

Deno.test("parametersFromRange covers the range to half a step", () => {
  fc.assert(fc.property(anyRange, anyGrid, ({ min, max }, grid) => {
    const { scale, zeroPoint } = parametersFromRange(min, max, grid);
    const slack = 0.5 + 2 ** -7;
    assert.ok((grid.qmin - zeroPoint - slack) * scale <= min);
    assert.ok((grid.qmax - zeroPoint + slack) * scale >= max);
  }));
});

Deno.test("parametersFromRange answers ranges without width", () => {
  assert.deepEqual(parametersFromRange(0, 0, grid(8)), { scale: 1, zeroPoint: 0 });
  assert.deepEqual(parametersFromRange(0, 0, grid(8, { symmetric: true })), {
    scale: 1,
    zeroPoint: 0,
  });
  // A range away from zero is widened to hold it.
  assert.deepEqual(parametersFromRange(2.55, 2.55, grid(8)), {
    scale: Math.fround(Math.fround(2.55) / 255),
    zeroPoint: 0,
  });
  assert.equal(parametersFromRange(0, 1e-45, grid(8)).scale, 1);
  assert.equal(parametersFromRange(0, 1e-38, grid(8)).scale, 2 ** -126);
  assert.equal(parametersFromRange(-3e38, 3e38, grid(8)).scale, Math.fround(6e38 / 255));
});

Deno.test("parametersFromRange refuses ranges that are not finite and ordered", () => {
  for (const [min, max] of [[1, -1], [NaN, 1], [0, Infinity]] as const) {
    assert.throws(() => parametersFromRange(min, max, grid(8)), {
      name: "RangeError",
      message: `A range must be finite and ordered: current value is ${min} … ${max}`,
    });
  }
});

Deno.test("fakeQuantize is idempotent, monotonic, and within half a step inside the range", () => {
  const values = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(values, anyRange, anyGrid, (factors, range, grid) => {
    const width = Math.max(-range.min, range.max);
    const data = Float32Array.from(factors, (factor) => factor * width).sort();
    const chosen = parameters(range, grid);
    const once = fakeQuantize(data, [data.length], chosen);
    assert.deepEqual(fakeQuantize(once, [data.length], chosen), once);
    const scale = chosen.scale[0]!;
    const low = (grid.qmin - chosen.zeroPoint[0]!) * scale;
    const high = (grid.qmax - chosen.zeroPoint[0]!) * scale;
    data.forEach((value, index) => {
      if (index > 0) assert.ok(once[index]! >= once[index - 1]!);
      const inside = Math.min(Math.max(value, low), high);
      // Dividing and multiplying in float32 costs a few last bits.
      const tolerance = scale / 2 + Math.abs(inside) * 2 ** -22;
      assert.ok(Math.abs(once[index]! - inside) <= tolerance);
    });
  }));
});

Deno.test("fakeQuantize inverts dequantize on every integer of a grid", () => {
  for (const bits of [1, 2, 3, 4, 5, 6, 7, 8, 16]) {
    const target = grid(bits);
    const count = target.qmax + 1;
    const all = Uint16Array.from({ length: count }, (_, value) => value);
    const chosen = tensorParameters({ scale: Math.fround(0.1), zeroPoint: count >> 1 }, target);
    const data = dequantize(all, [count], chosen);
    assert.deepEqual(Uint16Array.from(quantize(data, [count], chosen)), all);
  }
});

interface Case {
  readonly name: string;
  readonly dims: readonly number[];
  readonly axis?: number;
  readonly blockSize?: number;
}

const CASES: Case[] = [
  { name: "tensor", dims: [7, 5, 3] },
  { name: "first axis", dims: [7, 5, 3], axis: 0 },
  { name: "middle axis", dims: [7, 5, 3], axis: 1 },
  { name: "last axis, negative", dims: [7, 5, 3], axis: -1 },
  { name: "blocks of the middle axis", dims: [4, 6, 3], axis: 1, blockSize: 2 },
  { name: "blocks of the last axis", dims: [4, 12], axis: 1, blockSize: 4 },
  { name: "blocks of the first axis", dims: [6, 5], axis: 0, blockSize: 3 },
  { name: "blocks, the last of them shorter", dims: [4, 10], axis: 1, blockSize: 4 },
];

/** Scales and zero points at random, and data of which a part is beyond the grid, with many ties. */
function randomCase({ dims, axis, blockSize }: Case, target: Grid) {
  const random = Random.from(target.bits, dims.join());
  const where = {
    ...(axis === undefined ? {} : { axis }),
    ...(blockSize === undefined ? {} : { blockSize }),
  };
  const count = elementCount(scaleDims(dims, where));
  const levels = target.qmax - target.qmin + 1;
  const chosen: QuantizationParameters = {
    scale: Float32Array.from({ length: count }, () => 0.01 + random.uniform()),
    zeroPoint: Int32Array.from({ length: count }, () => target.qmin + random.integer(levels)),
    grid: target,
    ...where,
  };
  const data = Float32Array.from(
    { length: elementCount(dims) },
    () => random.integer(4) === 0 ? random.integer(9) / 2 - 2 : random.normal() * levels / 3,
  );
  return { chosen, data, count };
}

for (const signed of [true, false]) {
  for (const bits of [4, 8, 16]) {
    const target = grid(bits, { signed });
    const type = storageType(target, "native");
    Deno.test(`quantize and dequantize agree with ONNX Runtime: ${type}`, async () => {
      for (const each of CASES) {
        const { chosen, data } = randomCase(each, target);
        const { dims, axis, blockSize } = each;
        const shape = scaleDims(dims, chosen);
        const builder = new GraphBuilder();
        const x = builder.input("x", "float32", dims);
        const scale = builder.constant(float32(shape, chosen.scale));
        const zero = builder.constant(integerTensor(type, shape, chosen.zeroPoint));
        const attributes = {
          ...(axis === undefined ? {} : { axis }),
          ...(blockSize === undefined ? {} : { block_size: blockSize }),
        };
        const q = builder.op("QuantizeLinear", [x, scale, zero], attributes);
        const y = builder.op("DequantizeLinear", [q, scale, zero], attributes);
        builder.output(y);
        if (bits >= 8) builder.output(q);
        await using session = await openSession(builder.build());
        const results = await session.run({ x: float32(dims, data) });
        const values = quantize(data, dims, chosen);
        if (bits >= 8) {
          assert.deepEqual(
            Array.from(values),
            Array.from(integerValues(results[q]! as Tensor)),
            each.name,
          );
        }
        assert.deepEqual(dequantize(values, dims, chosen), results[y]!.data, each.name);
      }
    });
  }
}

Deno.test("quantize refuses data and parameters that do not fit the shape", () => {
  const chosen = tensorParameters({ scale: 1, zeroPoint: 0 }, grid(8));
  assert.throws(() => quantize(new Float32Array(3), [2, 2], chosen), {
    name: "RangeError",
    message: "Data of shape [2,2] must have 4 values: current value has 3",
  });
  assert.throws(() => quantize(new Float32Array(4), [2, 2], { ...chosen, axis: 0 }), {
    message: "Shape [2,2] needs 2 scales: current value has 1",
  });
  assert.throws(() => quantize(new Float32Array(4), [2, 2], { ...chosen, axis: 2 }), {
    message: "Axis 2 does not exist in shape [2,2]",
  });
  assert.throws(() => quantize(new Float32Array(4), [2, 2], { ...chosen, axis: 0, blockSize: 0 }), {
    message: "Block size must be an integer ≥ 1: current value is 0",
  });
});
