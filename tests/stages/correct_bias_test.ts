import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { Random } from "../../src/base/random.ts";
import type { UserError } from "../../src/base/errors.ts";
import { openSession } from "../../src/engine/session.ts";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32, type Tensor } from "../../src/onnx/tensor.ts";
import type { CorrectedLayer } from "../../src/quant/bias_correction.ts";
import { readQuantization } from "../../src/quant/qdq.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { correctBias } from "../../src/stages/correct_bias/mod.ts";
import { type Parameters, parameters } from "../../src/stages/correct_bias/ports.ts";
import { run } from "../../src/stages/correct_bias/run.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import {
  type Parameters as QuantizeParameters,
  parameters as quantizeParameters,
} from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import {
  ITEM,
  items,
  quantized as quantizedWithData,
  residualNetwork,
} from "../quant/reconstruct/network.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

const CHANNELS = 8;

/** Layers without padding, fed what their batch normalizations expect when the input is standard normal noise. */
async function network(): Promise<Model> {
  const random = Random.from(4, "correct-bias");
  const normal = (dims: number[], scale = 1, center = 0) =>
    float32(
      dims,
      Array.from({ length: elementCount(dims) }, () => center + scale * random.normal()),
    );
  const builder = new GraphBuilder();
  const constant = builder.constant.bind(builder);
  const identity = float32(
    [CHANNELS, CHANNELS, 1, 1],
    Array.from({ length: CHANNELS ** 2 }, (_, index) => index % (CHANNELS + 1) === 0 ? 1 : 0),
  );
  const x = builder.input("x", "float32", ["N", CHANNELS, 5, 5]);
  const stem = builder.op("Conv", [x, constant(identity)], {}, { name: "stem" });
  const norm = builder.op("BatchNormalization", [
    stem,
    constant(normal([CHANNELS], 0.3, 1)),
    constant(normal([CHANNELS], 0.7, 0.5)),
    constant(float32([CHANNELS], Array(CHANNELS).fill(0))),
    constant(float32([CHANNELS], Array(CHANNELS).fill(1))),
  ], { epsilon: float(1e-12) });
  const relu = builder.op("Clip", [norm, constant(0), constant(1.5)]);
  const wide = builder.op(
    "Conv",
    [relu, constant(normal([6, CHANNELS, 3, 3]))],
    {},
    { name: "wide" },
  );
  const deep = builder.op(
    "Conv",
    [relu, constant(normal([CHANNELS, 1, 3, 3])), constant(normal([CHANNELS]))],
    { group: CHANNELS },
    { name: "deep" },
  );
  builder.output(wide, "float32", ["N", 6, 3, 3]);
  builder.output(deep, "float32", ["N", CHANNELS, 3, 3]);
  const { model } = await prepareModel(builder.build(), {
    shape: {},
    batch: "keep",
    opset: 21,
    fold_batch_norm: true,
    fold_arithmetic: true,
    fold_constants: true,
  });
  return model;
}

function quantized(model: Model, settings: JsonValue): Model {
  return quantizeModel(
    model,
    undefined,
    fillDefaults(quantizeParameters as unknown as Schema, settings) as QuantizeParameters,
    context(),
  ).outputs.model;
}

const THREE_BITS = {
  weights: { bits: 3, granularity: "tensor", range: "minmax" },
  activations: { mode: "none" },
  // What enters the other layers is then what the float network has there.
  overrides: [{ match: "stem", skip: true }],
};

interface Given {
  readonly settings?: JsonValue;
  readonly data?: ReturnType<typeof numbers>;
}

async function corrected(model: Model, reference: Model, { settings = {}, data }: Given = {}) {
  const { outputs, metrics } = await run(
    fillDefaults(parameters as unknown as Schema, settings) as Parameters,
    {
      model: artifact("quantized-model", model, "w3.model"),
      reference: artifact("model", reference, "prepare.model"),
      calibration: data && artifact("dataset", data, "inputs.calibration"),
    },
    context(),
  );
  const { layers } = outputs.record as unknown as { layers: CorrectedLayer[] };
  return { model: outputs.model as Model, layers, metrics: metrics! };
}

/** Mean of each channel of all outputs, one after the other. */
async function outputMeans(model: Model, feeds: Record<string, Tensor>): Promise<number[]> {
  await using session = await openSession(model);
  const results = await session.run(feeds);
  return Object.values(results).flatMap(({ dims, data }) => {
    const channels = dims[1]!;
    const size = elementCount(dims.slice(2));
    const sums = new Float64Array(channels);
    (data as Float32Array).forEach((value, index) =>
      sums[Math.floor(index / size) % channels]! += value
    );
    return [...sums.map((sum) => sum * channels / data.length)];
  });
}

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.sqrt(a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0) / a.length);

Deno.test("means that batch normalization tells take back what rounding changed", async () => {
  const reference = await network();
  const model = quantized(reference, THREE_BITS);
  const { model: result, layers, metrics } = await corrected(model, reference);
  assert.deepEqual(metrics.layers, 2);
  assert.deepEqual(layers.map(({ layer }) => layer), ["wide", "deep"]);
  const random = Random.from(5, "items");
  const dims = [400, CHANNELS, 5, 5];
  const x = float32(dims, Array.from({ length: elementCount(dims) }, () => random.normal()));
  const wanted = await outputMeans(reference, { x });
  const before = distance(await outputMeans(model, { x }), wanted);
  const after = distance(await outputMeans(result, { x }), wanted);
  assert.ok(before > 0.1, `${before}`);
  // What is left is that 400 items are not all that there could be.
  assert.ok(after < 0.05 * before, `${before} to ${after}`);
  // Weights stay.
  assert.deepEqual(
    readQuantization(result).weights.map(({ values }) => values),
    readQuantization(model).weights.map(({ values }) => values),
  );
  assert.equal(readQuantization(model).biases.length, readQuantization(result).biases.length);
});

Deno.test("means of data do the same, with quantized activations and integer biases", async () => {
  const reference = residualNetwork();
  const model = await quantizedWithData(reference, 3, 4);
  const data = numbers({ dims: ITEM, values: [...items(64).data] });
  const { model: result, metrics } = await corrected(model, reference, {
    settings: { method: "empirical", threads: 1 },
    data,
  });
  assert.ok(metrics.loss_after! < metrics.loss_before!);
  assert.ok(metrics.layers! > 0);
  assert.equal(readQuantization(result).biases.length, readQuantization(model).biases.length);
  const feeds = { x: items(64, 1) };
  const wanted = await outputMeans(reference, feeds);
  const before = distance(await outputMeans(model, feeds), wanted);
  const after = distance(await outputMeans(result, feeds), wanted);
  assert.ok(after < 0.5 * before, `${before} to ${after}`);
});

Deno.test("a layer of whose input nothing is known keeps its bias", async () => {
  const reference = await network();
  const { layers } = await corrected(
    quantized(reference, { ...THREE_BITS, overrides: [] }),
    reference,
  );
  assert.deepEqual(layers[0], {
    layer: "stem",
    largest: 0,
    skipped: "nothing is known of its input",
  });
});

Deno.test("layers without a grid of their own are left out, and say why", async () => {
  const reference = await network();
  const model = quantized(reference, {
    weights: { bits: 3, mapping: "codebook" },
    activations: { mode: "none" },
  });
  const { layers, metrics } = await corrected(model, reference);
  assert.equal(metrics.layers, 0);
  assert.ok(layers.every(({ skipped }) => skipped === "its weights take values of a codebook"));
});

Deno.test("a model that tells nothing of its activations asks for data", async () => {
  const reference = residualNetwork();
  const model = await quantizedWithData(reference, 3);
  await assert.rejects(corrected(model, reference), (error: UserError) => {
    assert.match(error.message, /nothing in the model "prepare.model" tells/);
    assert.match(
      error.problems[0]!.hint!,
      /say method: empirical, with data: real, or noise from .* method: range/,
    );
    return true;
  });
});

Deno.test("only the method that reads data takes any", () => {
  const ignored = (settings: JsonValue) =>
    correctBias.ignores!(fillDefaults(parameters as unknown as Schema, settings) as Parameters);
  assert.deepEqual(ignored({}), ["calibration"]);
  assert.deepEqual(ignored({ method: "empirical" }), []);
});
