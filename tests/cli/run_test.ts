import assert from "node:assert/strict";
import { join } from "node:path";
import { call, type Workspace, workspace } from "./fixture.ts";

const CHAIN = `
  - uses: count
  - id: more
    uses: count
    with: { to: 4 }
    in: { before: count.out }
    expect: { value: "== 7" }
`;

/** Reads a stream line by line until one matches. */
async function untilLine(stream: ReadableStream<Uint8Array>, wanted: RegExp): Promise<string> {
  let text = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  while (!wanted.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Stream ended: ${text}`);
    text += value;
  }
  (async () => {
    while (!(await reader.read()).done);
  })();
  return text;
}

async function json(at: Workspace, ...args: string[]) {
  const ended = await at.call(...args, "--json");
  return { ...ended, document: JSON.parse(ended.stdout) };
}

Deno.test("a run shows stages, results, gates and artifacts; the second is cached", async () => {
  await using at = workspace(CHAIN);
  const first = await at.call("run", "p.yaml");
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /^✓ count\s+[\d.]+ m?s$/m);
  assert.match(first.stderr, /^✓ more /m);
  assert.match(first.stdout, /^model\s+value\s+share$/m);
  assert.match(first.stdout, /7\s+70\.00 %$/m);
  assert.match(first.stdout, /^✓ more: value is 7, as expected \(== 7\)$/m);
  assert.match(first.stdout, /^more\.out\s+json\s+1 B\s+\.bitbound\/blobs\//m);
  assert.match(first.stdout, /^Done in .*: 2 stages, 2 ran \(run \d{8}-\d{6}-[0-9a-f]{6}\)$/m);

  const second = await at.call("run", "p.yaml");
  assert.equal(second.code, 0);
  assert.match(second.stderr, /^✓ count\s+cached$/m);
  assert.match(second.stdout, /^Done in .*: 2 stages, 2 cached/m);
  assert.match(second.stdout, /^✓ more: value is 7/m);
});

Deno.test("--json prints one document, with everything a script needs", async () => {
  await using at = workspace(CHAIN);
  const { code, document } = await json(at, "run", "p.yaml");
  assert.equal(code, 0);
  assert.equal(document.version, 1);
  assert.equal(document.pipeline, "test");
  assert.equal(document.status, "done");
  assert.match(document.run, /^\d{8}-\d{6}-[0-9a-f]{6}$/);
  assert.deepEqual(document.stages.map(({ id, status }: Record<string, string>) => [id, status]), [
    ["count", "ran"],
    ["more", "ran"],
  ]);
  const more = document.stages[1];
  assert.deepEqual(more.metrics, { value: 7, share: 0.7 });
  assert.equal(await Deno.readTextFile(more.outputs.out.path), "7");
  assert.equal(typeof more.seconds, "number");
  assert.equal(document.expects.length, 1);
  assert.equal(document.expects[0].stage, "more");
  assert.equal(document.expects[0].met, true);

  const again = await json(at, "run", "p.yaml");
  assert.deepEqual(
    again.document.stages.map(({ status }: Record<string, string>) => status),
    ["hit", "hit"],
  );
  assert.deepEqual(again.document.stages[1].metrics, more.metrics);
});

Deno.test("--set changes a value, and only what depends on it runs", async () => {
  await using at = workspace(CHAIN);
  await at.call("run", "p.yaml");
  const { document } = await json(at, "run", "p.yaml", "--set", "more.with.to=5");
  assert.deepEqual(
    document.stages.map(({ status, metrics }: Record<string, unknown>) => [status, metrics]),
    [["hit", { value: 3, share: 0.3 }], ["ran", { value: 8, share: 0.8 }]],
  );
  const wrong = await at.call("run", "p.yaml", "--set", "mroe.with.to=5");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /mroe/);
});

Deno.test("an expectation that is not met ends with 3, cached or not", async () => {
  await using at = workspace(`
  - uses: count
    expect: { value: "<= 2" }
`);
  for (const mark of ["[\\d.]+ m?s", "cached"]) {
    const { code, stdout, stderr } = await at.call("run", "p.yaml");
    assert.equal(code, 3);
    assert.match(stderr, new RegExp(`✓ count .*${mark}`));
    assert.match(stdout, /^✗ count: value is 3, expected <= 2: 1 too high$/m);
    assert.match(stdout, /^Done, but not as expected/m);
  }
  const { document } = await json(at, "run", "p.yaml");
  assert.equal(document.status, "expectation-failed");
  assert.equal(document.expects[0].met, false);
});

Deno.test("a stage that throws ends with 1, says so plainly, and is not cached", async () => {
  await using at = workspace(`
  - uses: count
  - uses: fail
  - id: after
    uses: count
    in: { before: fail.out }
  - id: other
    uses: count
    in: { before: count.out }
`);
  for (let attempt = 0; attempt < 2; attempt++) {
    const { code, stdout, stderr } = await at.call("run", "p.yaml", "--jobs", "1", "--keep-going");
    assert.equal(code, 1);
    assert.match(stderr, /^✗ fail\s+failed after/m);
    assert.match(stderr, /Index out of bounds/);
    assert.doesNotMatch(stderr, /stages_plugin\.ts:\d+/);
    assert.match(stderr, /→ This is a defect of the stage; --debug shows where/);
    assert.match(stderr, /^- after\s+not started: it needs fail$/m);
    assert.match(stderr, /^✓ other /m);
    assert.match(stdout, /^Failed in /m);
  }
  const { document } = await json(at, "run", "p.yaml", "--keep-going");
  assert.deepEqual(
    document.stages.map(({ id, status }: Record<string, string>) => [id, status]).sort(),
    [["after", "blocked"], ["count", "hit"], ["fail", "failed"], ["other", "hit"]],
  );
  const { stderr } = await at.call("run", "p.yaml", "--debug");
  assert.match(stderr, /stages_plugin\.ts:\d+/);
});

Deno.test("a mistake that a stage finds is shown with its hint and its place", async () => {
  await using at = workspace(`
  - uses: fail
    with: { how: mistake }
`);
  const { code, stderr } = await at.call("run", "p.yaml");
  assert.equal(code, 1);
  assert.match(stderr, /error: The data has 3 channels/);
  assert.match(stderr, /→ Set channels to 3/);
  assert.doesNotMatch(stderr, /^\s+at .*\.ts/m);
});

Deno.test("warnings are shown, and again when cached", async () => {
  await using at = workspace(`
  - uses: count
    with: { to: 6 }
`);
  for (let attempt = 0; attempt < 2; attempt++) {
    const { code, stderr } = await at.call("run", "p.yaml");
    assert.equal(code, 0);
    assert.match(stderr, /^! count\s+That is a lot$/m);
  }
});

Deno.test("--dry-run and plan say what would run and why, and run nothing", async () => {
  await using at = workspace(CHAIN);
  const before = await at.call("plan", "p.yaml");
  assert.equal(before.code, 0);
  assert.match(before.stdout, /^count\s+count\s+run\s/m);
  assert.match(before.stdout, /^more\s+count\s+later\s/m);
  assert.match(before.stdout, /^0 of 2 stages are cached/m);
  const dry = await at.call("run", "p.yaml", "--dry-run");
  assert.deepEqual(dry.stdout, before.stdout);
  assert.deepEqual(await json(at, "cache", "ls").then(({ document }) => document.results), []);

  await at.call("run", "p.yaml");
  const { document } = await json(at, "plan", "p.yaml");
  assert.deepEqual(
    document.stages.map(({ id, status }: Record<string, string>) => [id, status]),
    [["count", "hit"], ["more", "hit"]],
  );
});

Deno.test("--events writes every event as a line of JSON", async () => {
  await using at = workspace(CHAIN);
  const { code } = await at.call("run", "p.yaml", "--events", "events.ndjson");
  assert.equal(code, 0);
  const lines = (await Deno.readTextFile(join(at.path, "events.ndjson"))).trim().split("\n");
  const events = lines.map((line) => JSON.parse(line));
  assert.equal(events[0].type, "run.start");
  assert.equal(events.at(-1).type, "run.end");
  assert.ok(events.every(({ v, run, time }) => v === 1 && run === events[0].run && time));
  assert.ok(events.some(({ type }) => type === "stage.progress"));
  const ends = events.filter(({ type }) => type === "stage.end");
  assert.deepEqual(ends.map(({ stage }) => stage), ["count", "more"]);

  const wrong = await at.call("run", "p.yaml", "--events", "none/events.ndjson");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /File of events "none\/events\.ndjson" cannot be written/);
});

Deno.test("the store is where it is asked for, else the nearest one above", async () => {
  await using at = workspace(CHAIN);
  await at.call("run", "p.yaml", "--store", "elsewhere");
  assert.ok((await Deno.stat(join(at.path, "elsewhere", "blobs"))).isDirectory);
  await assert.rejects(() => Deno.stat(join(at.path, ".bitbound")), Deno.errors.NotFound);

  await at.call("run", "p.yaml");
  await Deno.mkdir(join(at.path, "deeper"));
  const below = await call(["run", "../p.yaml"], { cwd: join(at.path, "deeper") });
  assert.match(below.stdout, /2 cached/);
});

Deno.test("Ctrl-C stops a run, even one that is deep in work, and keeps what was finished", async () => {
  await using at = workspace(`
  - uses: count
  - uses: fail
    with: { how: hang }
    in: { before: count.out }
`);
  const process = at.start("run", "p.yaml");
  await untilLine(process.stderr, /fail\s+starts/);
  process.kill("SIGINT");
  assert.equal((await process.status).code, 130);
  await process.stdout.cancel();

  const { document } = await json(at, "plan", "p.yaml");
  assert.equal(document.stages[0].status, "hit");
});

Deno.test("an interrupted run says how to go on", async () => {
  await using at = workspace(`
  - uses: count
    with: { to: 1000, pause: 20 }
`);
  const process = at.start("run", "p.yaml");
  let said = "";
  let asked = false;
  for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (!asked && /count\s+starts/.test(said)) {
      asked = true;
      process.kill("SIGINT");
    }
  }
  assert.equal((await process.status).code, 130);
  await process.stdout.cancel();
  assert.match(
    said,
    /^Interrupted\. What had finished is kept: run the same command again to go on$/m,
  );
  assert.doesNotMatch(said, /internal error|^\s+at /m);
});

Deno.test("GitHub gets a summary and annotations", async () => {
  await using at = workspace(`
  - uses: count
    expect: { value: "<= 2" }
`);
  const summary = join(at.path, "summary.md");
  const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary };
  const { stderr } = await call(["run", "p.yaml"], { cwd: at.path, env });
  assert.match(stderr, /^::error file=p\.yaml,line=\d+,col=\d+::count: value is 3, expected <= 2/m);
  const markdown = await Deno.readTextFile(summary);
  assert.match(markdown, /^\| model \| value \| share \|$/m);
  assert.match(markdown, /^- ❌ count: value is 3/m);
  const wrong = await call(["run", "none.yaml"], { cwd: at.path, env });
  assert.equal(wrong.code, 2);
});

Deno.test("a lock file proves that nothing moved, and --only and --force choose what runs", async () => {
  await using folder = workspace("  - uses: count\n  - { id: more, uses: count }\n");
  const missing = await folder.call("run", "p.yaml", "--frozen");
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /Lock file "p\.lock\.json" does not exist[^]*--lock/);

  const only = await folder.call("run", "p.yaml", "--only", "count", "--json");
  assert.deepEqual(JSON.parse(only.stdout).stages.map(({ id }: { id: string }) => id), ["count"]);
  const both = await folder.call("run", "p.yaml", "--only", "count", "--lock");
  assert.equal(both.code, 2);

  const first = await folder.call("run", "p.yaml", "--lock", "--force", "count", "--json");
  assert.equal(first.code, 0, first.stderr);
  const statuses = JSON.parse(first.stdout).stages.map(({ status }: { status: string }) => status);
  assert.deepEqual(statuses, ["ran", "ran"]);

  const same = await folder.call("run", "p.yaml", "--frozen");
  assert.equal(same.code, 0);
  assert.match(same.stderr, /Everything is as p\.lock\.json says/);

  const other = await folder.call("run", "p.yaml", "--frozen", "--set", "more.with.to=4");
  assert.equal(other.code, 4);
  assert.match(
    other.stderr,
    /Stage "more": to: 3 → 4[^]*at p\.yaml:[^]*"p\.lock\.json" would change/,
  );
});
