import assert from "node:assert/strict";
import { Folder, run } from "./support.ts";

const trouble = (how: string) => `
name: trouble
stages:
  - { id: before, uses: number, with: { value: 1 } }
  - { id: bad, uses: trouble, with: { how: ${how} }, in: { after: before } }
  - { id: after, uses: increment, in: { from: bad } }
  - { id: aside, uses: number, with: { value: 2 } }
`;

/** What stages can do wrong, and what is said of it. */
const DEFECTS: Record<string, string> = {
  "defect": "RangeError: Index out of range",
  "string": "Error: just a string",
  "no-output": 'TypeError: Stage "trouble" did not return its output "value"',
  "other-output": 'TypeError: Stage "trouble" returned "more", which is none of its outputs',
  "other-metric": 'TypeError: Stage "trouble" reported "speed", which is none of its metrics',
  "infinite-metric": 'RangeError: Stage "trouble" reported the metric "value" as Infinity',
};

for (const executor of ["inline", "workers"] as const) {
  Deno.test(`a user's mistake is told with its place: ${executor}`, async () => {
    using folder = new Folder();
    const file = folder.pipeline(trouble("mistake"));
    const outcome = await run(file, { executor, keepGoing: true });
    assert.equal(outcome.exitCode, 1);
    assert.deepEqual(outcome.statuses(), {
      before: "ran",
      bad: "failed",
      after: "blocked",
      aside: "ran",
    });
    const text = "  - { id: bad, uses: trouble, with: { how: mistake }, in: { after: before } }";
    assert.deepEqual(outcome.stages[1]!.error, {
      defect: false,
      problems: [{
        message: "The data is wrong",
        hint: "Mend it",
        place: { file, line: 4, column: 22, length: 7, text },
      }],
    });
  });

  Deno.test(`a defect of a stage is told with its stack: ${executor}`, async () => {
    using folder = new Folder();
    for (const [how, message] of Object.entries(DEFECTS)) {
      const outcome = await run(folder.pipeline(trouble(how)), { executor, keepGoing: true });
      const { error, status } = outcome.stages[1]!;
      assert.equal(status, "failed");
      assert.equal(error!.problems.length, 1);
      assert.equal(error!.problems[0]!.message, message);
      assert.equal(error!.problems[0]!.place!.line, 4);
      assert.equal(error!.defect, true);
      assert.ok(error!.stack!.length > 0);
    }
  });

  Deno.test(`a failure is not remembered: ${executor}`, async () => {
    using folder = new Folder();
    const file = folder.pipeline(trouble("mistake"));
    await run(file, { executor });
    const again = await run(file, { executor });
    assert.equal(again.stages[1]!.status, "failed");
  });
}

Deno.test("after a failure nothing new starts, unless told to keep going", async () => {
  using folder = new Folder();
  const outcome = await run(folder.pipeline(trouble("mistake")), { executor: "inline" });
  assert.equal(outcome.statuses().after, "blocked");
  const file = folder.pipeline(`
name: order
stages:
  - { id: bad, uses: trouble, with: { how: mistake }, in: { after: none } }
  - { id: next, uses: number, with: { value: 7 } }
  - { id: last, uses: increment }
`);
  const stopped = await run(file, { executor: "inline" });
  assert.deepEqual(stopped.statuses(), { bad: "failed", next: "skipped", last: "blocked" });
  const went = await run(file, { executor: "inline", keepGoing: true });
  assert.deepEqual(went.statuses(), { bad: "failed", next: "ran", last: "ran" });
});

Deno.test("an error that nobody catches in a Worker fails its stage only", async () => {
  const said = {
    stray: "Error: Thrown where nobody catches it",
    rejection: "Error: Rejected where nobody waits for it",
  };
  for (const [how, message] of Object.entries(said)) {
    using folder = new Folder();
    const file = folder.pipeline(trouble(how));
    const outcome = await run(file, { executor: "workers", jobs: 1, keepGoing: true });
    assert.deepEqual(outcome.statuses(), {
      before: "ran",
      bad: "failed",
      after: "blocked",
      aside: "ran",
    });
    assert.deepEqual(outcome.stages[1]!.error!.problems.map(({ message }) => message), [message]);
  }
});

Deno.test("a stage that would end its thread fails, and the run goes on", async () => {
  const said = { exit: "Deno.exit", "process-exit": "process.exit", close: "close" };
  for (const [how, name] of Object.entries(said)) {
    using folder = new Folder();
    const outcome = await run(folder.pipeline(trouble(how)), {
      executor: "workers",
      jobs: 1,
      keepGoing: true,
    });
    assert.equal(outcome.statuses().aside, "ran");
    assert.deepEqual(
      outcome.stages[1]!.error!.problems.map(({ message }) => message),
      [`Error: A stage must not call ${name}: throw an error instead`],
    );
  }
});

Deno.test("what a stage throws when it is over does not meet the next one", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: later
stages:
  - { id: first, uses: trouble, with: { how: stray-later } }
  - { id: second, uses: count, with: { to: 40, milliseconds: 50 } }
`);
  const outcome = await run(file, { executor: "workers", jobs: 1 });
  assert.deepEqual(outcome.statuses(), { first: "ran", second: "ran" });
});

for (const how of ["hang", "spin"]) {
  Deno.test(`an interrupt ends stages that ${how}, and keeps what was done`, async () => {
    using folder = new Folder();
    const file = folder.pipeline(trouble(how));
    const controller = new AbortController();
    const outcome = await run(file, {
      executor: "workers",
      jobs: 1,
      signal: controller.signal,
      onEvent(event) {
        if (event.type === "stage.progress") controller.abort();
      },
    });
    assert.equal(outcome.status, "interrupted");
    assert.equal(outcome.exitCode, 130);
    assert.deepEqual(outcome.statuses().before, "ran");
    assert.deepEqual(outcome.statuses().bad, "skipped");
    assert.deepEqual(outcome.statuses().after, "skipped");
    const again = await run(folder.pipeline(trouble("mistake")), { keepGoing: true });
    assert.equal(again.statuses().before, "hit");
  });
}

Deno.test("an interrupt ends a stage in this thread when it looks at its signal", async () => {
  using folder = new Folder();
  const controller = new AbortController();
  const outcome = await run(folder.pipeline(trouble("hang")), {
    executor: "inline",
    signal: controller.signal,
    onEvent(event) {
      if (event.type === "stage.progress") controller.abort();
    },
  });
  assert.equal(outcome.status, "interrupted");
});
