import assert from "node:assert/strict";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, run } from "./support.ts";

const PIPELINE = `
name: planned
inputs: { start: { json: start.json } }
stages:
  - { id: a, uses: increment }
  - { id: b, uses: increment, with: { by: 2 } }
  - { id: c, uses: number, with: { value: 4 } }
  - { id: d, uses: sum, in: { a: b, b: c, c: none, d: none } }
`;

/** `id status: reason`, and whether the key is known. */
async function plan(file: string, set: string[] = []): Promise<string[]> {
  const pipeline = await loadPipeline(file, { set });
  await using store = openStore(`${pipeline.directory}/store`);
  const { stages } = await planPipeline(pipeline, store);
  return stages.map(({ stage, status, reason, key }) =>
    `${stage.id} ${status}${key === undefined ? "?" : ""}: ${reason}`
  );
}

Deno.test("a plan says what would run, and why", async (t) => {
  using folder = new Folder();
  const file = folder.pipeline(PIPELINE);
  folder.write("start.json", "1");

  await t.step("before anything ran", async () => {
    assert.deepEqual(await plan(file), [
      "a run: has not run before",
      "b blocked?: waits for a; its key is known after that",
      "c run: has not run before",
      "d blocked?: waits for b, c; its key is known after that",
    ]);
  });
  await t.step("after a run", async () => {
    await run(file);
    const hit = "result is in the store";
    assert.deepEqual(await plan(file), [
      `a hit: ${hit}`,
      `b hit: ${hit}`,
      `c hit: ${hit}`,
      `d hit: ${hit}`,
    ]);
  });
  await t.step("after a parameter changed", async () => {
    assert.deepEqual((await plan(file, ["b.with.by=5", "c.with.label=x"])).slice(1), [
      "b run: by: 2 → 5",
      "c run: label: nothing → x",
      "d blocked?: waits for b, c; its key is known after that",
    ]);
  });
  await t.step("after several things changed", async () => {
    assert.deepEqual(
      (await plan(file, ["seed=3", "a.with.by=3"]))[0],
      "a run: by: 1 → 3; seed: 0 → 3",
    );
  });
  await t.step("after an input changed", async () => {
    folder.write("start.json", "2");
    assert.deepEqual((await plan(file)).slice(0, 2), [
      'a run: input "from" changed',
      "b blocked?: waits for a; its key is known after that",
    ]);
    folder.write("start.json", "1");
  });
  await t.step("after results were deleted", async () => {
    Deno.removeSync(folder.join("store", "actions"), { recursive: true });
    assert.equal(
      (await plan(file))[0],
      "a run: its last result was deleted, or was made from something else",
    );
  });
});

Deno.test("a plan knows how long stages took", async () => {
  using folder = new Folder();
  const file = folder.pipeline(PIPELINE);
  folder.write("start.json", "1");
  const ran = await run(file);
  await run(file);
  const pipeline = await loadPipeline(file, { set: ["a.with.by=7"] });
  await using store = openStore(folder.join("store"));
  const { stages } = await planPipeline(pipeline, store);
  assert.equal(stages[0]!.expected, ran.stages[0]!.seconds);
  assert.equal(stages[1]!.expected, ran.stages[1]!.seconds);
});
