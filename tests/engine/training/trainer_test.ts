import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { ItemOrder } from "../../../src/engine/training/batches.ts";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import { mean } from "../../../src/engine/training/losses.ts";
import type { TrainingData, TrainingOptions } from "../../../src/engine/training/options.ts";
import { createTrainer, DivergenceError } from "../../../src/engine/training/trainer.ts";
import { enterTrainingMode, parametersOf } from "../../../src/engine/training/training_mode.ts";
import { initializeParameters } from "../../../src/engine/training/initialize.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { elementCount, float32, type Tensor } from "../../../src/onnx/tensor.ts";
import { ITEMS, regression, WIDTH } from "./small_runs.ts";

/** A network with convolution, batch normalization, dropout-like noise and a step-dependent loss. */
function network(threads = 1): TrainingOptions {
  const builder = new GraphBuilder();
  const batch = 8;
  const random = Random.from(11);
  const values = (dims: readonly number[]) =>
    float32(dims, Float32Array.from({ length: elementCount(dims) }, () => random.normal()));
  const x = builder.input("x", "float32", [batch, 3, 8, 8]);
  const target = builder.input("target", "float32", [batch, 4]);
  const conv = builder.op("Conv", [x, builder.constant(values([16, 3, 3, 3]), "w")], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  const norm = builder.op("BatchNormalization", [
    conv,
    ...["scale", "bias", "mean", "variance"].map((name) => builder.constant(values([16]), name)),
  ]);
  const noise = builder.input("noise", "float32", [batch, 16, 8, 8]);
  const kept = builder.op("Cast", [builder.op("Less", [noise, builder.constant(0.8)])], { to: 1 });
  const pool = builder.op("MaxPool", [builder.op("Mul", [builder.op("Relu", [norm]), kept])], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  const flat = builder.op("Flatten", [builder.op("GlobalAveragePool", [pool])]);
  const out = builder.op("Gemm", [flat, builder.constant(values([16, 4]), "head")]);
  const step = builder.input("step", "float32", []);
  const graph = builder.graph();
  initializeParameters(graph, 5);
  const carried = enterTrainingMode(graph);
  const emit = new Emitter(graph, "loss");
  const error = emit.sub(out, target);
  const decay = emit.exp(emit.mul(step, emit.scalar(-0.01, "float32")));
  const loss = emit.mul(mean(emit, emit.mul(error, error)), decay);
  return {
    graph,
    loss,
    trainable: new Map(
      parametersOf(graph).filter(({ name }) => !carried.has(name))
        .map(({ name, tensor }) => [name, { initial: tensor }]),
    ),
    carried,
    data: new Map([["x", values([20, 3, 8, 8])], ["target", values([20, 4])]]),
    batch,
    steps: 60,
    uniform: new Map([["noise", [batch, 16, 8, 8]]]),
    step: "step",
    monitors: [decay],
    optimizer: { kind: "adamw" },
    learningRate: 0.01,
    weightDecay: 0.01,
    schedule: { kind: "cosine", warmup: 5 },
    seed: 9,
    threads,
  };
}

/** A number for equal bytes. */
function bytesOf(values: ReadonlyMap<string, Tensor>): string {
  return [...values].map(([name, { data }]) => `${name}:${data}`).join("\n");
}

Deno.test("Steps that are left out keep their numbers, over checkpoints too", async () => {
  const options = network();
  const decay = options.monitors![0]!;
  await using first = await createTrainer(options);
  await first.run(20);
  first.skipTo(50);
  assert.equal(first.step, 50);
  assert.equal(first.made, 20);
  const saved = first.checkpoint();
  await first.run();
  assert.equal(first.step, 60);
  assert.equal(first.made, 30);
  const history = first.history(decay);
  assert.equal(history.length, 60);
  history.forEach((value, step) => {
    if (step >= 20 && step < 50) assert.ok(Number.isNaN(value));
    else assert.ok(Math.abs(value - Math.exp(-0.01 * step)) < 1e-6, `step ${step}: ${value}`);
  });
  await using second = await createTrainer(network());
  second.restore(saved);
  assert.equal(second.made, 20);
  await second.run();
  assert.deepEqual(second.checkpoint(), first.checkpoint());
  assert.throws(() => first.skipTo(59), /between 60 and 60: current value is 59/);
  assert.throws(() => first.skipTo(61), RangeError);
});

Deno.test("chunks, interruptions and threads do not change a byte", async () => {
  const whole = network();
  await using first = await createTrainer(whole);
  await first.run();
  const expected = first.checkpoint();
  assert.equal(first.step, 60);

  await using second = await createTrainer(network(2));
  await second.run(undefined, { chunk: 7 });
  assert.deepEqual(second.checkpoint(), expected);

  const random = Random.from(2);
  let saved: Uint8Array | undefined;
  for (let step = 0; step < 60;) {
    await using part = await createTrainer(network());
    if (saved !== undefined) part.restore(saved);
    step = Math.min(60, step + 1 + random.integer(25));
    await part.run(step);
    saved = part.checkpoint();
  }
  assert.deepEqual(saved, expected);
  assert.ok(first.history().every(Number.isFinite));
});

Deno.test("another seed is another run", async () => {
  await using one = await createTrainer(network());
  await using other = await createTrainer({ ...network(), seed: 10 });
  await one.run(3);
  await other.run(3);
  assert.notEqual(bytesOf(one.values()), bytesOf(other.values()));
});

Deno.test("monitors record every step", async () => {
  const options = network();
  await using trainer = await createTrainer(options);
  await trainer.run(12, { chunk: 5 });
  const found = trainer.history(options.monitors![0]!);
  assert.equal(found.length, 12);
  found.forEach((value, step) => assert.ok(Math.abs(value - Math.exp(-0.01 * step)) < 1e-6));
  assert.throws(() => trainer.history("other"), RangeError);
});

Deno.test("data that is fetched as steps need it gives the same run", async () => {
  const options = regression();
  const [x, y] = [options.data.get("x") as Tensor, options.data.get("y") as Tensor];
  const fetched = (tensor: Tensor) => ({
    type: tensor.type,
    dims: tensor.dims,
    gather: (items: BigInt64Array) => {
      const width = elementCount(tensor.dims.slice(1));
      const rows = [...items].flatMap((
        item,
      ) => [
        ...(tensor.data as Float32Array).subarray(Number(item) * width, (Number(item) + 1) * width),
      ]);
      return float32([items.length, ...tensor.dims.slice(1)], rows);
    },
  });
  await using plain = await createTrainer(options);
  await plain.run();
  for (
    const data of [
      new Map([["x", fetched(x)], ["y", fetched(y)]]),
      new Map<string, TrainingData>([["x", fetched(x)], ["y", y]]),
    ]
  ) {
    await using trainer = await createTrainer({ ...options, data });
    await trainer.run(undefined, { chunk: 9 });
    assert.deepEqual(trainer.checkpoint(), plain.checkpoint());
  }
});

Deno.test("every item is seen once an epoch, in another order each", () => {
  const order = new ItemOrder(ITEMS, 4);
  const epochs = [0, 1, 2].map((epoch) => [...order.take(epoch * ITEMS, ITEMS)].map(Number));
  for (const epoch of epochs) {
    assert.deepEqual(epoch.toSorted((a, b) => a - b), Array.from({ length: ITEMS }, (_, i) => i));
  }
  assert.notDeepEqual(epochs[0], epochs[1]);
  assert.notDeepEqual(epochs[1], epochs[2]);
  // Going back gives the same again, as resuming needs.
  assert.deepEqual([...order.take(5, ITEMS)], [...new ItemOrder(ITEMS, 4).take(5, ITEMS)]);
});

Deno.test("random tensors are uniform and differ from step to step", async () => {
  const builder = new GraphBuilder();
  const noise = builder.input("noise", "float32", [1000]);
  const w = builder.input("w", "float32", [1]);
  const emit = new Emitter(builder.graph(), "loss");
  const average = mean(emit, noise);
  const square = mean(emit, emit.mul(noise, noise));
  await using trainer = await createTrainer({
    graph: builder.graph(),
    loss: emit.mul(mean(emit, w), average),
    trainable: new Map([[w, { initial: float32([1], [1]) }]]),
    data: new Map(),
    batch: 1,
    steps: 50,
    uniform: new Map([[noise, [1000]]]),
    monitors: [average, square],
    optimizer: { kind: "sgd" },
    learningRate: 0,
    seed: 0,
  });
  await trainer.run();
  const means = trainer.history(average);
  assert.equal(new Set(means).size, 50);
  const overall = (values: Float32Array) => values.reduce((a, b) => a + b) / values.length;
  assert.ok(Math.abs(overall(means) - 1 / 2) < 0.01);
  assert.ok(Math.abs(overall(trainer.history(square)) - 1 / 3) < 0.01);
});

Deno.test("running statistics follow those of the batches", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [4, 2, 3]);
  const parts = { scale: 1, bias: 0, mean: 0.5, variance: 2 };
  const names = Object.entries(parts).map(([name, value]) =>
    builder.constant(float32([2], [value, value]), name)
  );
  const y = builder.op("BatchNormalization", [x, ...names]);
  const graph = builder.graph();
  const carried = enterTrainingMode(graph, 0.75);
  const emit = new Emitter(graph, "loss");
  const loss = mean(emit, emit.mul(y, y));
  const random = Random.from(1);
  const items = float32(
    [4, 2, 3],
    Float32Array.from({ length: 24 }, () => 3 * random.normal() + 1),
  );
  await using trainer = await createTrainer({
    graph,
    loss,
    trainable: new Map([["scale", { initial: float32([2], [1, 1]) }]]),
    carried,
    data: new Map([[x, items]]),
    batch: 4,
    steps: 3,
    optimizer: { kind: "sgd" },
    learningRate: 0,
    seed: 0,
  });
  await trainer.run();
  const values = trainer.values();
  for (const channel of [0, 1]) {
    const own = [...items.data].filter((_, i) => Math.floor(i / 3) % 2 === channel);
    const average = own.reduce((a, b) => a + b) / own.length;
    const spread = own.reduce((sum, v) => sum + (v - average) ** 2, 0) / own.length;
    // Three steps keep 0.75³ of the start.
    const kept = 0.75 ** 3;
    const close = (found: unknown, expected: number) =>
      assert.ok(Math.abs(Number(found) - expected) < 1e-5, `${found}, ${expected}`);
    close(values.get("mean")!.data[channel], kept * 0.5 + (1 - kept) * average);
    close(values.get("variance")!.data[channel], kept * 2 + (1 - kept) * spread);
  }
  // The start values that the caller gave are the caller's still.
  assert.deepEqual([...carried.get("mean")!.initial.data as Float32Array], [0.5, 0.5]);
});

Deno.test("a loss that is no longer a number stops the run and keeps the state before", async () => {
  await using trainer = await createTrainer(
    regression({ learningRate: 1e6, optimizer: { kind: "sgd" } }),
  );
  await assert.rejects(trainer.run(undefined, { chunk: 4 }), DivergenceError);
  assert.ok(trainer.step % 4 === 0 && trainer.step < 40);
  assert.ok(trainer.history().every(Number.isFinite));
});

Deno.test("an aborted run stops between chunks and can go on", async () => {
  const controller = new AbortController();
  await using trainer = await createTrainer(regression());
  const aborted = trainer.run(undefined, {
    chunk: 10,
    signal: controller.signal,
    onChunk: ({ step }) => {
      if (step === 20) controller.abort();
    },
  });
  await assert.rejects(aborted, { name: "AbortError" });
  assert.equal(trainer.step, 20);
  await trainer.run();
  await using whole = await createTrainer(regression());
  await whole.run();
  assert.deepEqual(trainer.checkpoint(), whole.checkpoint());
});

Deno.test("wrong data, steps and checkpoints are refused", async () => {
  const options = regression();
  await assert.rejects(
    createTrainer({
      ...options,
      data: new Map([...options.data, ["y", float32([3, 1], [1, 2, 3])]]),
    }),
    { message: 'Data "y" has 3 items where others have 24' },
  );
  await assert.rejects(
    createTrainer({ ...options, data: new Map([["x", float32([0, WIDTH], [])]]) }),
    { message: 'Data "x" has no items' },
  );
  await assert.rejects(
    createTrainer({ ...options, data: new Map([["x", options.data.get("x")!]]) }),
    { message: 'Input "y" of the graph is given no value by the training run' },
  );
  await using trainer = await createTrainer(options);
  await assert.rejects(trainer.run(41), { message: "The run has 40 steps: until is 41" });
  await using other = await createTrainer(network());
  assert.throws(() => trainer.restore(other.checkpoint()), /Checkpoint belongs to another run/);
  const bytes = trainer.checkpoint();
  for (const damaged of [bytes.subarray(0, 3), bytes.subarray(0, bytes.length - 1)]) {
    assert.throws(() => trainer.restore(damaged), /Checkpoint is damaged/);
  }
});
