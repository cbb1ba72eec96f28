import assert from "node:assert/strict";
import { join } from "node:path";
import { workspace } from "./fixture.ts";

const ONE = "  - uses: count\n";

Deno.test("cache ls, verify and gc work on the results of runs", async () => {
  await using at = workspace(ONE);
  assert.match((await at.call("cache", "ls")).stdout, /^Store \.bitbound is empty$/m);
  await at.call("run", "p.yaml");
  await at.call("run", "p.yaml", "--set", "count.with.to=4");

  const list = await at.call("cache", "ls");
  assert.equal(list.code, 0);
  assert.match(
    list.stdout,
    /^[0-9a-f]{12}\s+count\s+\d{4}-\d{2}-\d{2} \d{2}:\d{2}\s.*out [0-9a-f]{12}$/m,
  );
  assert.match(list.stdout, /^2 results, 2 B in \.bitbound$/m);
  const { results } = JSON.parse((await at.call("cache", "ls", "--json")).stdout);
  assert.deepEqual(results.map(({ stage }: { stage: string }) => stage), ["count", "count"]);

  const verified = await at.call("cache", "verify");
  assert.equal(verified.code, 0);
  assert.match(verified.stdout, /^✓ 2 results and 2 blobs \(2 B\) checked: all whole$/m);

  // What was remembered of the pipeline's two texts can be made again.
  const dry = await at.call("cache", "gc", "--keep-runs", "1", "--dry-run");
  assert.match(dry.stdout, /^Would delete 1 run, 1 result, 1 blob, 2 leftovers /);
  const gc = await at.call("cache", "gc", "--keep-runs", "1");
  assert.match(
    gc.stdout,
    /^Deleted 1 run, 1 result, 1 blob, 2 leftovers .*; 1 run and 1 result are kept$/m,
  );
  assert.match((await at.call("run", "p.yaml", "--set", "count.with.to=4")).stdout, /1 cached/);
  assert.match((await at.call("run", "p.yaml")).stdout, /1 ran/);
});

Deno.test("a damaged blob is found by verify, and by a run, which makes it again", async () => {
  await using at = workspace(ONE);
  const made = JSON.parse((await at.call("run", "p.yaml", "--json")).stdout);
  const { path } = made.stages[0].outputs.out;

  await Deno.writeTextFile(path, "9");
  const run = await at.call("run", "p.yaml");
  assert.equal(run.code, 0);
  assert.match(run.stderr, /^warning: Blob [0-9a-f]{12} was damaged; it is set aside as/m);
  assert.match(run.stdout, /1 ran/);
  assert.equal(await Deno.readTextFile(path), "3");

  await Deno.truncate(path, 0);
  const verify = await at.call("cache", "verify");
  assert.equal(verify.code, 1);
  assert.match(verify.stdout, /^✗ Blob [0-9a-f]{12} was damaged/m);
  assert.match(verify.stdout, /will run again/);
  assert.match((await at.call("run", "p.yaml")).stdout, /1 ran/);
});

Deno.test("a store that cannot be used ends with 1 and says why", async () => {
  await using at = workspace(ONE);
  at.write("taken", "");
  const { code, stderr } = await at.call("run", "p.yaml", "--store", "taken");
  assert.equal(code, 1);
  assert.match(stderr, /error: Store ".*taken" is not a folder/);
  assert.match(stderr, /→ Choose another folder with --store/);
  assert.doesNotMatch(stderr, /^\s+at /m);

  // The digests of files are looked up in the store before any stage runs.
  await using filed = workspace(ONE, "inputs: { note: { file: taken } }\n");
  filed.write("taken", "");
  const early = await filed.call("run", "p.yaml", "--store", "taken");
  assert.equal(early.code, 1, early.stderr);
  assert.match(early.stderr, /^error: Store ".*taken" is not a folder/m);
  assert.doesNotMatch(early.stderr, /Input "note": /);

  const version = join(at.path, "newer");
  await Deno.mkdir(version);
  await Deno.writeTextFile(join(version, "version"), "7\n");
  const newer = await at.call("run", "p.yaml", "--store", "newer");
  assert.equal(newer.code, 1);
  assert.match(newer.stderr, /has version 7; this program reads version 1/);
});

Deno.test("gc refuses while a run is going", async () => {
  await using at = workspace("  - uses: count\n    with: { to: 1000, pause: 20 }\n");
  const process = at.start("run", "p.yaml");
  let said = "";
  let refused: { code: number; stderr: string } | undefined;
  for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (refused === undefined && /count\s+starts/.test(said)) {
      refused = await at.call("cache", "gc");
      process.kill("SIGINT");
    }
  }
  await process.stdout.cancel();
  await process.status;
  assert.equal(refused?.code, 1);
  assert.match(refused!.stderr, /is in use by a run/);
});
