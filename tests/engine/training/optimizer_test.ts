import assert from "node:assert/strict";
import { ItemOrder } from "../../../src/engine/training/batches.ts";
import type { Optimizer } from "../../../src/engine/training/optimizer.ts";
import { createTrainer } from "../../../src/engine/training/trainer.ts";
import { ITEMS, regression, regressionData, WIDTH } from "./small_runs.ts";

const STEPS = 40;
const BATCH = 6;

interface Settings {
  readonly optimizer: Optimizer;
  readonly rate: number;
  readonly decay: number;
}

/** The same run in double precision, as the papers and PyTorch's documentation write the updates. */
function reference({ optimizer, rate, decay }: Settings): number[] {
  const { x, y } = regressionData();
  const order = new ItemOrder(ITEMS, 3);
  const weights = [0.5, -0.5, 0.25, 1, -1, 0.1];
  const first = weights.map(() => 0);
  const second = weights.map(() => 0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map(() => 0);
    for (const item of order.take(step * BATCH, BATCH)) {
      const row = [...x.subarray(Number(item) * WIDTH, (Number(item) + 1) * WIDTH), 1];
      const error = row.reduce((sum, value, i) => sum + value * weights[i]!, 0) - y[Number(item)]!;
      row.forEach((value, i) => gradient[i]! += 2 * error * value / BATCH);
    }
    weights.forEach((weight, i) => {
      let g = gradient[i]!;
      if (optimizer.kind !== "adamw") g += decay * weight;
      if (optimizer.kind === "sgd") {
        const momentum = optimizer.momentum ?? 0;
        first[i] = momentum * first[i]! + g;
        weights[i]! -= rate * (optimizer.nesterov === true ? g + momentum * first[i]! : first[i]!);
        return;
      }
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optimizer;
      if (optimizer.kind === "adamw") weights[i]! -= rate * decay * weight;
      first[i] = beta1 * first[i]! + (1 - beta1) * g;
      second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
      const m = first[i]! / (1 - beta1 ** (step + 1));
      const v = second[i]! / (1 - beta2 ** (step + 1));
      weights[i]! -= rate * m / (Math.sqrt(v) + epsilon);
    });
  }
  return weights;
}

const RUNS: Readonly<Record<string, Settings>> = {
  "plain descent": { optimizer: { kind: "sgd" }, rate: 0.05, decay: 0 },
  "momentum": { optimizer: { kind: "sgd", momentum: 0.9 }, rate: 0.02, decay: 0.01 },
  "Nesterov momentum": {
    optimizer: { kind: "sgd", momentum: 0.8, nesterov: true },
    rate: 0.02,
    decay: 0.01,
  },
  "Adam": { optimizer: { kind: "adam" }, rate: 0.03, decay: 0.02 },
  "Adam with other constants": {
    optimizer: { kind: "adam", beta1: 0.8, beta2: 0.9, epsilon: 1e-3 },
    rate: 0.03,
    decay: 0,
  },
  "AdamW": { optimizer: { kind: "adamw" }, rate: 0.03, decay: 0.1 },
};

for (const [name, settings] of Object.entries(RUNS)) {
  Deno.test(`${name} makes the steps that its formula says`, async () => {
    await using trainer = await createTrainer(regression({
      optimizer: settings.optimizer,
      learningRate: settings.rate,
      weightDecay: settings.decay,
    }));
    await trainer.run();
    const values = trainer.values();
    const found = [
      ...values.get("w")!.data as Float32Array,
      ...values.get("b")!.data as Float32Array,
    ];
    reference(settings).forEach((expected, index) =>
      assert.ok(Math.abs(found[index]! - expected) < 2e-5, `${index}: ${found[index]}, ${expected}`)
    );
  });
}

Deno.test("tensors can have rates, decays and optimizers of their own", async () => {
  const plain = regression();
  const [w, b] = [plain.trainable.get("w")!, plain.trainable.get("b")!];
  const after = async (changes: Parameters<typeof regression>[0]) => {
    await using trainer = await createTrainer(regression({ steps: 1, ...changes }));
    await trainer.run();
    return [trainer.values().get("w")!.data[0], trainer.values().get("b")!.data[0]] as number[];
  };
  const [w1, b1] = await after({ optimizer: { kind: "sgd" }, learningRate: 0.1 });
  const [w2, b2] = await after({
    optimizer: { kind: "sgd" },
    learningRate: 0.1,
    trainable: new Map([["w", w], ["b", { ...b, learningRate: 0.2 }]]),
  });
  assert.equal(w2, w1);
  const step = (b1! - b.initial.data[0]!) * 2;
  assert.ok(Math.abs(b2! - (b.initial.data[0]! + step)) < 1e-6);
  const [w3, b3] = await after({
    optimizer: { kind: "sgd" },
    learningRate: 0.1,
    trainable: new Map([["w", w], ["b", {
      ...b,
      optimizer: { kind: "adam" },
      learningRate: 0.01,
    }]]),
  });
  assert.equal(w3, w1);
  // Adam's first step is the rate, whatever the gradient's size.
  assert.ok(Math.abs(Math.abs(b3! - b.initial.data[0]!) - 0.01) < 1e-6);
  const [, b4] = await after({
    optimizer: { kind: "sgd" },
    learningRate: 0.1,
    trainable: new Map([["w", w], ["b", { ...b, weightDecay: 0.5 }]]),
  });
  assert.ok(Math.abs(b4! - (b1! - 0.1 * 0.5 * b.initial.data[0]!)) < 1e-6);
});
