import assert from "node:assert/strict";
import { resultFile } from "../../src/store/result_file.ts";
import { Layout } from "../../src/store/layout.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, problemsOf, run, valueOf } from "./support.ts";

Deno.test("an output that the parameters leave out is not there, and no stage takes it", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: pairs
stages:
  - { id: one, uses: pair }
  - { id: both, uses: pair, with: { second: true } }
  - { id: next, uses: increment, in: { from: both.second } }
  - { id: nearest, uses: increment, in: { from: one } }
`);
  const outcome = await run(file);
  assert.equal(outcome.status, "done");
  const outputs = outcome.stages.map((stage) => Object.keys(stage.outputs));
  assert.deepEqual(outputs, [["first"], ["first", "second"], ["to"], ["to"]]);
  assert.equal(valueOf(outcome, "next", "to"), 3);
  assert.equal(valueOf(outcome, "nearest", "to"), 2);
  assert.deepEqual(Object.values((await run(file)).statuses()), ["hit", "hit", "hit", "hit"]);
});

Deno.test("taking an output that is left out is a mistake, also where only some items leave it out", async () => {
  assert.deepEqual(
    await problemsOf(`
name: pairs
stages:
  - { id: one, uses: pair }
  - { uses: increment, in: { from: one.second } }
`),
    ['4:36+10 Stage "increment": in.from is "one.second", which "one" does not make with its parameters → Known: "one.first"'],
  );
  assert.deepEqual(
    await problemsOf(`
name: pairs
stages:
  - { id: some, uses: pair, matrix: { on: [true, false] }, with: { second: "\${matrix.on}" } }
  - { uses: increment, in: { from: some.second } }
`),
    ['4:36+11 Stage "increment": in.from is "some.second", which "some" does not make with its parameters → Known: "some.first"'],
  );
});

Deno.test("a stage has to keep to what it says that it omits", async () => {
  using folder = new Folder();
  for (const second of [true, false]) {
    const file = folder.pipeline(`
name: lies
stages:
  - { uses: pair, with: { second: ${second}, lies: true } }
`);
    const [stage] = (await run(file)).stages;
    assert.equal(
      stage!.error!.problems[0]!.message,
      second
        ? 'TypeError: Stage "pair" did not return its output "second"'
        : 'TypeError: Stage "pair" returned "second", which it says that it omits',
    );
  }
});

Deno.test("a result with other outputs than the stage makes is not taken", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: forged
stages:
  - { uses: number, with: { value: 3 } }
  - { uses: increment }
`);
  const before = await run(file);
  const root = folder.join("store");
  const key = before.stages[0]!.key!;
  const action = await (async () => {
    await using store = openStore(root);
    return (await store.lookup(key)).action!;
  })();
  const { value } = action.outputs;
  const forgeries = [{}, { value: { ...value!, kind: "x" } }, { value: value!, more: value! }];
  for (const outputs of forgeries) {
    Deno.writeTextFileSync(new Layout(root).action(key), resultFile({ ...action, outputs }));
    const outcome = await run(file);
    assert.deepEqual(outcome.statuses(), { number: "ran", increment: "hit" });
    const planned = outcome.events.find((event) => event.type === "stage.plan")!;
    assert.equal(planned.reason, "result in the store has other outputs than the stage makes");
    assert.deepEqual(Object.keys(outcome.stages[0]!.outputs), ["value"]);
  }
});
