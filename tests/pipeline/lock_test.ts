import assert from "node:assert/strict";
import { loadPipeline } from "../../src/pipeline/load.ts";
import {
  lockOf,
  lockPath,
  lockText,
  planChanges,
  readLock,
  resultChanges,
  writeLock,
} from "../../src/pipeline/lock.ts";
import { LockError } from "../../src/pipeline/lock_error.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { onlyStages } from "../../src/pipeline/subset.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, load, run, thrownBy } from "./support.ts";

const CHAIN = `
name: chain
inputs: { start: { json: start.json } }
stages:
  - { id: first, uses: increment, with: { by: 1 } }
  - { id: second, uses: increment, with: { by: 2 } }
`;

async function locked(folder: Folder): Promise<string> {
  folder.write("start.json", "1");
  const file = folder.pipeline(CHAIN);
  const { record } = await run(file);
  await using store = openStore(folder.join("store"));
  await writeLock(lockPath(file), await lockOf(record, store));
  return file;
}

/** What a plan with another store, and with changes, differs in. */
async function changes(file: string, set: string[] = [], store = "empty"): Promise<string[]> {
  const pipeline = await loadPipeline(file, { set });
  await using opened = openStore(`${pipeline.directory}/${store}`);
  const plan = await planPipeline(pipeline, opened);
  return planChanges(plan, await readLock(lockPath(file))).map(({ message }) => message);
}

Deno.test("a lock file is beside the pipeline", () => {
  assert.equal(lockPath("a/b.yaml"), "a/b.lock.json");
  assert.equal(lockPath("b.yml"), "b.lock.json");
});

Deno.test("nothing differs from a lock file that was just written, with results or without", async () => {
  using folder = new Folder();
  const file = await locked(folder);
  assert.deepEqual(await changes(file, [], "store"), []);
  assert.deepEqual(await changes(file), []);
});

Deno.test("whatever moves is named, old and new", async () => {
  using folder = new Folder();
  const file = await locked(folder);
  assert.deepEqual(await changes(file, ["second.with.by=5"]), ['Stage "second": by: 2 → 5']);
  assert.deepEqual(await changes(file, ["seed=3"]), [
    'Stage "first": seed: 0 → 3',
    'Stage "second": seed: 0 → 3',
  ]);
  folder.write("start.json", "9");
  const [input, first] = await changes(file);
  assert.match(input!, /^Input "start" changed: [0-9a-f]{12} → [0-9a-f]{12}$/);
  assert.equal(first, 'Stage "first": input "from" changed');
  folder.write("start.json", "1");
  folder.pipeline(CHAIN.replace("id: second", "id: other"));
  assert.deepEqual(await changes(file), [
    'Stage "other" is not locked',
    'Stage "second" is locked, but not there any more',
  ]);
});

Deno.test("other results of the same plan are named", async () => {
  using folder = new Folder();
  const file = await locked(folder);
  const lock = await readLock(lockPath(file));
  const { second } = lock.stages;
  const other = {
    ...lock,
    stages: { ...lock.stages, second: { ...second!, outputs: { to: "f".repeat(64) } } },
  };
  assert.deepEqual(resultChanges(lock, lock), []);
  assert.deepEqual(resultChanges(other, lock).map(({ message }) => message), [
    `Output "second.to" is ffffffffffff, locked is ${second!.outputs.to!.slice(0, 12)}`,
  ]);
});

Deno.test("the text is the same however often and wherever it is made", async () => {
  using one = new Folder();
  using two = new Folder();
  const texts = [];
  for (const folder of [one, two]) {
    texts.push(Deno.readTextFileSync(lockPath(await locked(folder))));
    assert.equal(lockText(await readLock(folder.join("pipeline.lock.json"))), texts.at(-1));
  }
  assert.equal(texts[0], texts[1]);
});

Deno.test("a lock file that is not there, or not one, is refused", async () => {
  using folder = new Folder();
  const path = folder.join("x.lock.json");
  await assert.rejects(() => readLock(path), LockError);
  assert.deepEqual(await thrownBy(() => readLock(path), folder), [
    '- Lock file "FOLDER/x.lock.json" does not exist → Run once with --lock to write it, and commit it beside the pipeline',
  ]);
  for (
    const text of ["", "{", "[]", '{"version":2}', '{"version":1,"inputs":{},"stages":{"a":1}}']
  ) {
    folder.write("x.lock.json", text);
    await assert.rejects(() => readLock(path), LockError, text);
  }
});

Deno.test("a part of a pipeline has what it needs and nothing else", async () => {
  const pipeline = await load(`
name: parts
inputs: { x: { json: x.json }, y: { json: y.json } }
stages:
  - { id: a, uses: increment, in: { from: inputs.x } }
  - { id: b, uses: increment, in: { from: inputs.y } }
  - { id: c, uses: increment, in: { from: a } }
  - { id: d, uses: increment, in: { from: c } }
`);
  const part = onlyStages(pipeline, ["c"]);
  assert.deepEqual(part.stages.map(({ id }) => id), ["a", "c"]);
  assert.deepEqual([...part.inputs.keys()], ["x"]);
  assert.deepEqual(onlyStages(pipeline, ["d", "b"]).stages.map(({ id }) => id), [
    "a",
    "b",
    "c",
    "d",
  ]);
  const said = await thrownBy(() => Promise.resolve(onlyStages(pipeline, ["cc"])));
  assert.deepEqual(said, ['- There is no stage "cc" to run → Did you mean "c"?']);
});
