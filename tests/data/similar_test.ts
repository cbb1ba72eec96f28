import assert from "node:assert/strict";
import { join } from "node:path";
import { Folder, thrownBy } from "../pipeline/support.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import { openStore } from "../../src/store/store.ts";

Deno.test("of data that is not there, a file or folder of almost the same name is offered", async () => {
  using folder = new Folder();
  for (const name of ["digits.npy", "rows.csv", "test-images.idx"]) folder.write(name, "x");
  Deno.mkdirSync(folder.join("photographs"));
  const said = async (input: string) => {
    const file = folder.pipeline(`
name: missing
inputs: { data: { ${input} } }
stages: [{ uses: number, with: { value: 1 } }]
`);
    await using store = openStore(folder.join("store"));
    const pipeline = await loadPipeline(file);
    return (await thrownBy(() => planPipeline(pipeline, store), folder))[0]!.split(" → ")[1];
  };
  assert.equal(await said("npy: digit.npy"), `Did you mean "${join("FOLDER", "digits.npy")}"?`);
  assert.equal(await said("csv: row.csv"), `Did you mean "${join("FOLDER", "rows.csv")}"?`);
  assert.equal(
    await said("idx: test-image.idx"),
    `Did you mean "${join("FOLDER", "test-images.idx")}"?`,
  );
  assert.equal(
    await said("images: photograph"),
    `Did you mean "${join("FOLDER", "photographs")}"?`,
  );
  assert.match((await said("idx: nothing-like-it"))!, /^idx takes a file, or the common start/);
  assert.equal(await said("images: nothing-like-it"), undefined);
});
