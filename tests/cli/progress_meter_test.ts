import assert from "node:assert/strict";
import { makeStyle } from "../../src/base/terminal_text.ts";
import { ProgressMeter } from "../../src/cli/output/progress_meter.ts";

const plain = makeStyle(false);
const reading = (done: number, phase = "pass 1 of 2") => ({
  phase,
  done,
  total: 1000,
  unit: "images",
});

Deno.test("a steady stage shows its rate and the time left", () => {
  const meter = new ProgressMeter(100);
  for (let step = 0; step <= 40; step++) meter.update(reading(step * 10), 100 + step / 10);
  assert.equal(meter.rate(104)!.toFixed(6), "100.000000");
  assert.equal(meter.remaining(104)!.toFixed(6), "6.000000");
  assert.equal(
    meter.describe(104, plain, 100),
    "━━━━━━────────── pass 1 of 2 · 400/1000 images · 100/s · 6 s left",
  );
});

Deno.test("the time left goes on falling between reports, and a new phase starts over", () => {
  const meter = new ProgressMeter(0);
  meter.update(reading(0), 0);
  meter.update(reading(100), 1);
  assert.equal(meter.remaining(1), 9);
  assert.equal(meter.remaining(3), 7);
  assert.equal(meter.remaining(30), 0);
  meter.update(reading(0, "pass 2 of 2"), 30);
  assert.equal(meter.remaining(30), undefined);
  assert.equal(meter.describe(31, plain, 40), "pass 2 of 2 · 0/1000 images · 31 s");
});

Deno.test("a stage that changes its speed is followed", () => {
  const meter = new ProgressMeter(0);
  meter.update(reading(0), 0);
  let done = 0;
  for (let step = 1; step <= 20; step++) meter.update(reading(done += 1), step * 0.25);
  for (let step = 21; step <= 80; step++) meter.update(reading(done += 10), step * 0.25);
  assert.ok(Math.abs(meter.rate(20)! - 40) < 2);
});

Deno.test("values are shown, and the line keeps its width", () => {
  const meter = new ProgressMeter(0);
  meter.update({ ...reading(1), values: { loss: 0.123456 } }, 0);
  assert.match(meter.describe(0.1, plain, 100), /loss 0\.1235/);
  assert.ok(meter.describe(0.1, plain, 24).length <= 24);
  const endless = new ProgressMeter(0);
  endless.update({ phase: "search", done: 7, total: 0, unit: "genomes" }, 0);
  assert.equal(endless.describe(5, plain, 100), "search · 7 genomes · 5 s");
});

Deno.test("what is slow is told by what one takes, and what all but stands still by the time so far", () => {
  const meter = new ProgressMeter(0);
  const boxes = (done: number) => ({ phase: "bounding", done, total: 3, unit: "domains" });
  meter.update(boxes(0), 0);
  meter.update(boxes(1), 80);
  assert.equal(
    meter.describe(80, plain),
    "bounding · 1/3 domains · 1 min 20 s each · 2 min 40 s left",
  );
  for (let now = 81; now < 300; now++) meter.update(boxes(1 + now * 1e-15), now);
  assert.equal(meter.describe(300, plain), "bounding · 1/3 domains · 5 min 00 s");
});

Deno.test("without a width nothing is cut off", () => {
  const meter = new ProgressMeter(0);
  const values = Object.fromEntries(
    [1, 2, 3, 4, 5].map((each) => [`a measured value ${each}`, each]),
  );
  meter.update({ ...reading(1), values }, 0);
  const text = meter.describe(3, plain);
  assert.match(text, /^pass 1 of 2 · 1\/1000 images · .*a measured value 5 5 · 3 s$/);
  assert.ok(text.length > 100);
});
