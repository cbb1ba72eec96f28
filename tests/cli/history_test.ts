import assert from "node:assert/strict";
import { workspace } from "./fixture.ts";

Deno.test("runs can be listed, shown, compared, explained and traced", async () => {
  await using folder = workspace("  - uses: count\n  - { id: more, uses: count }\n");
  const empty = await folder.call("status");
  assert.match(empty.stdout, /^Nothing was run with the store/);
  const none = await folder.call("show");
  assert.equal(none.code, 2);
  assert.match(none.stderr, /No run is recorded[^]*bitbound run FILE/);

  assert.equal((await folder.call("run", "p.yaml")).code, 0);
  assert.equal((await folder.call("run", "p.yaml", "--set", "more.with.to=4")).code, 0);

  const runs = JSON.parse((await folder.call("runs", "--json")).stdout);
  assert.deepEqual(runs.runs.map(({ status }: { status: string }) => status), ["done", "done"]);
  const listed = await folder.call("runs", "test", "-n", "1");
  assert.equal(listed.stdout.split("\n")[1]!.split(/\s+/)[0], runs.runs[0].run);
  assert.match(listed.stdout, /1 older ones; --number 2 shows all/);

  const shown = await folder.call("show");
  assert.match(shown.stdout, /^bitbound run p\.yaml --set more\.with\.to=4$/m);
  assert.match(shown.stdout, /1 ran, 1 cached/);
  assert.match((await folder.call("status")).stdout, /^test {2}done just now/);

  const diff = await folder.call("diff");
  assert.match(diff.stdout, /^more \(count\)\n {2}to {2}3 → 4\n/m);
  assert.match(diff.stdout, /^ {2}value +6 +7 +\+1$/m);
  assert.match(diff.stdout, /^ {2}share +60\.00 % +70\.00 % +\+10\.00 pp$/m);
  assert.match(diff.stdout, /^1 stage is the same: count$/m);

  const explained = await folder.call("explain", "latest", "more");
  assert.match(explained.stdout, /^more \(count\) ran.*\n {2}to {2}3 → 4\n {2}since run /);
  const wrong = await folder.call("explain", "p.yaml", "moer");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /There is no stage "moer"[^]*Did you mean "more"\?/);

  const lineage = await folder.call("lineage", "more.out");
  assert.match(lineage.stdout, /^more\.out {2}json {2}[0-9a-f]{12}[^]*\n└─ before: count\.out /);
  const unknown = await folder.call("lineage", "p.yaml");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /has the bytes of "p\.yaml"/);
});

Deno.test("a run that is going on is shown with its stages, and one that was killed as stopped", async () => {
  await using folder = workspace(
    "  - uses: count\n  - { id: slow, uses: count, with: { to: 1000, pause: 50 } }\n  - { id: last, uses: count }\n",
  );
  const child = folder.start("run", "p.yaml");
  const deadline = Date.now() + 60_000;
  let stdout = "";
  while (!stdout.includes("slow") && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const status = await folder.call("status");
    if (/slow .*running for/.test(status.stdout)) stdout = status.stdout;
  }
  assert.match(
    stdout,
    /^test {2}running for [^]*✓ count[^]*▸ slow +running for[^]*· last +to come/,
  );
  child.kill("SIGKILL");
  await child.output();
  const stopped = await folder.call("status");
  assert.match(stopped.stdout, /^test {2}stopped [^]*- slow +was under way[^]*to go on/);
});
