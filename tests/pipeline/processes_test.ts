import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { RunEvent } from "../../src/pipeline/events.ts";
import { Folder, run } from "./support.ts";

const PROCESS = fileURLToPath(new URL("./run_process.ts", import.meta.url));

function start(file: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", PROCESS, file],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Kills a process when it tells a certain event. */
async function killAt(
  child: Deno.ChildProcess,
  found: (event: RunEvent) => boolean,
): Promise<void> {
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    const lines = text.split("\n");
    text = lines.pop()!;
    if (lines.some((line) => found(JSON.parse(line)))) break;
  }
  child.kill("SIGKILL");
  await child.status;
}

function counting(folder: Folder, name: string): string {
  return folder.pipeline(
    `
name: counting
stages:
  - { uses: count, with: { to: 40, milliseconds: 20, log: "${folder.join("numbers.log")}" } }
`,
    `${name}.yaml`,
  );
}

Deno.test("a run that was killed is continued, and ends with the same bytes", async () => {
  using whole = new Folder();
  const uninterrupted = await run(counting(whole, "pipeline"));
  using folder = new Folder();
  const file = counting(folder, "pipeline");
  for (const number of [3, 10, 20]) {
    await killAt(start(file), (event) => event.type === "stage.progress" && event.done >= number);
  }
  const counted = Deno.readTextFileSync(folder.join("numbers.log")).trim().split("\n");
  assert.ok(counted.length < 40);

  const outcome = await run(file, { executor: "workers" });
  assert.deepEqual(outcome.statuses(), { count: "ran" });
  assert.equal(
    outcome.stages[0]!.outputs.sequence!.digest,
    uninterrupted.stages[0]!.outputs.sequence!.digest,
  );
  // What was counted before the kill is not counted again, but for the number that each was at.
  const lines = Deno.readTextFileSync(folder.join("numbers.log")).trim().split("\n").map(Number);
  const twice = lines.length - new Set(lines).size;
  assert.ok(twice <= 3, `${twice} numbers were counted twice`);
  assert.equal(new Set(lines).size, 40);
});

Deno.test("two runs at once execute each stage once", async () => {
  using folder = new Folder();
  const log = folder.join("executions.log");
  const file = folder.pipeline(`
name: once
stages:
  - { id: slow, uses: count, with: { to: 10, milliseconds: 20 } }
  - { id: a, uses: sum, with: { plus: 1, log: "${log}" }, in: { a: none, b: none, c: none, d: none } }
  - { id: b, uses: sum, with: { plus: 2, log: "${log}" }, in: { a: a, b: none, c: none, d: none } }
`);
  const outcomes = await Promise.all([0, 1, 2].map(async () => {
    const child = start(file);
    const { code, stdout } = await child.output();
    const ends = new TextDecoder().decode(stdout).trim().split("\n")
      .map((line) => JSON.parse(line) as RunEvent)
      .filter((event) => event.type === "stage.end");
    return { code, ends: new Map(ends.map(({ stage, status }) => [stage, status])) };
  }));
  assert.deepEqual(outcomes.map(({ code }) => code), [0, 0, 0]);
  for (const stage of ["slow", "a", "b"]) {
    const ran = outcomes.filter(({ ends }) => ends.get(stage) === "ran");
    const hits = outcomes.filter(({ ends }) => ends.get(stage) === "hit");
    assert.deepEqual([ran.length, hits.length], [1, 2], stage);
  }
  assert.equal(Deno.readTextFileSync(log), "run\nrun\n");
});

Deno.test("one run executes two stages with the same ingredients once", async () => {
  using folder = new Folder();
  const log = folder.join("executions.log");
  const stage =
    `uses: sum, with: { plus: 1, log: "${log}" }, in: { a: none, b: none, c: none, d: none }`;
  const outcome = await run(
    folder.pipeline(`
name: twins
stages: [{ id: a, ${stage} }, { id: b, ${stage} }]
`),
    { executor: "workers", jobs: 2 },
  );
  assert.deepEqual(Object.values(outcome.statuses()).sort(), ["hit", "ran"]);
  assert.equal(Deno.readTextFileSync(log), "run\n");
});
