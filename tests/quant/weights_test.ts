import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../src/base/random.ts";
import { elementCount, float32, int64s } from "../../src/onnx/tensor.ts";
import { dequantize, fakeQuantize } from "../../src/quant/grid.ts";
import { scaleDims } from "../../src/quant/granularity.ts";
import { RANGE_METHODS } from "../../src/quant/ranges.ts";
import { quantizeWeights, type WeightOptions } from "../../src/quant/weights.ts";

function weights(dims: readonly number[], seed = 0) {
  const random = Random.from(seed, dims.join());
  const count = elementCount(dims);
  return float32(dims, Float32Array.from({ length: count }, () => random.normal() / 10));
}

const CHANNEL = { granularity: "channel", axis: 0 } as const;

Deno.test("quantizeWeights gives each channel the scale of its greatest weight", () => {
  const tensor = float32([2, 3], [0.5, -1, 0.25, 0, 4, -2.5]);
  const { values, parameters, error } = quantizeWeights(tensor, {
    bits: 4,
    symmetric: true,
    ...CHANNEL,
    range: "minmax",
  });
  // −1 is at the lower end of −8 … 7, 4 at the upper.
  assert.deepEqual(parameters.scale, Float32Array.of(1 / 8, 4 / 7));
  assert.deepEqual(parameters.zeroPoint, Int32Array.of(0, 0));
  assert.deepEqual(values, Int8Array.of(4, -8, 2, 0, 7, -4));
  const restored = dequantize(values, tensor.dims, parameters);
  const differences = tensor.data.map((value, index) => value - restored[index]!);
  const noise = differences.reduce((sum, value) => sum + value * value, 0);
  const signal = tensor.data.reduce((sum, value) => sum + value * value, 0);
  assert.ok(Math.abs(error.meanSquare - noise / 6) < 1e-9);
  assert.ok(Math.abs(error.signalToNoise! - 10 * Math.log10(signal / noise)) < 1e-4);
  assert.ok(Math.abs(error.maximum - Math.max(...differences.map(Math.abs))) < 1e-7);
});

Deno.test("quantizeWeights is finer with channels and groups than with one scale", () => {
  const tensor = weights([8, 32]);
  const data = tensor.data.map((value, index) => value * (1 + Math.floor(index / 32)));
  const error = (options: Pick<WeightOptions, "granularity" | "axis" | "blockSize">) =>
    quantizeWeights(float32([8, 32], data), {
      bits: 4,
      symmetric: false,
      range: "minmax",
      ...options,
    }).error.meanSquare;
  const whole = error({ granularity: "tensor" });
  const channels = error(CHANNEL);
  const groups = error({ granularity: "group", axis: 1, blockSize: 8 });
  assert.ok(groups < channels && channels < whole);
});

Deno.test("quantizeWeights rounds as fakeQuantize does, for every width, symmetry, granularity and method", () => {
  const tensor = weights([6, 5, 3, 3]);
  for (const bits of [2, 3, 4, 5, 6, 7, 8, 16]) {
    for (const symmetric of [true, false]) {
      for (
        const where of [
          { granularity: "tensor" },
          { granularity: "channel", axis: 0 },
          { granularity: "channel", axis: 1 },
          { granularity: "group", axis: 1, blockSize: 2 },
        ] as const
      ) {
        for (const range of RANGE_METHODS) {
          const { values, parameters } = quantizeWeights(tensor, {
            bits,
            symmetric,
            ...where,
            range,
          });
          assert.equal(
            parameters.scale.length,
            elementCount(scaleDims(tensor.dims, parameters)),
          );
          const { qmin, qmax } = parameters.grid;
          assert.ok(values.every((value: number) => value >= qmin && value <= qmax));
          if (symmetric) assert.ok(parameters.zeroPoint.every((zero) => zero === 0));
          assert.deepEqual(
            dequantize(values, tensor.dims, parameters),
            fakeQuantize(tensor.data, tensor.dims, parameters),
          );
        }
      }
    }
  }
});

Deno.test("quantizeWeights with mse is never worse than minmax in its own measure", () => {
  const anyWeights = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(anyWeights, fc.constantFrom(2, 4, 8), fc.boolean(), (list, bits, symmetric) => {
      const tensor = float32([list.length], list);
      const loss = (range: "mse" | "minmax") => {
        const { values, parameters } = quantizeWeights(tensor, {
          bits,
          symmetric,
          granularity: "tensor",
          range,
        });
        const restored = dequantize(values, tensor.dims, parameters);
        return tensor.data.reduce(
          (sum, value, index) => sum + Math.abs(value - restored[index]!) ** 2.4,
          0,
        );
      };
      assert.ok(loss("mse") <= loss("minmax") * (1 + 1e-4) + 1e-12);
    }),
  );
});

Deno.test("stochastic rounding goes up or down by the fraction, keeps the mean, and repeats with its seed", () => {
  const tensor = float32([40_000], new Float32Array(40_000).fill(0.3).fill(1.5, 0, 1));
  const quantized = (seed: number) =>
    quantizeWeights(tensor, {
      bits: 2,
      symmetric: false,
      signed: false,
      granularity: "tensor",
      range: "minmax",
      rounding: "stochastic",
      seed,
    });
  const { values, parameters } = quantized(1);
  // 0.3 is at 0.6 steps of 0.5.
  assert.deepEqual(parameters.scale, Float32Array.of(0.5));
  const rest: number[] = Array.from(values.subarray(1));
  assert.ok(rest.every((value) => [0, 1].includes(value)));
  const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length;
  assert.ok(Math.abs(mean - 0.6) < 4 * Math.sqrt(0.6 * 0.4 / rest.length), `${mean}`);
  assert.deepEqual(quantized(1).values, values);
  assert.notDeepEqual(quantized(2).values, values);
});

Deno.test("stochastic rounding leaves values on the grid where they are", () => {
  const tensor = float32([16], Array.from({ length: 16 }, (_, index) => (index - 8) / 8));
  const options: WeightOptions = {
    bits: 4,
    symmetric: true,
    granularity: "tensor",
    range: "minmax",
  };
  const { values } = quantizeWeights(tensor, { ...options, rounding: "stochastic", seed: 5 });
  assert.deepEqual(values, quantizeWeights(tensor, options).values);
});

Deno.test("quantizeWeights says what is missing or wrong", () => {
  const tensor = weights([2, 2]);
  const options: WeightOptions = {
    bits: 8,
    symmetric: true,
    granularity: "tensor",
    range: "minmax",
  };
  assert.throws(() => quantizeWeights(int64s([1]), options), {
    name: "TypeError",
    message: "Weights must be float32: current value is int64",
  });
  assert.throws(() => quantizeWeights(tensor, { ...options, granularity: "channel" }), {
    name: "RangeError",
    message: "Granularity channel needs an axis",
  });
  assert.throws(() => quantizeWeights(tensor, { ...options, granularity: "group", axis: 1 }), {
    message: "Granularity group needs a block size",
  });
});
