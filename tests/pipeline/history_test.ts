import assert from "node:assert/strict";
import { compareRuns } from "../../src/pipeline/compare_runs.ts";
import { LineageIndex } from "../../src/pipeline/lineage.ts";
import { stateOf } from "../../src/pipeline/run_state.ts";
import { keyOf, openStore, type RunRecord } from "../../src/store/store.ts";
import { Folder, run, thrownBy } from "./support.ts";

const CHAIN = `
name: chain
inputs: { start: { json: start.json } }
stages:
  - { id: first, uses: increment, with: { by: 1 } }
  - { id: second, uses: increment, with: { by: 2 } }
  - { id: both, uses: sum, in: { a: first, b: second, c: none, d: none } }
`;

function prepare(folder: Folder): string {
  folder.write("start.json", "1");
  return folder.pipeline(CHAIN);
}

Deno.test("two runs differ by what was changed and what came of it", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  const { record: before } = await run(file);
  const { record: after } = await run(file, { set: ["second.with.by=5"] });
  await using store = openStore(folder.join("store"));
  const found = await compareRuns(before, after, store);
  assert.deepEqual(found.same, ["first"]);
  assert.deepEqual(found.settings, { before: [], after: ["second.with.by=5"] });
  assert.deepEqual(found.inputs, {});
  const [second, both] = found.stages;
  assert.deepEqual(second!.metrics, { to: { before: 4, after: 7 } });
  assert.deepEqual(second!.changes.map(({ text }) => text), ["by: 2 → 5"]);
  assert.equal(both!.id, "both");
  assert.deepEqual(both!.metrics, { total: { before: 6, after: 9 } });
  assert.deepEqual(both!.changes.map(({ name }) => name), ["b"]);
  assert.deepEqual(Object.keys(both!.outputs), ["total"]);
});

Deno.test("a run is the same as another one that found its results", async () => {
  using folder = new Folder();
  const file = prepare(folder);
  const { record: before } = await run(file);
  const { record: after } = await run(file);
  await using store = openStore(folder.join("store"));
  const found = await compareRuns(before, after, store);
  assert.deepEqual([found.stages, found.same], [[], ["first", "second", "both"]]);
});

Deno.test("stages that only one run has, and changed inputs, are told", async () => {
  using folder = new Folder();
  const { record: before } = await run(prepare(folder));
  folder.write("start.json", "2");
  const { record: after } = await run(
    folder.pipeline(CHAIN.replace("id: both", "id: total"), "other.yaml"),
  );
  await using store = openStore(folder.join("store"));
  const { inputs, stages } = await compareRuns(before, after, store);
  assert.deepEqual(Object.keys(inputs), ["start"]);
  assert.deepEqual(stages.map(({ id, only }) => [id, only]), [
    ["first", undefined],
    ["second", undefined],
    ["both", "before"],
    ["total", "after"],
  ]);
});

Deno.test("widths that a search chose are compared layer by layer", async () => {
  using folder = new Folder();
  await using store = openStore(folder.join("store"));
  const record = async (id: string, widths: Record<string, number>): Promise<RunRecord> => {
    const layers = Object.fromEntries(
      Object.entries(widths).map(([name, weights]) => [name, { weights }]),
    );
    const blob = await store.putBlob(
      new TextEncoder().encode(JSON.stringify({ version: 1, layers })),
    );
    const outputs = { assignment: { kind: "assignment", ...blob } };
    return {
      version: 2,
      id,
      pipeline: "p",
      file: "p.yaml",
      settings: [],
      seed: 0,
      versions: {},
      started: "2026-01-01T00:00:00Z",
      status: "done",
      inputs: {},
      metrics: {},
      stages: [{ id: "s", uses: "search", status: "ran", inputs: {}, reason: "", outputs }],
    };
  };
  const before = await record("a", { conv1: 8, conv2: 4, old: 2 });
  const after = await record("b", { conv1: 8, conv2: 3, new: 6 });
  const [stage] = (await compareRuns(before, after, store)).stages;
  assert.deepEqual(stage!.widths, {
    conv2: { before: 4, after: 3 },
    old: { before: 2 },
    new: { after: 6 },
  });
});

Deno.test("an artifact is traced down to the user's file", async () => {
  using folder = new Folder();
  const { record, run: id } = await run(prepare(folder));
  await using store = openStore(folder.join("store"));
  const index = await LineageIndex.read(store);
  const { digest } = record.stages[2]!.outputs!.total!;
  assert.equal(index.digestOf("both.total"), digest);
  assert.equal(index.digestOf(digest.slice(0, 10)), digest);
  const both = index.trace(digest);
  assert.equal(both.made!.run, id);
  assert.deepEqual(both.made!.from.map(({ port, artifact }) => [port, artifact.name]), [
    ["a", "first.to"],
    ["b", "second.to"],
  ]);
  const [first, second] = both.made!.from;
  const start = first!.artifact.made!.from[0]!.artifact;
  assert.equal(start.path, folder.join("start.json"));
  assert.deepEqual(start.spec, { json: "start.json" });
  assert.equal(start.made, undefined);
  // What is shared is told once.
  assert.equal(second!.artifact.made!.from[0]!.artifact.repeated, true);
});

Deno.test("what no artifact is called is a mistake, with what was meant", async () => {
  using folder = new Folder();
  await run(prepare(folder));
  await using store = openStore(folder.join("store"));
  const index = await LineageIndex.read(store);
  const said = await thrownBy(() => Promise.resolve(index.digestOf("frist.to")));
  assert.deepEqual(said, [
    '- There is no artifact "frist.to" in the store → Did you mean "first.to"?',
  ]);
});

Deno.test("a run is going on while its stage holds its lock, and was stopped when it does not", async () => {
  using folder = new Folder();
  const { record } = await run(prepare(folder));
  await using store = openStore(folder.join("store"));
  const { key } = keyOf({ stage: "x", version: 1, parameters: {}, inputs: [], seed: 0 });
  const started = "2026-01-01T00:00:00.000Z";
  const later = Date.parse(started) + 60_000;
  const running: RunRecord = {
    ...record,
    id: "20260101-000000-000000",
    status: "running",
    started,
    stages: [
      { ...record.stages[0]!, status: "running", key, started },
      { ...record.stages[1]!, status: "pending" },
    ],
  };
  {
    await using _lock = await store.lock(key);
    const state = await stateOf(running, store, later);
    assert.equal(state.status, "running");
    assert.equal(state.seconds, 60);
    const expected = record.stages[1]!.seconds!;
    assert.ok(Math.abs(state.left! - expected) < 1e-9, `${state.left} ${expected}`);
  }
  assert.equal((await stateOf(running, store, later)).status, "stopped");
  // It may be between two stages, but then its record changes soon.
  const soon = Date.parse(started) + 5000;
  await store.runs.save(running);
  assert.equal((await stateOf(running, store, soon)).status, "stopped");
  const [first, second] = running.stages;
  await store.runs.save({ ...running, stages: [{ ...first!, status: "ran" }, second!] });
  assert.equal((await stateOf(running, store, soon)).status, "running");
  assert.equal((await stateOf(record, store, later)).status, "done");
});
