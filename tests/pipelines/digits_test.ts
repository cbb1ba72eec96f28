import { deepEqual, equal, match, ok } from "node:assert/strict";
import { call } from "../cli/fixture.ts";

const PIPELINE = "pipelines/digits.yaml";
const SMALLER = ["--set", "inputs.test.take=1000", "--set", "inputs.calibration.take=64"];

Deno.test("the digits pipeline quantizes, measures and checks; a second run is cached", async () => {
  const store = await Deno.makeTempDir({ prefix: "bitbound-digits-" });
  try {
    const run = (...args: string[]) =>
      call(["run", PIPELINE, ...SMALLER, "--store", store, ...args]);

    const first = await run("--json");
    equal(first.code, 0, first.stderr);
    const document = JSON.parse(first.stdout);
    const stages = new Map<string, { status: string; metrics: Record<string, number> }>(
      document.stages.map((stage: { id: string }) => [stage.id, stage]),
    );
    deepEqual([...stages.values()].map(({ status }) => status), Array(6).fill("ran"));
    const w8 = stages.get("w8-test")!.metrics;
    const w4 = stages.get("w4-test")!.metrics;
    equal(w8.bits, 8);
    equal(w4.bits, 4);
    ok(w8.reference_top1! > 0.985);
    ok(Math.abs(w8.top1_drop!) <= 0.001);
    ok(Math.abs(w4.top1_drop!) <= 0.01);
    ok(w4.agreement! > 0.98 && w8.agreement! >= w4.agreement!);
    ok(w8.kl! < w4.kl! && w4.kl! < 0.05);
    // 28 304 weights: a byte each, then half a byte each, besides scales.
    ok(w8.weight_bytes! > 28304 && w8.weight_bytes! < 28304 + 1000);
    ok(w4.weight_bytes! > 14152 && w4.weight_bytes! < 14152 + 1000);
    ok(w4.file_bytes! < w8.file_bytes! && w8.file_bytes! < w8.float_bytes! / 2);

    const second = await run();
    equal(second.code, 0, second.stderr);
    match(second.stdout, /6 stages, 6 cached/);
    const [head, ...rows] = second.stdout.trimStart().split("\n");
    match(head!, /^model +bits +file +weights +top-1 +top-1 drop +agreement +KL$/);
    match(rows[0]!, /^prepare \(float\) +32 +119 kB +112 kB +99\.\d\d % +– +– +–$/);
    match(rows[1]!, /^w8 +8 /);
    match(rows[2]!, /^w4 +4 /);
  } finally {
    await Deno.remove(store, { recursive: true });
  }
});
