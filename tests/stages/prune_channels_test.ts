import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { largestDifference } from "../../src/engine/compare.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { type Parameters, parameters } from "../../src/stages/prune_channels/ports.ts";
import { run } from "../../src/stages/prune_channels/run.ts";
import { testWithSharedData } from "../shared_data.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

const random = Random.from(2, "prune");
const normals = (count: number) => Array.from({ length: count }, () => random.normal());
const DATA = numbers({ dims: [4], values: normals(4 * 100) });

/**
 * Two layers; the biases of the first make channels 1 and 3 of 5 zero for all of the data, and channel 2 nearly so.
 *
 * @param bias Of all five.
 */
function network(bias = [0, -1e3, 0, -1e3, 0]): Model {
  const builder = new GraphBuilder();
  const scale = [1, 1, 1e-3, 1, 1];
  const weights = normals(20).map((value, index) => value * scale[index % 5]!);
  const x = builder.input("x", "float32", ["N", 4]);
  const first = builder.op(
    "Gemm",
    [
      x,
      builder.constant(float32([4, 5], weights)),
      builder.constant(float32([5], bias)),
    ],
    {},
    { name: "first" },
  );
  const second = builder.op(
    "Gemm",
    [
      builder.op("Relu", [first]),
      builder.constant(float32([5, 3], normals(15))),
    ],
    {},
    { name: "second" },
  );
  builder.output(second, "float32", ["N", 3]);
  return builder.build();
}

/** What the stage makes of a model. */
async function pruned(
  model: Model,
  given: Partial<Parameters> = {},
  listening = context(),
  data = DATA,
) {
  const { outputs, metrics } = await run(
    fillDefaults(parameters as unknown as Schema, given) as Parameters,
    { model: artifact("model", model, "m.model"), calibration: artifact("dataset", data, "d") },
    listening,
  );
  const { model: small, silenced, record } = outputs;
  return { small: small as Model, silenced: silenced as Model, record, metrics: metrics! };
}

const widths = (model: Model) =>
  [...model.graph.initializers.values()].map(({ dims }) => dims.join("×"));

Deno.test("channels that are zero for all of the data go, and the outputs stay", async () => {
  const model = network();
  const { small, silenced, record, metrics } = await pruned(model);
  assert.deepEqual(widths(small), ["4×3", "3", "3×3"]);
  assert.deepEqual(widths(silenced), ["4×5", "5", "5×3"]);
  assert.equal(metrics.channels, 2);
  assert.equal(metrics.layers, 1);
  assert.equal(metrics.weights, (12 + 3 + 9) / (20 + 5 + 15));
  assert.ok(metrics.max_relative_difference! < 1e-6);
  assert.ok(await largestDifference(model, small, 0) < 1e-6);
  assert.ok(await largestDifference(silenced, small, 0) < 1e-6);
  // The given model stays as it was.
  assert.deepEqual(widths(model), ["4×5", "5", "5×3"]);
  const { layers } = record as { layers: { layer: string; removed: number[] }[] };
  assert.deepEqual(layers.map(({ layer, removed }) => ({ layer, removed })), [
    { layer: "first", removed: [1, 3] },
  ]);
});

Deno.test("a threshold takes channels that hardly matter, and says what that changed", async () => {
  const { small, metrics } = await pruned(network(), { threshold: 0.01 });
  assert.equal(metrics.channels, 3);
  assert.ok(metrics.max_relative_difference! > 1e-6);
  assert.ok(metrics.max_relative_difference! < 0.01);
  assert.deepEqual(widths(small), ["4×2", "2", "2×3"]);
});

Deno.test("a layer keeps a channel even if all are zero", async () => {
  const { small, metrics } = await pruned(network([-1e3, -1e3, -1e3, -1e3, -1e3]));
  assert.equal(metrics.channels, 4);
  assert.deepEqual(widths(small), ["4×1", "1", "1×3"]);
  assert.equal(metrics.max_relative_difference, 0);
});

Deno.test("layers can be left out, and a name that is none is an error", async () => {
  const { metrics } = await pruned(network(), { exclude: ["fir*"] });
  assert.equal(metrics.channels, 0);
  assert.equal(metrics.weights, 1);
  await assert.rejects(pruned(network(), { exclude: ["third"] }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /exclude: no node of the model has a name like "third"/);
    return true;
  });
});

Deno.test("a model whose channels have to stay comes out as it was, with a warning", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const weights = builder.constant(float32([4, 4], normals(16)));
  builder.output(builder.op("Add", [builder.op("MatMul", [x, weights]), x]), "float32", ["N", 4]);
  const listening = context();
  const { small, metrics } = await pruned(builder.build(), {}, listening);
  assert.equal(metrics.channels, 0);
  assert.deepEqual(widths(small), ["4×4"]);
  assert.match(listening.warnings.join(), /No channels of "m.model" can be taken out/);
});

Deno.test("only the first items count where take says so", async () => {
  // One of the last two items wakes up channel 1, whatever its weights are.
  const values = [...normals(4 * 9), 1e6, 1e6, 1e6, 1e6, -1e6, -1e6, -1e6, -1e6];
  const model = network([0, -1e3, 0, 0, 0]);
  const few = numbers({ dims: [4], values });
  const channels = async (take?: number) => {
    const { metrics } = await pruned(model, take === undefined ? {} : { take }, context(), few);
    return metrics.channels;
  };
  assert.equal(await channels(9), 1);
  assert.equal(await channels(), 0);
});

testWithSharedData(
  "the residual network has thirteen channels inside its blocks that no image wakes up",
  "models/cifar10_resnet20.onnx",
  async (path) => {
    const { model } = await prepareModel(await readModel(path), {
      shape: {},
      batch: "dynamic",
      opset: 21,
      fold_batch_norm: true,
      fold_arithmetic: true,
      fold_constants: true,
    });
    const images = numbers({ dims: [3, 32, 32], values: normals(3 * 32 * 32 * 16) });
    const { small, metrics } = await pruned(model, {}, context(), images);
    // Noise wakes up fewer channels than images do.
    assert.ok(metrics.channels! >= 13);
    assert.ok(metrics.max_relative_difference! < 1e-5);
    assert.equal(small.graph.nodes.length, model.graph.nodes.length);
  },
);
