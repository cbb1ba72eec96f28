import assert from "node:assert/strict";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import type { UserError } from "../../src/base/errors.ts";
import { Emitter } from "../../src/engine/autodiff/emitter.ts";
import { gradientGraph, gradientName } from "../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../src/engine/session.ts";
import { inferShapes } from "../../src/engine/shapes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { cloneModel } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { emitLevel, type Estimator } from "../../src/quant/finetune/levels.ts";
import { readQuantization } from "../../src/quant/qdq.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import type { Checkpoints, StageContext } from "../../src/registry/stage.ts";
import { type Parameters, parameters } from "../../src/stages/finetune/ports.ts";
import { run } from "../../src/stages/finetune/run.ts";
import { ITEM, items, quantized, residualNetwork } from "../quant/reconstruct/network.ts";
import { artifact, context, numbers } from "./stage_fixture.ts";

const float = residualNetwork();
const w2a4 = await quantized(float, 2, 4);
const data = numbers({ dims: ITEM, values: [...items(256).data] });

async function tuned(settings: JsonValue = {}, own: Partial<StageContext> = {}, model = w2a4) {
  const listening = context(own);
  const { outputs, metrics } = await run(
    fillDefaults(
      parameters as unknown as Schema,
      { steps: 200, batch: 16, threads: 1, rate: 1e-3, ...settings as object },
    ) as Parameters,
    {
      model: artifact("quantized-model", model, "w2.model"),
      reference: artifact("model", float, "prepare.model"),
      calibration: artifact("dataset", data, "inputs.calibration"),
    },
    listening,
  );
  return { model: outputs.model as Model, metrics: metrics!, warnings: listening.warnings };
}

/** Mean divergence of the softmax of outputs from the float network's, on items that were not learned from. */
async function divergence(model: Model): Promise<number> {
  const answers = async (each: Model) => {
    await using session = await openSession(each);
    return (await session.run({ x: items(64, 1) }))[each.graph.outputs[0]!.name]!
      .data as Float32Array;
  };
  const [own, exact] = [await answers(model), await answers(float)];
  const logarithms = (values: Float32Array) => {
    const sum = values.reduce((total, value) => total + Math.exp(value), 0);
    return Array.from(values, (value) => value - Math.log(sum));
  };
  let total = 0;
  for (let item = 0; item < 64; item++) {
    const [p, q] = [exact, own].map((all) => logarithms(all.subarray(5 * item, 5 * item + 5)));
    p!.forEach((value, at) => total += Math.exp(value) * (value - q![at]!));
  }
  return total / 64;
}

for (const estimator of ["ste", "dsq"]) {
  Deno.test(`training with ${estimator} brings the network closer on items it never saw`, async () => {
    const { model, metrics } = await tuned({ estimator });
    assert.equal(metrics.kept, 1);
    assert.ok(metrics.last_loss! < metrics.first_loss!);
    assert.ok(metrics.distance! < metrics.distance_before!);
    const [before, after] = [await divergence(w2a4), await divergence(model)];
    assert.ok(after < 0.75 * before, `${before} to ${after}`);
  });
}

Deno.test("everything is learned, and the form stays", async () => {
  const { model } = await tuned();
  const [own, before] = [readQuantization(model), readQuantization(w2a4)];
  own.weights.forEach(({ values, bits, parameters }, index) => {
    const given = before.weights[index]!;
    assert.equal(bits, 2);
    assert.ok(Array.from(values).every((value) => value >= -2 && value <= 1));
    assert.deepEqual(parameters.zeroPoint, given.parameters.zeroPoint);
    assert.notDeepEqual(parameters.scale, given.parameters.scale);
  });
  assert.ok(
    own.weights.some(({ values }, index) =>
      Array.from(values).some((value, at) => value !== before.weights[index]!.values[at])
    ),
  );
  const scales = ({ activations }: typeof own) => activations.map((a) => a.parameters!.scale[0]);
  assert.notDeepEqual(scales(own), scales(before));
  assert.equal(own.biases.length, before.biases.length);
});

Deno.test("the scale of an input of 8 bits stays, those of other activations are learned", async () => {
  const given = await quantized(float, 2, 8);
  const { model } = await tuned({ steps: 20, rate: 1e-2 }, {}, given);
  const scales = (each: Model) =>
    readQuantization(each).activations.map(({ quantize, parameters }) => ({
      isInput: quantize.inputs[0] === "x",
      scale: parameters!.scale[0],
    }));
  const [before, after] = [scales(given), scales(model)];
  assert.equal(after.filter(({ isInput }) => isInput).length, 1);
  after.forEach(({ isInput, scale }, index) =>
    assert.equal(scale === before[index]!.scale, isInput)
  );
});

Deno.test("what is trained is what the written model computes", async () => {
  // At a step that changes nothing, the loss of all items that are learned from is the distance of the model itself.
  const { metrics } = await tuned({
    features: 0,
    temperature: 1,
    take: 128,
    batch: 112,
    steps: 1,
    rate: 1e-9,
    weight_rate: 1e-9,
  });
  const answers = async (each: Model) => {
    await using session = await openSession(each);
    return (await session.run({ x: items(128) }))[each.graph.outputs[0]!.name]!
      .data as Float32Array;
  };
  const [own, exact] = [await answers(w2a4), await answers(float)];
  const logarithms = (values: Float32Array) => {
    const sum = values.reduce((total, value) => total + Math.exp(value), 0);
    return Array.from(values, (value) => value - Math.log(sum));
  };
  let total = 0;
  for (let item = 16; item < 128; item++) {
    const [p, q] = [exact, own].map((all) => logarithms(all.subarray(5 * item, 5 * item + 5)));
    p!.forEach((value, at) => total += Math.exp(value) * (value - q![at]!));
  }
  const measured = total / 112;
  const { first_loss: loss } = metrics;
  assert.ok(Math.abs(measured / loss! - 1) < 0.01, `${measured} is not ${loss}`);
});

Deno.test("a model that gets worse stays as it was given", async () => {
  const { model, metrics, warnings } = await tuned({ weight_rate: 50, rate: 1e-9, steps: 4 });
  assert.equal(metrics.kept, 0);
  assert.equal(metrics.distance, metrics.distance_before);
  assert.deepEqual(encodeModel(model), encodeModel(w2a4));
  assert.match(warnings[0]!, /no closer to the float one on the items held back/);
});

Deno.test("interrupted anywhere and run again, the bytes are the same", async () => {
  const { model } = await tuned({ steps: 30 });
  const saved = new Map<string, Uint8Array>();
  const checkpoints: Checkpoints = {
    load: (name) => Promise.resolve(saved.get(name)),
    save: (name, bytes) => Promise.resolve(void saved.set(name, bytes.slice())),
  };
  const abort = new AbortController();
  let reports = 0;
  const first = tuned({ steps: 30 }, {
    checkpoints,
    signal: abort.signal,
    progress: () => {
      if (++reports === 2) abort.abort(new Error("stopped"));
    },
  });
  await assert.rejects(first, /stopped/);
  const second = await tuned({ steps: 30 }, { checkpoints });
  assert.deepEqual(encodeModel(second.model), encodeModel(model));
});

Deno.test("too few items are refused", async () => {
  await assert.rejects(
    tuned({ take: 10, batch: 16 }),
    /Fine-tuning needs at least 17 items.*gives 10/,
  );
});

Deno.test("an operator that gradients cannot pass is named, with what helps", async () => {
  const model = cloneModel(w2a4);
  const relu = model.graph.nodes.find(({ opType }) => opType === "Relu")!;
  relu.opType = "Atan";
  await assert.rejects(tuned({ steps: 1 }, {}, model), (error: UserError) => {
    const [{ message, hint }] = error.problems as [UserError["problems"][number]];
    assert.equal(
      message,
      `The model cannot be trained: Operator Atan of node "${relu.name}" has no gradient rule`,
    );
    assert.match(hint!, /"reconstruct" with method: gptq/);
    return true;
  });
});

/** Rounded values and the gradient of their sum. */
async function level(values: number[], estimator: Estimator, sharpness: number) {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [values.length]);
  const graph = builder.graph();
  const emit = new Emitter(graph, "level");
  const c = (value: number) => emit.scalar(value, "float32");
  emit.alias(emitLevel(emit, x, c(-2), c(1), estimator, c(sharpness)), "y");
  emit.alias(emit.op("ReduceSum", ["y"], { keepdims: 0 }), "loss");
  builder.output("y");
  builder.output("loss");
  const model = builder.build();
  const types = await inferShapes(model);
  const gradient = {
    ...model,
    graph: gradientGraph(model, { loss: "loss", withRespectTo: ["x"], types }),
  };
  await using session = await openSession(gradient);
  const results = await session.run({ x: float32([values.length], values) });
  return {
    y: [...results.y!.data as Float32Array],
    slope: [...results[gradientName("x")]!.data as Float32Array],
  };
}

Deno.test("levels are rounded whatever the estimator, and gradients are what it says", async () => {
  const values = [-3.2, -1.7, -0.51, -0.2, 0.2, 0.49, 0.8, 1.4];
  const expected = [-2, -2, -1, 0, 0, 0, 1, 1];
  const ste = await level(values, "ste", 1);
  assert.deepEqual(ste.y.map((value) => value + 0), expected);
  assert.deepEqual(ste.slope, [0, 1, 1, 1, 1, 1, 1, 0]);
  for (const k of [2, 8]) {
    const dsq = await level(values, "dsq", k);
    dsq.y.forEach((value, index) => assert.ok(Math.abs(value - expected[index]!) < 2e-6));
    // The slope of i + ½ + tanh(k (x − i − ½)) / 2 tanh(k / 2), by differences.
    const soft = (x: number) => {
      const middle = Math.floor(x) + 0.5;
      return middle + Math.tanh(k * (x - middle)) / (2 * Math.tanh(k / 2));
    };
    values.forEach((x, index) => {
      const slope = x < -2 || x > 1 ? 0 : (soft(x + 1e-5) - soft(x - 1e-5)) / 2e-5;
      assert.ok(Math.abs(dsq.slope[index]! - slope) < 1e-3, `${x}: ${dsq.slope[index]}, ${slope}`);
    });
  }
});
