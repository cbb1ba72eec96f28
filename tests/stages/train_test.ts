import assert from "node:assert/strict";
import { Value } from "@sinclair/typebox/value";
import { UserError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32, int64s } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { parameters as schema } from "../../src/stages/train/ports.ts";
import { run } from "../../src/stages/train/run.ts";
import type { StageContext } from "../../src/registry/stage.ts";
import { artifact, context, Fixture, numbers } from "./stage_fixture.ts";

const CLASSES = 3;
const SIZE = 6;

/** Images with a bright bar in one of three places, and noise. */
function bars(count: number, seed = 1): Dataset {
  const random = Random.from(seed);
  const labels: number[] = [];
  const values: number[] = [];
  for (let item = 0; item < count; item++) {
    const label = random.integer(CLASSES);
    labels.push(label);
    for (let at = 0; at < SIZE * SIZE; at++) {
      const bright = Math.floor(Math.floor(at / SIZE) / 2) === label;
      values.push((bright ? 1 : 0) + 0.5 * random.normal());
    }
  }
  return numbers({ dims: [1, SIZE, SIZE], values }, { labels });
}

/** A small classifier with batch normalization; all its weights are zero. */
function classifier(): Model {
  const builder = new GraphBuilder();
  const parameter = (name: string, dims: number[]) =>
    builder.constant(float32(dims, new Float32Array(dims.reduce((a, b) => a * b))), name);
  const x = builder.input("image", "float32", ["batch", 1, SIZE, SIZE]);
  const conv = builder.op("Conv", [x, parameter("conv", [4, 1, 3, 3])], { kernel_shape: [3, 3] });
  const parts = ["scale", "bias", "mean", "variance"].map((name) => parameter(name, [4]));
  const norm = builder.op("Relu", [builder.op("BatchNormalization", [conv, ...parts])]);
  const flat = builder.op("Reshape", [norm, builder.constant(int64s([0, -1]))]);
  const logits = builder.op("Gemm", [flat, parameter("head", [64, CLASSES])], {}, {
    outputs: ["logits"],
  });
  builder.output(logits, "float32", ["batch", CLASSES]);
  return builder.build();
}

const settings = (given: Record<string, unknown>) =>
  Value.Decode(
    schema,
    Value.Default(schema, { initial: "seed", epochs: 4, batch: 16, learning_rate: 0.05, ...given }),
  );

async function train(
  given: Record<string, unknown>,
  data: Dataset,
  options: Partial<StageContext> = {},
  model = classifier(),
) {
  await using fixture = new Fixture();
  const own = context(options);
  const result = await run(settings(given), {
    model: fixture.model("model", model),
    train: artifact("dataset", data, "inputs.train"),
  }, own);
  return { model: result.outputs.model as Model, metrics: result.metrics!, context: own };
}

async function accuracyOf(model: Model, data: Dataset): Promise<number> {
  await using session = await openSession(model);
  const { inputs, labels } = await data.batch(0, data.length);
  const logits = (await session.run({ image: inputs[0]! })).logits!.data as Float32Array;
  const right = labels!.filter((label, item) => {
    const scores = [...logits.subarray(CLASSES * item, CLASSES * (item + 1))];
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / labels!.length;
}

Deno.test("a network learns what the data show, and says how it went", async () => {
  const data = bars(200);
  const { model, metrics, context } = await train({}, data);
  assert.ok(await accuracyOf(model, bars(200, 2)) > 0.95);
  assert.equal(metrics.steps, 4 * 13);
  assert.equal(metrics.parameters, 36 + 8 + 64 * CLASSES);
  assert.ok(metrics.train_top1! > 0.95 && metrics.train_loss! < 0.2);
  const last = context.reports.at(-1)!;
  assert.deepEqual([last.phase, last.done, last.total], ["epoch 4 of 4", 52, 52]);
  // Only constants change: names, nodes and inputs stay.
  const source = classifier();
  assert.deepEqual(model.graph.nodes, source.graph.nodes);
  assert.deepEqual([...model.graph.initializers.keys()], [...source.graph.initializers.keys()]);
});

Deno.test("every optimizer and schedule lowers the loss", async () => {
  const data = bars(120);
  const runs = [
    { optimizer: "adam", learning_rate: 0.01 },
    { optimizer: "adamw", learning_rate: 0.01, schedule: "linear" },
    { schedule: "plateau", patience: 0 },
    { schedule: "constant", warmup: 5, smoothing: 0.1, momentum: 0 },
  ];
  for (const given of runs) {
    const { metrics } = await train({ epochs: 5, ...given }, data);
    assert.ok(metrics.train_loss! < 0.7, JSON.stringify({ given, metrics }));
  }
});

Deno.test("training goes on from the model's own weights, or from the seed's", async () => {
  const data = bars(96);
  const first = await train({}, data);
  const again = await train({}, data, {}, first.model);
  // The weights of the file do not matter with initial: seed, so training its own result changes nothing.
  assert.deepEqual(encodeModel(again.model), encodeModel(first.model));
  const other = await train({}, data, { seed: 1 });
  assert.notDeepEqual(encodeModel(other.model), encodeModel(first.model));
  const further = await train({ initial: "model", epochs: 1 }, data, {}, first.model);
  assert.ok(further.metrics.train_loss! < 0.4);
});

Deno.test("an interrupted training goes on where it was, with the same bytes", async () => {
  const data = bars(200);
  const whole = await train({ epochs: 30 }, data);
  const saved = new Map<string, Uint8Array>();
  const checkpoints: StageContext["checkpoints"] = {
    load: (name) => Promise.resolve(saved.get(name)),
    save: (name, bytes) => Promise.resolve(void saved.set(name, bytes)),
  };
  const controller = new AbortController();
  const interrupted = train({ epochs: 30 }, data, {
    checkpoints,
    signal: controller.signal,
    progress: ({ unit, done }) => {
      if (unit === "steps" && done > 20) controller.abort();
    },
  });
  await assert.rejects(interrupted, { name: "AbortError" });
  assert.equal(saved.size, 1);
  let start = 0;
  const resumed = await train({ epochs: 30 }, data, {
    checkpoints,
    progress: ({ unit, done }) => {
      if (unit === "steps" && start === 0) start = done;
    },
  });
  assert.ok(start > 20);
  assert.deepEqual(encodeModel(resumed.model), encodeModel(whole.model));
  assert.deepEqual(resumed.metrics, whole.metrics);
});

async function problemOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined, (error) => error);
  assert.ok(error instanceof UserError, String(error));
  return error.problems.map(({ message, hint }) => `${message}\n${hint ?? ""}`).join("\n");
}

Deno.test("what cannot be trained is named, with what mends it", async () => {
  const unlabelled = numbers({ dims: [1, SIZE, SIZE], values: Array(36).fill(0) });
  assert.equal(
    await problemOf(train({}, unlabelled)),
    'The data set "inputs.train" has no labels to learn from\nUse a data set with labels',
  );
  const labels = numbers({ dims: [1, SIZE, SIZE], values: Array(72).fill(0) }, { labels: [0, 3] });
  assert.match(
    await problemOf(train({}, labels)),
    /^Item 1 has label 3, but the model has classes 0 to 2\n.*label_offset/,
  );
  assert.match(
    await problemOf(train({}, bars(200), { memory: 10_000 })),
    /takes 1 MiB of memory.*\nSay take: 69 at the data set/,
  );
  assert.match(
    await problemOf(train({ learning_rate: 1e30 }, bars(64))),
    /^Loss became (NaN|Infinity) at step \d+ of 16\nGive a smaller learning_rate/,
  );
  const odd = classifier();
  odd.graph.nodes.find(({ opType }) => opType === "Relu")!.opType = "Ceil";
  assert.match(
    await problemOf(train({}, bars(64), {}, odd)),
    /^Operator Ceil of node "Relu_\d+" has no gradient rule\n/,
  );
  const scores = classifier();
  scores.graph.outputs = [{
    name: scores.graph.nodes[0]!.outputs[0]!,
    type: "float32",
    dims: undefined,
  }];
  assert.match(
    await problemOf(train({}, bars(64), {}, scores)),
    /must be logits of shape \[16, classes\] for a batch of 16: its shape is \[16, 4, 4, 4\]/,
  );
});
