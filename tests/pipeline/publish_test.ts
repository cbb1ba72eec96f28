import assert from "node:assert/strict";
import { Folder, run, thrownBy } from "./support.ts";

const SOURCE = "  - { uses: number, with: { value: 3 } }";

Deno.test("files are published beside the pipeline, under the name it gives", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: named
stages:
${SOURCE}
  - { uses: deliver, with: { to: "out/{name}/value.json" } }
`);
  await run(file);
  assert.equal(Deno.readTextFileSync(folder.join("out/named/value.json")), "3");
});

Deno.test("no file is published twice or over an input", async () => {
  using folder = new Folder();
  folder.write("in.json", "1");
  const file = folder.pipeline(`
name: clash
inputs: { value: { json: in.json } }
stages:
  - { id: a, uses: deliver, with: { to: same.json } }
  - { id: b, uses: deliver, with: { to: ./same.json } }
  - { id: c, uses: deliver, with: { to: in.json } }
`);
  assert.deepEqual(await thrownBy(() => run(file), folder), [
    '5:20+7 Stage "b" would write "FOLDER/same.json", which stage "a" writes → Let it write to another folder',
    '6:20+7 Stage "c" would write "FOLDER/in.json", which is what inputs.value reads → Let it write to another folder',
  ]);
});

Deno.test("a file that cannot be published fails its stage, and its result is kept", async () => {
  using folder = new Folder();
  folder.write("taken", "a file where a folder is needed");
  const file = folder.pipeline(`
name: unwritable
stages:
${SOURCE}
  - { uses: deliver, with: { to: taken/value.json } }
`);
  const outcome = await run(file);
  assert.equal(outcome.exitCode, 1);
  const { error, status } = outcome.stages[1]!;
  assert.equal(status, "failed");
  assert.equal(error!.defect, false);
  assert.match(error!.problems[0]!.message, /^Cannot write ".*taken\/value\.json": /);
  const mended = await run(file, { set: ["deliver.with.to=value.json"] });
  assert.equal(mended.exitCode, 0);
});
