import assert from "node:assert/strict";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { Folder, thrownBy } from "./support.ts";

const GUIDE = new URL("../../docs/pipelines.md", import.meta.url);
const SWEEPS = new URL("../../docs/sweeps.md", import.meta.url);
const MOD = new URL("../../mod.ts", import.meta.url);

function blocks(language: string, guide = GUIDE): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms");
  return [...Deno.readTextFileSync(guide).matchAll(pattern)].map(([, code]) => code!);
}

Deno.test("the pipelines of the guides are right", async () => {
  const all = [...blocks("yaml"), ...blocks("yaml", SWEEPS)];
  assert.ok(all.length >= 6);
  using folder = new Folder();
  for (const text of all) {
    const file = folder.write("pipelines/pipeline.yaml", text);
    assert.deepEqual(await thrownBy(() => loadPipeline(file), folder), []);
    assert.deepEqual((await loadPipeline(file)).warnings, []);
  }
});

Deno.test("the programs of the guide are right", async () => {
  using folder = new Folder();
  const files = blocks("ts").map((code, index) =>
    folder.write(`guide_${index}.ts`, code.replaceAll("@bitbound/bitbound", MOD.href))
  );
  assert.ok(files.length >= 2);
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", ...files],
    cwd: new URL("../../", import.meta.url),
  }).output();
  // What is wrong elsewhere is told by checking the project itself.
  const errors = new TextDecoder().decode(stderr).split("\n\n");
  assert.deepEqual(errors.filter((error) => error.includes("guide_")), []);
});
