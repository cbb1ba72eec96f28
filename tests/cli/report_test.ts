import assert from "node:assert/strict";
import { join } from "node:path";
import { workspace } from "./fixture.ts";

const STAGES = `
  - uses: count
    expect: { value: "<= 2" }
`;

Deno.test("a run is reported on in every form", async () => {
  await using at = workspace(STAGES);
  const ran = await at.call("run", "p.yaml", "--report", "run.html");
  assert.equal(ran.code, 3);
  assert.match(ran.stderr, /^Report: run\.html$/m);
  const page = Deno.readTextFileSync(join(at.path, "run.html"));
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /value is 3, expected &lt;= 2/);

  const text = await at.call("report");
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^model +value +share$/m);
  assert.match(text.stdout, /^✗ count: value is 3, expected <= 2/m);
  assert.match(text.stdout, /^Done, but not as expected in /m);

  const id = /\(run ([\w-]+)\)/.exec(text.stdout)![1]!;
  const json = await at.call("report", id.slice(0, 20), "--format", "json");
  const document = JSON.parse(json.stdout);
  assert.deepEqual([document.version, document.run.id, document.run.status], [
    1,
    id,
    "expectation-failed",
  ]);

  const file = await at.call("report", "latest", "-o", "run.md");
  assert.equal(file.code, 0);
  assert.equal(file.stdout, "");
  assert.equal(file.stderr, `Report of run ${id}: run.md\n`);
  assert.match(Deno.readTextFileSync(join(at.path, "run.md")), /^- ❌ count: value is 3/m);
});

Deno.test("a file that cannot become a report is told before anything runs", async () => {
  await using at = workspace(STAGES);
  const ending = await at.call("run", "p.yaml", "--report", "run.pdf");
  assert.equal(ending.code, 2);
  assert.match(ending.stderr, /The end of "run\.pdf" says no format of a report/);
  assert.match(ending.stderr, /--report report\.html/);
  const folder = await at.call("run", "p.yaml", "--report", "none/run.html");
  assert.equal(folder.code, 2);
  assert.match(folder.stderr, /There is no folder "none" for --report "none\/run\.html"/);
  const run = await at.call("report");
  assert.equal(run.code, 2);
  assert.match(run.stderr, /No run is recorded/);
});
