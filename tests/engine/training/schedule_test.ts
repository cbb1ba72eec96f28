import assert from "node:assert/strict";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import {
  PLATEAU_STATE,
  plateauUpdate,
  type PlateauValues,
  type Schedule,
  scheduleFactor,
} from "../../../src/engine/training/schedule.ts";
import { createTrainer } from "../../../src/engine/training/trainer.ts";
import { openSession } from "../../../src/engine/session.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { scalar } from "../../../src/onnx/tensor.ts";
import { regression } from "./small_runs.ts";

async function factors(schedule: Schedule, steps: number): Promise<number[]> {
  const builder = new GraphBuilder();
  const step = builder.input("step", "float32", []);
  builder.output(scheduleFactor(new Emitter(builder.graph()), schedule, step, steps));
  await using session = await openSession(builder.build());
  const found: number[] = [];
  for (let at = 0; at < steps; at++) {
    found.push(Number(Object.values(await session.run({ step: scalar(at) }))[0]!.data[0]));
  }
  return found;
}

function assertClose(found: readonly number[], expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  found.forEach((value, index) =>
    assert.ok(Math.abs(value - expected[index]!) < 1e-6, `${index}: ${value}, ${expected[index]}`)
  );
}

const steps = 20;
const at = (formula: (step: number) => number) =>
  Array.from({ length: steps }, (_, s) => formula(s));

Deno.test("the schedules are the curves that they are named after", async () => {
  assertClose(
    await factors({ kind: "cosine" }, steps),
    at((s) => 0.5 * (1 + Math.cos(Math.PI * s / steps))),
  );
  assertClose(await factors({ kind: "linear" }, steps), at((s) => 1 - s / steps));
  assertClose(
    await factors({ kind: "linear", final: 0.2, warmup: 4 }, steps),
    at((s) => s < 4 ? (s + 1) / 4 : 1 - 0.8 * (s - 4) / (steps - 4)),
  );
  assertClose(
    await factors({ kind: "cosine", final: 0.1, warmup: 5 }, steps),
    at((s) =>
      s < 5 ? (s + 1) / 5 : 0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * (s - 5) / (steps - 5)))
    ),
  );
});

Deno.test("plateau lowers the rate after windows without a lower mean loss", async () => {
  const schedule = { kind: "plateau", factor: 0.5, patience: 1, window: 2, threshold: 0 } as const;
  const builder = new GraphBuilder();
  const names = Object.keys(PLATEAU_STATE) as (keyof PlateauValues)[];
  const state = Object.fromEntries(
    names.map((name) => [name, builder.input(name, "float32", [])]),
  ) as PlateauValues;
  const loss = builder.input("loss", "float32", []);
  const next = plateauUpdate(new Emitter(builder.graph()), schedule, state, loss);
  const outputs = names.map((name) => builder.output(builder.op("Identity", [next[name]])));
  await using session = await openSession(builder.build());
  let values: Record<string, number> = { ...PLATEAU_STATE };
  const seen: number[] = [];
  // Window means: 4, 3, 3, 3 (second one without progress), 2, 2.5, 2.5.
  for (const value of [4, 4, 4, 2, 3, 3, 2, 4, 1, 3, 2, 3, 3, 2]) {
    const feeds = Object.fromEntries(
      Object.entries({ ...values, loss: value }).map(([name, number]) => [name, scalar(number)]),
    );
    const results = await session.run(feeds);
    values = Object.fromEntries(
      names.map((name, i) => [name, Number(results[outputs[i]!]!.data[0])]),
    );
    seen.push(values.factor!);
  }
  assert.deepEqual(seen, [1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25]);
});

Deno.test("a run with the plateau schedule stops moving when the loss does not fall", async () => {
  const schedule = { kind: "plateau", factor: 1e-9, patience: 0, window: 2 } as const;
  await using trainer = await createTrainer(
    regression({ schedule, optimizer: { kind: "sgd" }, learningRate: 0.3, batch: 24 }),
  );
  await trainer.run();
  const losses = trainer.history();
  // Every batch is all of the data: once the rate is gone, the loss no longer changes.
  assert.equal(losses.at(-1), losses.at(-2));
  assert.ok(losses.at(-1)! <= losses[0]!);
});
