import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { runWithIntermediates } from "../../../src/engine/intermediates.ts";
import { float } from "../../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32 } from "../../../src/onnx/tensor.ts";
import {
  batchNormStatistics,
  setFoldedStatistics,
} from "../../../src/quant/distributions/batch_norm.ts";
import { momentsOf } from "../../../src/quant/distributions/channel_distribution.ts";
import { activationDistributions } from "../../../src/quant/distributions/propagate.ts";
import { prepareModel } from "../../../src/stages/prepare/run.ts";

const random = Random.from(5, "distributions");
const numbers = (dims: number[], make: () => number) =>
  float32(dims, Array.from({ length: elementCount(dims) }, make));
const normal = (...dims: number[]) => numbers(dims, () => random.normal());
const positive = (...dims: number[]) => numbers(dims, () => 0.3 + random.uniform());

const CHANNELS = 6;
const PREPARE = {
  shape: {},
  batch: "keep",
  opset: 21,
  fold_batch_norm: true,
  fold_arithmetic: true,
  fold_constants: true,
} as const;

/** A network whose batch normalizations see exactly what their statistics say, when it is fed noise. */
function network(): Model {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", CHANNELS, 5, 5]);
  const norm = (name: string) =>
    builder.op(
      "BatchNormalization",
      [
        x,
        builder.constant(normal(CHANNELS)),
        builder.constant(normal(CHANNELS)),
        builder.constant(numbers([CHANNELS], () => 0)),
        builder.constant(numbers([CHANNELS], () => 1)),
      ],
      { epsilon: float(1e-12) },
      { name },
    );
  const op = (
    name: string,
    opType: string,
    inputs: string[],
    attributes: Record<string, number | number[] | ReturnType<typeof float>> = {},
  ) => builder.op(opType, inputs, attributes, { name });
  const scalar = (value: number) => builder.constant(value);
  const n1 = norm("n1");
  const relu = op("relu", "Relu", [n1]);
  const clip = op("clip", "Clip", [n1, scalar(-0.5), scalar(0.8)]);
  op("leaky", "LeakyRelu", [n1], { alpha: float(0.2) });
  op("bounded", "Min", [relu, builder.constant(positive(CHANNELS, 1, 1))]);
  op("scaled", "Mul", [clip, builder.constant(normal(CHANNELS, 1, 1))]);
  op("shifted", "Add", [relu, builder.constant(normal(1, CHANNELS, 1, 1))]);
  op("joined", "Concat", [relu, clip], { axis: 1 });
  op("conv", "Conv", [
    relu,
    builder.constant(normal(4, CHANNELS, 1, 1)),
    builder.constant(normal(4)),
  ]);
  op("grouped", "Conv", [clip, builder.constant(normal(4, CHANNELS / 2, 1, 1))], { group: 2 });
  op("deep", "Conv", [relu, builder.constant(normal(CHANNELS, 1, 2, 2))], { group: CHANNELS });
  const part = op("part", "Slice", [
    relu,
    builder.constant([1]),
    builder.constant([4]),
    builder.constant([1]),
  ]);
  op("padded", "Pad", [part, builder.constant([0, 1, 0, 0, 0, 2, 0, 0])]);
  const pooled = op("pooled", "GlobalAveragePool", [relu]);
  const flat = op("flat", "Flatten", [pooled], { axis: 1 });
  op("gemm", "Gemm", [flat, builder.constant(normal(CHANNELS, 3)), builder.constant(normal(3))], {
    alpha: float(0.5),
    beta: float(2),
  });
  op("unknown", "Sigmoid", [relu]);
  for (const { outputs } of [...builder.graph().nodes]) builder.output(outputs[0]!);
  return builder.build();
}

Deno.test("distributions of activations are those that are measured", async () => {
  const { model } = await prepareModel(network(), {
    ...PREPARE,
    fold_batch_norm: false,
    fold_arithmetic: false,
  });
  const known = activationDistributions(model);
  const names = ["n1", "relu", "clip", "leaky", "bounded", "scaled", "shifted", "joined", "conv"]
    .concat("grouped", "deep", "part", "padded", "pooled", "gemm");
  assert.ok(!known.has("unknown") && !known.has("x"));
  const items = 600;
  const feeds = { x: normal(items, CHANNELS, 5, 5) };
  await runWithIntermediates(model, names, () => [feeds], (values) => {
    for (const name of names) {
      const { dims, data } = values[name]!;
      const { mean, variance } = momentsOf(known.get(name)!);
      const [channels, size] = [dims[1]!, elementCount(dims.slice(2))];
      assert.equal(mean.length, channels, name);
      for (let channel = 0; channel < channels; channel++) {
        const found: number[] = [];
        for (let item = 0; item < items; item++) {
          const start = (item * channels + channel) * size;
          found.push(...(data as Float32Array).subarray(start, start + size));
        }
        const average = found.reduce((sum, value) => sum + value, 0) / found.length;
        const spread = found.reduce((sum, value) => sum + (value - average) ** 2, 0) / found.length;
        // Six standard errors, with 9 positions counted as if they were one where layers mix them.
        const error = 6 * Math.sqrt((variance[channel]! + 1e-12) / items);
        assert.ok(
          Math.abs(mean[channel]! - average) < error,
          `${name}[${channel}]: mean ${mean[channel]} is not ${average}`,
        );
        // Averages over positions vary less than what is averaged; by how much is not claimed.
        if (name === "pooled" || name === "gemm") assert.ok(spread <= 1.05 * variance[channel]!);
        else assert.ok(Math.abs(spread - variance[channel]!) <= 0.12 * variance[channel]!, name);
      }
    }
  });
});

Deno.test("a sum has the mean and, for independent summands, the variance of both", () => {
  const builder = new GraphBuilder();
  const sides = ["a", "b"].map((name) => {
    const input = builder.input(`${name}_input`, "float32", ["N", 2, 3, 3]);
    const norm = builder.op(
      "BatchNormalization",
      [
        input,
        ...[[2, -3], [1, -1], [0, 0], [1, 1]].map((values) =>
          builder.constant(float32([2], values))
        ),
      ],
      {},
      { name },
    );
    return builder.op("Relu", [norm], {}, { name: `${name}_relu` });
  });
  builder.output(builder.op("Add", sides, {}, { name: "sum" }));
  const known = activationDistributions(builder.build());
  const one = momentsOf(known.get("a_relu")!);
  const both = known.get("sum")!;
  one.mean.forEach((value, channel) => {
    assert.equal(both.mean[channel], 2 * value);
    assert.ok(Math.abs(both.deviation[channel]! ** 2 / (2 * one.variance[channel]!) - 1) < 1e-12);
  });
  assert.deepEqual([...both.least], [0, 0]);
  // They are bounds of the values; the distribution is not cut there, or its mean would be another.
  assert.deepEqual([...both.low], [-Infinity, -Infinity]);
});

Deno.test("folding keeps what batch normalization knew, and moves it with arithmetic that follows", async () => {
  const [gamma, beta, factor] = [normal(4), normal(4), normal(4, 1, 1)];
  const builder = new GraphBuilder();
  const conv = builder.op("Conv", [
    builder.input("x", "float32", ["N", 3, 5, 5]),
    builder.constant(normal(4, 3, 3, 3)),
  ]);
  const norm = builder.op("BatchNormalization", [
    conv,
    ...[gamma, beta, normal(4), positive(4)].map((value) => builder.constant(value)),
  ]);
  const scaled = builder.op("Mul", [norm, builder.constant(factor)], {}, { name: "scaled" });
  builder.output(builder.op("Relu", [scaled], {}, { name: "y" }));
  const { model } = await prepareModel(builder.build(), PREPARE);
  assert.deepEqual(model.graph.nodes.map(({ opType }) => opType), ["Conv", "Relu"]);
  const statistics = batchNormStatistics(model);
  assert.deepEqual([...statistics.keys()], ["scaled"]);
  const { mean, deviation } = statistics.get("scaled")!;
  for (let channel = 0; channel < 4; channel++) {
    const [f, g, b] = [factor, gamma, beta].map(({ data }) => (data as Float32Array)[channel]!);
    assert.ok(Math.abs(mean[channel]! - b! * f!) < 1e-6);
    assert.ok(Math.abs(deviation[channel]! - Math.abs(g! * f!)) < 1e-6);
  }
  // Prepared again, nothing is lost.
  const again = await prepareModel(model, PREPARE);
  assert.deepEqual(batchNormStatistics(again.model), statistics);
  setFoldedStatistics(model, new Map());
  assert.equal(batchNormStatistics(model).size, 0);
});

Deno.test("a damaged metadata entry is named", () => {
  const model = new GraphBuilder().build();
  model.metadata.set("bitbound.batch_norm", '{"a": {"mean": [1]}}');
  assert.throws(
    () => batchNormStatistics(model),
    /"bitbound.batch_norm" of the model cannot be read/,
  );
});
