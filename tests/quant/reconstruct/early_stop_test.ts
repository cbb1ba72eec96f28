import assert from "node:assert/strict";
import { finishStep, standsStill, windowSteps } from "../../../src/quant/reconstruct/early_stop.ts";

const errors = (...means: number[]) =>
  Float32Array.from(means.flatMap((mean) => [0.5 * mean, 1.5 * mean]));

Deno.test("An error that falls by more than the share does not stand still", () => {
  const falling = errors(8, 7, 6, 5, 4);
  assert.equal(standsStill(falling, 2, { share: 0.05, from: 0 }), false);
  assert.equal(standsStill(falling, 2, { share: 0.4, from: 0 }), true);
});

Deno.test("One window that is no better is not enough, two are", () => {
  assert.equal(standsStill(errors(8, 6, 6), 2, { share: 0.05, from: 0 }), false);
  assert.equal(standsStill(errors(8, 6, 6, 5.9), 2, { share: 0.05, from: 0 }), true);
  assert.equal(standsStill(errors(8, 6, 6, 5.6), 2, { share: 0.05, from: 0 }), false);
});

Deno.test("What comes before the first step that counts is not compared with", () => {
  const rising = errors(1, 8, 7, 6);
  assert.equal(standsStill(rising, 2, { share: 0.05, from: 0 }), true);
  assert.equal(standsStill(rising, 2, { share: 0.05, from: 1 }), false);
});

Deno.test("Windows and the finish are shares of the steps", () => {
  assert.equal(windowSteps(20_000), 1000);
  assert.equal(windowSteps(60), 10);
  assert.equal(finishStep(400), 320);
});
