import assert from "node:assert/strict";
import { asSchema } from "../../src/registry/schema.ts";
import { validate } from "../../src/registry/validate.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { RunEventSchema } from "../../src/pipeline/events.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, run, thrownBy, valueOf } from "./support.ts";

const SUMS = `
name: sums
stages:
  - { id: two, uses: number, with: { value: 2 } }
  - { id: three, uses: number, with: { value: 3 } }
  - { id: five, uses: sum, in: { a: two, b: three, c: none, d: none } }
  - { id: ten, uses: increment, with: { by: 5 } }
`;

Deno.test("stages run once, in Workers; what did not change is not run again", async (t) => {
  using folder = new Folder();
  const file = folder.pipeline(SUMS);
  await t.step("the first time, all run", async () => {
    const first = await run(file, { executor: "workers", jobs: 2 });
    assert.equal(first.exitCode, 0);
    assert.deepEqual(first.statuses(), { two: "ran", three: "ran", five: "ran", ten: "ran" });
    assert.equal(valueOf(first, "ten", "to"), 10);
    assert.deepEqual(first.stages[3]!.metrics, { to: 10 });
  });
  await t.step("the second time, no Worker starts", async () => {
    const { Worker } = globalThis;
    globalThis.Worker = class {
      constructor() {
        throw new Error("A Worker was started");
      }
    } as unknown as typeof Worker;
    try {
      const second = await run(file, { executor: "workers" });
      assert.deepEqual(second.statuses(), { two: "hit", three: "hit", five: "hit", ten: "hit" });
      assert.deepEqual(second.stages[3]!.metrics, { to: 10 });
    } finally {
      globalThis.Worker = Worker;
    }
  });
  await t.step("equal bytes end the chain of what has to run", async () => {
    const third = await run(file, { set: ["two.with.label=changed"] });
    assert.deepEqual(third.statuses(), { two: "ran", three: "hit", five: "hit", ten: "hit" });
  });
  await t.step("another seed is another result", async () => {
    const fourth = await run(file, { set: ["seed=1"] });
    assert.deepEqual(fourth.statuses(), { two: "ran", three: "ran", five: "ran", ten: "ran" });
  });
  await t.step("a stage can be forced", async () => {
    const fifth = await run(file, { force: ["three"] });
    assert.deepEqual(fifth.statuses(), { two: "hit", three: "ran", five: "hit", ten: "hit" });
    assert.deepEqual(await thrownBy(() => run(file, { force: ["thre"] })), [
      '- There is no stage "thre" to force → Did you mean "three"?',
    ]);
  });
});

Deno.test("events say what happens, in the form of their schema", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: events
stages:
  - { uses: count, with: { to: 3 } }
  - { id: bad, uses: trouble, with: { how: mistake } }
  - { id: late, uses: increment }
`);
  const { events, run: id } = await run(file, { executor: "workers", jobs: 1, keepGoing: true });
  const schema = asSchema(RunEventSchema);
  for (const event of events) {
    assert.deepEqual(validate(schema, event as unknown as JsonValue), []);
    assert.equal(event.run, id);
  }
  assert.deepEqual(
    events.map((event) => "stage" in event ? `${event.type} ${event.stage}` : event.type)
      .filter((text) => !text.startsWith("stage.progress")),
    [
      "run.start",
      "stage.plan count",
      "stage.plan bad",
      "stage.plan late",
      "stage.start count",
      "stage.end count",
      "stage.start bad",
      "stage.end bad",
      "stage.end late",
      "run.end",
    ],
  );
  const progress = events.filter((event) =>
    event.type === "stage.progress" && event.stage === "count"
  );
  assert.ok(progress.length >= 1);
});

Deno.test("a run leaves a record", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: recorded
inputs: { start: { json: start.json } }
stages:
  - { id: a, uses: increment }
  - { id: b, uses: trouble, with: { how: defect } }
  - { id: c, uses: increment }
`);
  folder.write("start.json", "4");
  const outcome = await run(file, { keepGoing: true });
  await using store = openStore(folder.join("store"));
  const record = (await store.runs.read(outcome.run))!;
  assert.equal(record.status, "failed");
  assert.equal(record.pipeline, "recorded");
  assert.deepEqual(Object.keys(record.inputs), ["start"]);
  assert.deepEqual(record.stages.map(({ id, status }) => `${id} ${status}`), [
    "a ran",
    "b failed",
    "c blocked",
  ]);
  assert.deepEqual(record.stages[0]!.metrics, { to: 5 });
  assert.equal(record.stages[1]!.error, "RangeError: Index out of range");
  assert.match(record.stages[1]!.stack!, /test_stages\.ts/);
});

Deno.test("the record of a run says what it was made from and what came out", async () => {
  using folder = new Folder();
  folder.write("start.json", "4");
  const file = folder.pipeline(`
name: recorded
description: Counts
seed: 3
inputs: { start: { json: start.json } }
stages:
  - { id: a, uses: increment, expect: { to: "<= 4" } }
  - { id: b, uses: increment }
`);
  const before = new Date().toISOString();
  const { record, run: id } = await run(file, { set: ["b.with.by=2"] });
  await using store = openStore(folder.join("store"));
  assert.deepEqual(await store.runs.read(id), record);
  assert.equal(record.status, "expectation-failed");
  assert.equal(record.description, "Counts");
  assert.equal(record.seed, 3);
  assert.deepEqual(record.settings, ["b.with.by=2"]);
  assert.equal(record.source, Deno.readTextFileSync(file));
  assert.equal(record.versions.deno, Deno.version.deno);
  assert.equal(record.inputs.start!.path, folder.join("start.json"));
  assert.deepEqual(record.metrics.increment!.to!.title, "value");
  const [a, b] = record.stages;
  assert.deepEqual(a!.inputs, { from: "inputs.start" });
  assert.deepEqual(b!.inputs, { from: "a.to" });
  assert.equal(a!.reason, "has not run before");
  assert.ok(a!.started! >= before && b!.started! >= a!.started!);
  assert.deepEqual(a!.expects, [{
    metric: "to",
    condition: "<= 4",
    met: false,
    value: 5,
    by: 1,
    message: "to is 5, expected <= 4: 1 too high",
  }]);

  const again = (await run(file, { set: ["b.with.by=2"] })).record;
  assert.deepEqual(again.stages.map(({ status, started }) => [status, started]), [
    ["hit", undefined],
    ["hit", undefined],
  ]);
  assert.deepEqual(again.stages[0]!.expects, a!.expects);
});

Deno.test("inputs of every sort reach stages, in this thread and in others", async () => {
  for (const executor of ["inline", "workers"] as const) {
    using folder = new Folder();
    const file = folder.pipeline(`
name: inputs
inputs: { start: { json: data/start.json } }
stages:
  - { uses: increment }
`);
    folder.write("data/start.json", " 41 ");
    const first = await run(file, { executor });
    assert.equal(valueOf(first, "increment", "to"), 42);
    folder.write("data/start.json", "1");
    assert.equal(valueOf(await run(file, { executor }), "increment", "to"), 2);
    folder.write("data/start.json", "{");
    const wrong = await run(file, { executor });
    assert.match(wrong.stages[0]!.error!.problems[0]!.message, /start\.json" is not JSON: /);
  }
});

Deno.test("a damaged result is made again, and the plan says why", async () => {
  using folder = new Folder();
  const file = folder.pipeline(SUMS);
  const first = await run(file);
  Deno.writeTextFileSync(first.stages[3]!.outputs.to!.path, "11");
  const second = await run(file);
  assert.deepEqual(second.statuses(), { two: "hit", three: "hit", five: "hit", ten: "ran" });
  assert.equal(valueOf(second, "ten", "to"), 10);
  const planned = second.events.find((event) =>
    event.type === "stage.plan" && event.stage === "ten"
  );
  assert.match(
    (planned as { reason: string }).reason,
    /^Output "to" \([0-9a-f]{12}\) is damaged$/,
  );
});

Deno.test("a store that one may only read still gives its results", {
  ignore: Deno.build.os === "windows",
}, async () => {
  using folder = new Folder();
  const file = folder.pipeline(SUMS);
  await run(file);
  // A file in place of the folder stops even those who may write everywhere.
  Deno.removeSync(folder.join("store", "runs"), { recursive: true });
  folder.write("store/runs", "");
  const second = await run(file);
  assert.equal(second.status, "done");
  assert.deepEqual(second.statuses(), { two: "hit", three: "hit", five: "hit", ten: "hit" });
  assert.deepEqual(
    second.events.filter(({ type }) => type === "stage.warning").length,
    1,
  );
});
