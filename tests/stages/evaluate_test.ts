import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Static } from "@sinclair/typebox";
import type { Dataset } from "../../src/data/dataset.ts";
import { productsSaturate } from "../../src/engine/cpu.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { type DataType, float32, scalar, tensor } from "../../src/onnx/tensor.ts";
import { readModel } from "../../src/onnx/read.ts";
import type { Evaluation } from "../../src/quant/evaluation.ts";
import type { parameters } from "../../src/stages/evaluate/ports.ts";
import evaluate from "../../src/stages/evaluate/mod.ts";
import { run } from "../../src/stages/evaluate/run.ts";
import { qdqModel, waves } from "../engine/qdq_models.ts";
import { sharedData, testWithSharedData } from "../shared_data.ts";
import { artifact, context, Fixture, type ListeningContext, numbers } from "./stage_fixture.ts";

type Settings = Static<typeof parameters>;
const DEFAULTS: Settings = { metrics: "auto", arithmetic: "simulated", scores: "auto", peak: 1 };

/** Multiplies two inputs by a matrix to three logits. */
function linear(weights: number[], options: { batch?: number; end?: string } = {}): Model {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", [options.batch ?? "n", 2]);
  const w = graph.constant(float32([2, 3], weights), "w");
  const logits = graph.op("MatMul", [x, w], {}, { outputs: ["logits"] });
  graph.output(options.end === undefined ? logits : graph.op(options.end, [logits]));
  return graph.build();
}

const FLOAT = linear([1, 0, 0, 0, 1, 0]);
/** Items and the class that the float model gives them: 0, 1, 0, 1, 2. */
const ITEMS = { dims: [2], values: [3, 1, 1, 4, 2, 1, 0, 5, -1, -2] };
const LABELS = [0, 1, 0, 0, 2];

interface Case {
  model?: Model;
  kind?: "model" | "quantized-model";
  reference?: Model;
  data?: Dataset;
  settings?: Partial<Settings>;
  context?: ListeningContext;
}

async function evaluated(
  given: Case,
): Promise<{ metrics: Record<string, number>; evaluation: Evaluation }> {
  await using fixture = new Fixture();
  const { data = numbers(ITEMS, { labels: LABELS }) } = given;
  const result = await run(
    { ...DEFAULTS, ...given.settings },
    {
      model: fixture.model(given.kind ?? "model", given.model ?? FLOAT, "w.model"),
      reference: given.reference && fixture.model("model", given.reference, "float.model"),
      test: artifact("dataset", data, "inputs.test"),
    },
    given.context ?? context(),
  );
  const { evaluation } = result.outputs;
  ok(!(evaluation instanceof Uint8Array));
  return { metrics: { ...result.metrics! }, evaluation };
}

Deno.test("a float model alone: accuracy by hand, every class, sizes", async () => {
  const { metrics, evaluation } = await evaluated({});
  equal(metrics.items, 5);
  equal(metrics.top1, 4 / 5);
  equal(metrics.worst_class_top1, 2 / 3);
  equal(metrics.bits, 32);
  equal(metrics.weight_bytes, 24);
  ok(metrics.file_bytes! > 24 && metrics.file_bytes! < 1000);
  ok(!("agreement" in metrics) && !("top1_drop" in metrics) && !("float_bytes" in metrics));
  deepEqual(evaluation.classes, [
    { name: "0", count: 3, top1: 2 / 3 },
    { name: "1", count: 1, top1: 1 },
    { name: "2", count: 1, top1: 1 },
  ]);
  deepEqual(evaluation.metrics, metrics);
  equal(evaluation.execution.arithmetic, "simulated");
});

Deno.test("beside the float model: drop, agreement and divergence by hand", async () => {
  // The second column is gone: the answers are 0, 0, 0, 0 (of equals the first) and 1.
  const model = linear([1, 0, 0, 0, 0, 0]);
  const { metrics } = await evaluated({ model, reference: FLOAT });
  equal(metrics.reference_top1, 4 / 5);
  equal(metrics.top1, 3 / 5);
  equal(metrics.top1_drop, 1 / 5);
  equal(metrics.agreement, 2 / 5);
  const kl = [[3, 1], [1, 4], [2, 1], [0, 5], [-1, -2]].map(([a, b]) => {
    const p = softmax([a!, b!, 0]);
    const q = softmax([a!, 0, 0]);
    return p.reduce((sum, value, index) => sum + value * Math.log(value / q[index]!), 0);
  }).reduce((sum, value) => sum + value, 0) / 5;
  ok(Math.abs(metrics.kl! - kl) < 1e-6);
  equal(metrics.float_weight_bytes, 24);
});

function softmax(values: number[]): number[] {
  const powers = values.map(Math.exp);
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

Deno.test("a float model compared with itself runs once and loses nothing", async () => {
  const { metrics } = await evaluated({ reference: FLOAT });
  equal(metrics.top1_drop, 0);
  equal(metrics.agreement, 1);
  equal(metrics.kl, 0);
  equal(metrics.float_bytes, metrics.file_bytes);
});

Deno.test("batch size, a fixed batch and take do not change what is measured of an item", async () => {
  const { metrics: { file_bytes: _, ...whole } } = await evaluated({});
  for (const batch of [1, 2, 5, 100]) {
    const { metrics: { file_bytes: _, ...part } } = await evaluated({ settings: { batch } });
    deepEqual(part, whole);
  }
  for (const fixed of [1, 2, 3, 8]) {
    const model = linear([1, 0, 0, 0, 1, 0], { batch: fixed });
    const { metrics: { file_bytes: _, ...part } } = await evaluated({ model });
    deepEqual(part, whole);
  }
  const { metrics } = await evaluated({ settings: { take: 3 } });
  equal(metrics.items, 3);
  equal(metrics.top1, 1);
});

Deno.test("regression: error against the float model, PSNR against targets", async () => {
  const targets = { dims: [3], values: [3, 1, 0, 1, 4, 0, 2, 1, 0, 0, 5, 0, -1, -2, 1] };
  const model = linear([1, 0, 0, 0, 1, 0.5]);
  const { metrics } = await evaluated({
    model,
    reference: FLOAT,
    data: numbers(ITEMS, { targets }),
    settings: { peak: 10 },
  });
  const error = [1, 16, 1, 25, 4].map((square) => square / 4);
  ok(Math.abs(metrics.mse! - error.reduce((a, b) => a + b) / 15) < 1e-9);
  const ratio = (squares: number[]) =>
    squares.map((square) => square === 0 ? 200 : 10 * Math.log10(100 * 3 / square))
      .reduce((a, b) => a + b) / squares.length;
  ok(Math.abs(metrics.psnr! - ratio([0.25, 4, 0.25, 6.25, 4])) < 1e-9);
  ok(Math.abs(metrics.reference_psnr! - ratio([0, 0, 0, 0, 1])) < 1e-9);
  ok(Math.abs(metrics.psnr_drop! - (metrics.reference_psnr! - metrics.psnr!)) < 1e-12);
  ok(!("top1" in metrics));
});

Deno.test("probabilities are recognized by the Softmax that makes them", async () => {
  const logits = await evaluated({ model: linear([1, 0, 0, 0, 0, 0]), reference: FLOAT });
  const model = linear([1, 0, 0, 0, 0, 0], { end: "Softmax" });
  const reference = linear([1, 0, 0, 0, 1, 0], { end: "Softmax" });
  const probabilities = await evaluated({ model, reference });
  ok(Math.abs(logits.metrics.kl! - probabilities.metrics.kl!) < 1e-6);
  const forced = await evaluated({ model, reference, settings: { scores: "logits" } });
  ok(forced.metrics.kl! < 0.5 * logits.metrics.kl!);
});

Deno.test("class names follow labels through a label offset", async () => {
  const data = numbers(ITEMS, { labels: [1, 2, 1, 1, 2], classes: ["cat", "dog"], labelOffset: 1 });
  const { evaluation } = await evaluated({ data });
  deepEqual(evaluation.classes?.map(({ name, count }) => [name, count]), [["cat", 3], ["dog", 2]]);
});

Deno.test("a quantized model: bits and packed bytes, simulated and integer arithmetic", async () => {
  const model = qdqModel({ operator: "MatMul", weightBits: 8, activationBits: 8, blocked: false });
  const x = waves([4, 32]);
  const data = numbers({ dims: [32], values: [...x.data] });
  const reference = new GraphBuilder();
  const input = reference.input("x", "float32", ["n", 32]);
  const weights = tensorOfWeights(model);
  reference.output(
    reference.op("MatMul", [input, reference.constant(weights)], {}, { outputs: ["y"] }),
  );
  const given = { model, kind: "quantized-model", reference: reference.build(), data } as const;

  const simulated = await evaluated(given);
  equal(simulated.metrics.bits, 8);
  equal(simulated.metrics.weight_bytes, 32 * 8 + 8 * 4);
  equal(simulated.metrics.float_weight_bytes, 32 * 8 * 4);
  ok(simulated.metrics.sqnr! > 25);
  ok(!("integer_nodes" in simulated.metrics));

  const exact = await evaluated({ ...given, settings: { arithmetic: "integer-exact" } });
  equal(exact.metrics.integer_nodes, 1);
  equal(exact.evaluation.execution["session.x64quantprecision"], "1");
  ok(Math.abs(exact.metrics.sqnr! - simulated.metrics.sqnr!) < 0.5);

  const listening = context();
  const integer = await evaluated({
    ...given,
    settings: { arithmetic: "integer" },
    context: listening,
  });
  const saturates = await productsSaturate();
  equal(integer.evaluation.execution.products_saturate, saturates);
  equal(integer.metrics.sqnr! < 20, saturates);
  equal(listening.warnings.length, saturates ? 1 : 0);
  if (saturates) match(listening.warnings[0]!, /saturate on this processor.*reduce_range/s);
});

function tensorOfWeights(model: Model) {
  const integers = model.graph.initializers.get("w.q")!.data as Int8Array;
  const scale = (model.graph.initializers.get("w.scale")!.data as Float32Array)[0]!;
  return float32([32, 8], Float32Array.from(integers, (value) => value * scale));
}

Deno.test("items do not change each other's results where scales are found at run time", async () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 2]);
  const [q, scale, zero] = graph.ops("DynamicQuantizeLinear", [x], 3);
  graph.output(graph.op("DequantizeLinear", [q!, scale!, zero!], {}, { outputs: ["y"] }));
  const identity = new GraphBuilder();
  const same = identity.input("x", "float32", ["n", 2]);
  identity.output(identity.op("Identity", [same], {}, { outputs: ["y"] }));
  const given = {
    model: graph.build(),
    reference: identity.build(),
    data: numbers({ dims: [2], values: [0, 0.3, 0, 1000] }),
  };
  // One at a time each item is a range of its own, whose ends are exact.
  ok((await evaluated(given)).metrics.mse! < 1e-12);
  ok((await evaluated({ ...given, settings: { batch: 2 } })).metrics.mse! > 0.01);
});

Deno.test("a fusion that fails is worked around and the user is told", async () => {
  const model = qdqModel({ operator: "Conv", weightBits: 8, activationBits: 4, blocked: false });
  const data = numbers({ dims: [4, 8, 8], values: [...waves([2, 4, 8, 8]).data] });
  const listening = context();
  const settings = { arithmetic: "integer", metrics: ["mse"] } as const;
  const { metrics, evaluation } = await evaluated({
    model,
    reference: model,
    data,
    settings: { ...settings, metrics: [...settings.metrics] },
    context: listening,
  });
  equal(evaluation.execution.arithmetic, "simulated");
  equal(metrics.integer_nodes, 0);
  match(listening.warnings[0]!, /It ran with simulated arithmetic/);
  match(listening.warnings[1]!, /No node ran in integer kernels/);
});

Deno.test("progress counts items and shows the accuracy so far", async () => {
  const listening = context();
  await evaluated({ settings: { batch: 2 }, context: listening });
  deepEqual(listening.reports.map(({ done, total }) => [done, total]), [[2, 5], [4, 5], [5, 5]]);
  equal(listening.reports[2]!.values!["top-1"], 4 / 5);
});

Deno.test("an interrupted evaluation stops between batches", async () => {
  const interrupt = new AbortController();
  const listening = context({ signal: interrupt.signal, progress: () => interrupt.abort() });
  await rejects(evaluated({ settings: { batch: 1 }, context: listening }), { name: "AbortError" });
});

Deno.test("what cannot be evaluated is said in the user's terms", async (step) => {
  const unlabeled = numbers(ITEMS);
  const cases: [string, Case, RegExp, RegExp?][] = [
    [
      "no items",
      { data: numbers({ dims: [2], values: [] }) },
      /^The data set "inputs.test" has no items$/,
    ],
    [
      "wrong shape",
      { data: numbers({ dims: [3], values: [1, 2, 3] }, { labels: [0] }) },
      /^Input "x" of the model "w.model" has shape \[n, 2\], but the items of the data set "inputs.test" have shape \[3\], without the batch dimension$/,
    ],
    [
      "wrong name",
      { data: numbers({ ...ITEMS, name: "pixels" }) },
      /^The data set "inputs.test" feeds "pixels", which the model "w.model" does not have: its inputs are "x"$/,
    ],
    [
      "label out of range",
      { data: numbers(ITEMS, { labels: [0, 1, 3, 0, 0] }), settings: { batch: 2 } },
      /^Label of item 2, number 2, is 3, but the model "w.model" has 3 outputs: labels must be from 0 to 2$/,
      /label_offset/,
    ],
    [
      "no labels",
      { data: unlabeled, settings: { metrics: ["top1", "psnr", "agreement"] } },
      /^top1 cannot be measured: the data set has no labels\npsnr cannot be measured: the data set has no targets\nagreement cannot be measured: there is no float model to compare with$/,
    ],
    ["nothing to measure", { data: unlabeled }, /has neither labels nor targets/],
    [
      "too few outputs",
      { settings: { metrics: ["top5"] } },
      /^top5 cannot be measured: the model's output has 3 values an item, and at least 6 are needed$/,
    ],
    [
      "no such output",
      { settings: { output: "y" } },
      /^The model "w.model" has no output "y"$/,
      /"logits"/,
    ],
    [
      "NaN",
      { data: numbers({ dims: [2], values: [1, 2, 3, 4, 5, NaN] }, { labels: [0, 0, 0] }) },
      /^The model "w.model" gives NaN for item 2 of the data, number 2$/,
    ],
    [
      "another model as reference",
      { reference: wider() },
      /^The model "w.model" gives 3 values an item, the float model 6$/,
    ],
    [
      "targets of another size",
      { data: numbers(ITEMS, { targets: { dims: [2], values: ITEMS.values } }) },
      /^The targets of the data set "inputs.test" have shape \[2\], 2 values an item, but the model "w.model" gives 3$/,
    ],
    [
      "an output of integers",
      { model: classes() },
      /^Output "class" of the model "w.model" is int64, which has no metrics$/,
    ],
    [
      "no batch dimension",
      { model: unbatched() },
      /^Output "sum" of the model "w.model" has shape \[3\] for 5 items: its first dimension is not the batch$/,
    ],
  ];
  for (const [name, given, message, hint] of cases) {
    await step.step(
      name,
      () =>
        rejects(evaluated(given), (error: Error & { problems?: { hint?: string }[] }) => {
          equal(error.name, "UserError", error.stack);
          match(error.message, message);
          if (hint !== undefined) match(error.problems?.[0]?.hint ?? "", hint);
          return true;
        }),
    );
  }
});

function wider(): Model {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 2]);
  graph.output(graph.op("Concat", [x, x, x], { axis: 1 }, { outputs: ["logits"] }));
  return graph.build();
}

function classes(): Model {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 2]);
  graph.output(graph.op("ArgMax", [x], { axis: 1 }, { outputs: ["class"] }));
  return graph.build();
}

function unbatched(): Model {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 2]);
  const w = graph.constant(tensor("float32", [2, 3], new Float32Array(6)));
  const product = graph.op("MatMul", [x, w]);
  const axes = graph.constant([0]);
  graph.output(graph.op("ReduceSum", [product, axes], { keepdims: 0 }, { outputs: ["sum"] }));
  return graph.build();
}

Deno.test("outputs of other float types are measured too", async () => {
  for (const [type, number] of [["float16", 10], ["float64", 11]] as [DataType, number][]) {
    const graph = new GraphBuilder();
    const x = graph.input("x", "float32", ["n", 2]);
    const twice = graph.op("Mul", [x, graph.constant(scalar(2))]);
    graph.output(graph.op("Cast", [twice], { to: number }, { outputs: ["y"] }), type);
    const { metrics } = await evaluated({
      model: graph.build(),
      data: numbers(ITEMS, { labels: [0, 1, 0, 1, 0] }),
    });
    equal(metrics.top1, 1);
  }
});

Deno.test("every metric that the stage reports is declared", async () => {
  const declared = new Set(Object.keys(evaluate.metrics!));
  const targets = { dims: [3], values: Array.from({ length: 15 }, (_, index) => index) };
  const data = numbers(ITEMS, { labels: LABELS, targets });
  const names = ["top1", "agreement", "kl", "per_class", "mse", "cosine", "psnr"] as const;
  const { metrics } = await evaluated({
    reference: FLOAT,
    data,
    settings: { metrics: [...names], arithmetic: "integer" },
  });
  for (const name of Object.keys(metrics)) ok(declared.has(name), name);
});

testWithSharedData(
  "a published network gets its published accuracy: ResNet-20 on 300 CIFAR-10 images",
  "cifar10/test_300.bin",
  async (path) => {
    const bytes = await Deno.readFile(path);
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    const labels: number[] = [];
    const values: number[] = [];
    for (let start = 0; start < bytes.length; start += 3073) {
      labels.push(bytes[start]!);
      for (let index = 0; index < 3072; index++) {
        const channel = Math.floor(index / 1024);
        values.push((bytes[start + 1 + index]! / 255 - mean[channel]!) / std[channel]!);
      }
    }
    const model = await readModel(sharedData("models/cifar10_resnet20.onnx")!);
    const { metrics, evaluation } = await evaluated({
      model,
      reference: model,
      data: numbers({ dims: [3, 32, 32], values }, { labels }),
    });
    // 279 of 300, as Python's onnxruntime finds too.
    equal(metrics.top1, 279 / 300);
    equal(metrics.top1_drop, 0);
    equal(metrics.float_weight_bytes, 268336 * 4);
    equal(evaluation.classes!.reduce((sum, { count }) => sum + count, 0), 300);
  },
);
