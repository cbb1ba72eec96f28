import { deepEqual, equal, ok } from "node:assert/strict";
import { call } from "../cli/fixture.ts";

const PIPELINE = "pipelines/digits-zero-shot.yaml";
const SMALLER = [
  "inputs.test.take=500",
  "images.with.images=32",
  "images.with.steps=30",
  "w4-learned.with.steps=30",
].flatMap((setting) => ["--set", setting]);

Deno.test("the digits are quantized without an image of one", async () => {
  const store = await Deno.makeTempDir({ prefix: "bitbound-zero-shot-" });
  try {
    const { code, stdout, stderr } = await call([
      "run",
      PIPELINE,
      ...SMALLER,
      "--set",
      `images.with.sheet=${store}/sheet.png`,
      "--store",
      store,
      "--json",
    ]);
    equal(code, 0, stderr);
    const stages = new Map<string, { status: string; metrics: Record<string, number> }>(
      JSON.parse(stdout).stages.map((stage: { id: string }) => [stage.id, stage]),
    );
    deepEqual([...stages.values()].map(({ status }) => status), Array(11).fill("ran"));
    equal(stages.get("ranges")!.metrics.items, 0);
    ok(stages.get("w8-biases")!.metrics.layers! >= 5);
    const images = stages.get("images")!.metrics;
    equal(images.batch_norms, 6);
    ok(images.matching_loss! < 0.2 * images.noise_matching_loss!);
    ok((await Deno.stat(`${store}/sheet.png`)).size > 1000);
    ok(stages.get("w8-test")!.metrics.top1_drop! <= 0.005);
    ok(stages.get("w4-test")!.metrics.top1_drop! <= 0.03);
  } finally {
    await Deno.remove(store, { recursive: true });
  }
});
