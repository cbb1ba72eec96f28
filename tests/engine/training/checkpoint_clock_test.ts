import assert from "node:assert/strict";
import { CheckpointClock } from "../../../src/engine/training/checkpoint_clock.ts";

/** Ticks every tenth of a second for a while: at which seconds it saved, where saving takes so long. */
async function savings(seconds: number, cost: number): Promise<number[]> {
  let now = 0;
  const saved: number[] = [];
  const clock = new CheckpointClock(() => {
    saved.push(now / 1000);
    now += 1000 * cost;
    return Promise.resolve();
  }, () => now);
  for (; now <= 1000 * seconds; now += 100) await clock.tick();
  return saved;
}

Deno.test("What costs nothing is saved every two seconds", async () => {
  assert.deepEqual(await savings(7, 0), [2, 4, 6]);
});

Deno.test("What costs much is saved so rarely that it takes two percent of the time", async () => {
  const saved = await savings(200, 1);
  assert.deepEqual(saved.map(Math.round), [2, 53, 104, 155]);
});
