import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { Folder, thrownBy } from "./support.ts";

const MOD = fileURLToPath(new URL("../../mod.ts", import.meta.url));

const STAGE = `
import { defineStage, Type } from "${MOD}";
import { value } from "./value.ts";
export default defineStage({
  name: "mine", version: 1, summary: "Mine", description: "", engine: false,
  parameters: Type.Object({}), inputs: {},
  outputs: { value: { kind: "json", description: "A value" } },
  run: () => Promise.resolve({ outputs: { value } }),
});
`;

function write(folder: Folder, value: string): string {
  folder.write("lib/stage.ts", STAGE);
  folder.write("lib/value.ts", `export const value = ${value};`);
  return folder.write(
    "pipeline.yaml",
    "name: x\nplugins: [lib/stage.ts]\nstages: [{ uses: mine }]\n",
  );
}

async function digest(file: string): Promise<string> {
  const { stages } = await loadPipeline(file);
  return stages[0]!.stage.plugin!.digest;
}

Deno.test("a plugin's digest covers what it imports from beside it, wherever it lies", async () => {
  using first = new Folder();
  using same = new Folder();
  using other = new Folder();
  const one = await digest(write(first, "1"));
  assert.equal(await digest(write(same, "1")), one);
  assert.notEqual(await digest(write(other, "2")), one);
});

Deno.test("code that changes after it was loaded is not mistaken for what it was", async () => {
  using folder = new Folder();
  const file = write(folder, "1");
  await loadPipeline(file);
  folder.write("lib/value.ts", "export const value = 2;");
  assert.deepEqual(await thrownBy(() => loadPipeline(file), folder), [
    '2:11+12 Plugin "FOLDER/lib/stage.ts" changed after it was loaded → Run again',
  ]);
});

Deno.test("two stages of one name are refused", async () => {
  using folder = new Folder();
  write(folder, "1");
  folder.write("again.ts", STAGE.replace("./value.ts", "./lib/value.ts"));
  folder.write(
    "built_in.ts",
    STAGE.replace("./value.ts", "./lib/value.ts").replace('"mine"', '"prepare"'),
  );
  const file = folder.write(
    "pipeline.yaml",
    "name: x\nplugins: [lib/stage.ts, again.ts, built_in.ts]\nstages: [{ uses: mine }]\n",
  );
  assert.deepEqual(await thrownBy(() => loadPipeline(file), folder), [
    '2:25+8 Plugin "again.ts": There is a stage "mine" already, of "file://FOLDER/lib/stage.ts": choose another name',
    '2:35+11 Plugin "built_in.ts": There is a stage "prepare" already, of Bitbound: choose another name',
  ]);
});
