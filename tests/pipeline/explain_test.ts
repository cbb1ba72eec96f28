import assert from "node:assert/strict";
import { explainPlan, explainRun, type Explanation } from "../../src/pipeline/explain.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, run, thrownBy } from "./support.ts";

const CHAIN = `
name: chain
inputs: { start: { json: start.json } }
stages:
  - { id: first, uses: increment, with: { by: 1 } }
  - { id: second, uses: increment, with: { by: 2 } }
  - { id: third, uses: increment, with: { by: 3 } }
  - { id: apart, uses: number, with: { value: 7 } }
`;

function prepare(folder: Folder): string {
  folder.write("start.json", "1");
  return folder.pipeline(CHAIN);
}

async function explain(
  file: string,
  set: string[],
  ids: string[] = [],
  against?: string,
): Promise<Map<string, Explanation>> {
  const pipeline = await loadPipeline(file, { set });
  await using store = openStore(`${pipeline.directory}/store`);
  const plan = await planPipeline(pipeline, store);
  const record = against === undefined ? undefined : await store.runs.read(against);
  return new Map((await explainPlan(plan, ids, record)).map((each) => [each.id, each]));
}

function changes({ changes }: Explanation): unknown[] {
  return changes.map(({ ingredient, name, before, after, source }) =>
    [ingredient, name, before, after, source].filter((part) => part !== undefined)
  );
}

Deno.test("a changed parameter is named, with what it was, and so is what has to wait", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  const { run: id } = await run(file);
  const all = await explain(file, ["second.with.by=5"]);
  assert.deepEqual([...all.keys()], ["first", "second", "third", "apart"]);
  assert.equal(all.get("first")!.status, "hit");
  assert.equal(all.get("first")!.made!.run, id);
  assert.deepEqual(changes(all.get("first")!), []);
  assert.equal(all.get("second")!.status, "run");
  assert.deepEqual(changes(all.get("second")!), [["parameter", "by", 2, 5]]);
  assert.equal(all.get("second")!.since!.run, id);
  assert.equal(all.get("third")!.status, "blocked");
  assert.deepEqual(changes(all.get("third")!), []);
  assert.deepEqual(all.get("third")!.waits, ["second"]);
});

Deno.test("what changed is known even of a stage whose inputs are not known yet", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  await run(file);
  const all = await explain(file, ["second.with.by=5", "third.with.by=9"], ["third"]);
  assert.deepEqual([...all.keys()], ["third"]);
  assert.deepEqual(changes(all.get("third")!), [["parameter", "by", 3, 9]]);
  assert.deepEqual(all.get("third")!.waits, ["second"]);
});

Deno.test("a changed input is named with where it comes from", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  const { record } = await run(file);
  folder.write("start.json", "5");
  const first = (await explain(file, [], ["first"])).get("first")!;
  const [change] = first.changes;
  assert.equal(change!.source, "inputs.start");
  assert.equal(change!.before, record.inputs.start!.digest);
  assert.notEqual(change!.after, change!.before);
  assert.equal(first.changes.length, 1);
});

Deno.test("with a run to compare with, it is that one that counts", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  const { run: one } = await run(file);
  await run(file, { set: ["second.with.by=5"] });
  const since = async (against?: string) =>
    changes((await explain(file, ["second.with.by=6"], ["second"], against)).get("second")!);
  assert.deepEqual(await since(), [["parameter", "by", 5, 6]]);
  assert.deepEqual(await since(one), [["parameter", "by", 2, 6]]);
});

Deno.test("a run is explained by the one before it", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  await run(file);
  const { record } = await run(file, { set: ["second.with.by=5"] });
  await using store = openStore(folder.join("store"));
  const all = new Map((await explainRun(record, [], store)).map((each) => [each.id, each]));
  assert.deepEqual(changes(all.get("second")!), [["parameter", "by", 2, 5]]);
  assert.equal(all.get("second")!.status, "ran");
  const third = all.get("third")!.changes;
  assert.deepEqual(third.map(({ name, source }) => [name, source]), [["from", "second.to"]]);
  assert.deepEqual(changes(all.get("apart")!), []);
});

Deno.test("a stage that is not there is not explained", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  assert.deepEqual(await thrownBy(() => explain(file, [], ["secnd"])), [
    '- There is no stage "secnd" in pipeline "chain" → Did you mean "second"?',
  ]);
});
