import type { Random } from "../../../src/base/random.ts";
import { distinct, pick, sample, shape, testRule } from "./gradient_check.ts";

function window(random: Random, rank: number) {
  const each = (draw: (axis: number) => number) => Array.from({ length: rank }, (_, i) => draw(i));
  const kernel = each(() => 1 + random.integer(3));
  const dilations = each(() => pick(random, [1, 1, 2]));
  const strides = each((axis) => pick(random, [1, 2, 3, kernel[axis]!]));
  const tiled = random.integer(3) === 0;
  return {
    kernel_shape: kernel,
    strides: tiled ? kernel : strides,
    dilations: tiled ? each(() => 1) : dilations,
    // A pad must be smaller than the kernel.
    pads: tiled ? [...each(() => 0), ...each(() => 0)] : [
      ...each((axis) => random.integer(kernel[axis]!)),
      ...each((a) => random.integer(kernel[a]!)),
    ],
    ceil_mode: random.integer(2),
  };
}

type Window = ReturnType<typeof window>;

function dims(random: Random, { kernel_shape: kernel, dilations }: Window): number[] {
  const sizes = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1 + random.integer(5));
  return [1 + random.integer(2), 1 + random.integer(3), ...sizes];
}

/**
 * Rounds the output size up only where the last window starts inside the input: ONNX Runtime's shape inference
 * and its kernels disagree on the others, so that no such model runs.
 */
function runnable(pool: Window, shape: readonly number[]): Window {
  const { kernel_shape: kernel, strides, dilations, pads } = pool;
  const fine = kernel.every((size, axis) => {
    const padded = shape[axis + 2]! + pads[axis]! + pads[axis + kernel.length]!;
    const steps = Math.ceil((padded - (size - 1) * dilations[axis]! - 1) / strides[axis]!);
    return steps * strides[axis]! < shape[axis + 2]! + pads[axis]!;
  });
  return fine ? pool : { ...pool, ceil_mode: 0 };
}

for (const rank of [1, 2]) {
  testRule(`MaxPool in dimension ${rank}`, { type: "float64" }, (random) => {
    const pool = window(random, rank);
    const size = dims(random, pool);
    const attributes = runnable(pool, size);
    return {
      variables: [distinct(random, size)],
      build: (builder, names) => builder.op("MaxPool", names, attributes),
    };
  });

  testRule(`AveragePool in dimension ${rank}`, { type: "float32", epsilon: 0.5 }, (random) => {
    const pool = window(random, rank);
    const size = dims(random, pool);
    const attributes = { ...runnable(pool, size), count_include_pad: random.integer(2) };
    return {
      variables: [sample(random, size)],
      build: (builder, names) => builder.op("AveragePool", names, attributes),
    };
  });
}

testRule("GlobalAveragePool", { type: "float32", epsilon: 0.5 }, (random) => ({
  variables: [sample(random, shape(random, 4))],
  build: (builder, names) => builder.op("GlobalAveragePool", names),
}));

testRule("GlobalMaxPool", { type: "float32", epsilon: 0.004 }, (random) => ({
  variables: [distinct(random, shape(random, 4))],
  build: (builder, names) => builder.op("GlobalMaxPool", names),
}));
