import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { Folder, run, thrownBy, valueOf } from "./support.ts";

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

const PACKAGE = fileURLToPath(new URL("../../examples/plugin/package", import.meta.url));

/** Installs the example's package with a package that it depends on, as npm does. */
function install(folder: Folder, dependency = "export const more = 1;"): string {
  const root = "node_modules/bitbound-noise";
  for (const { name } of Deno.readDirSync(PACKAGE)) {
    folder.write(`${root}/${name}`, Deno.readFileSync(`${PACKAGE}/${name}`));
  }
  const manifest = JSON.parse(Deno.readTextFileSync(`${PACKAGE}/package.json`));
  folder.write(
    `${root}/package.json`,
    JSON.stringify({ ...manifest, dependencies: { "some-numbers": "^1.0.0" } }),
  );
  folder.write(
    "node_modules/some-numbers/package.json",
    JSON.stringify({ name: "some-numbers", version: "1.2.0" }),
  );
  folder.write("node_modules/some-numbers/index.js", dependency);
  return folder.write(
    "deeper/pipeline.yaml",
    `name: x
plugins: [npm:bitbound-noise@1.0.0]
inputs: { model: { onnx: m.onnx } }
stages: [{ uses: add-noise }]
`,
  );
}

Deno.test("a package's stages are found above the pipeline, and all its code is in the key", async () => {
  using first = new Folder();
  const one = await digest(install(first));
  assert.match(one, /^[0-9a-f]{64}$/);
  using same = new Folder();
  assert.equal(await digest(install(same)), one);
  using dependency = new Folder();
  assert.notEqual(await digest(install(dependency, "export const more = 2;")), one);
  using file = new Folder();
  const pipeline = install(file);
  file.write(
    "node_modules/bitbound-noise/statistics.js",
    "export const rootMeanSquare = () => 0;\nexport const weightsOf = () => [];\n",
  );
  assert.notEqual(await digest(pipeline), one);
});

Deno.test("packages that cannot be used are refused with what helps", async () => {
  const cases: [plugin: string, said: RegExp][] = [
    ["npm:bitbound-noise", /does not give an exact version/],
    ["npm:bitbound-noise@^1.0.0", /does not give an exact version/],
    ["npm:bitbound-noise@1.0.0/none.js", /has no module "none\.js"/],
    ["npm:bitbound-noise@1.0.0/../../x.js", /leads out of the package/],
    ["npm:bitbound-noise@2.0.0", /is not installed: found version 1\.0\.0/],
    ["https://example.org/x.js", /is neither a file nor an npm package/],
    ["jsr:@a/b@1.0.0", /is neither a file nor an npm package/],
  ];
  for (const [plugin, said] of cases) {
    using folder = new Folder();
    const text = Deno.readTextFileSync(install(folder)).replace("npm:bitbound-noise@1.0.0", plugin);
    const file = folder.write("deeper/pipeline.yaml", text);
    assert.match((await thrownBy(() => loadPipeline(file), folder)).join("\n"), said, plugin);
  }
});

Deno.test("a module that throws, or makes no stages, is said to", async () => {
  const cases: [source: string, said: RegExp][] = [
    ["export default () => { throw new Error('not today'); };", /cannot be loaded: not today/],
    ["export default () => 5;", /A stage must be an object: current value is 5/],
    ["export const x = 1;", /It has no default export/],
    ["export default ;", /cannot be loaded: /],
  ];
  for (const [source, said] of cases) {
    using folder = new Folder();
    folder.write("stage.js", source);
    const file = folder.write("p.yaml", "name: x\nplugins: [stage.js]\nstages: [{ uses: x }]\n");
    assert.match((await thrownBy(() => loadPipeline(file), folder)).join("\n"), said, source);
  }
});

Deno.test("the stages of the guide to plugins work", async () => {
  const guide = Deno.readTextFileSync(new URL("../../docs/plugins.md", import.meta.url));
  const [, code] = /^```ts\n(.*?)^```/ms.exec(guide)!;
  const [, script] = /^```js\n(.*?)^```/ms.exec(guide)!;
  using folder = new Folder();
  folder.write("count_nodes.ts", code!.replace("@bitbound/bitbound", MOD));
  folder.write("constant.js", script!);
  folder.write(
    "net.onnx",
    Deno.readFileSync(new URL("../../examples/ci/digits.onnx", import.meta.url)),
  );
  const file = folder.write(
    "p.yaml",
    `name: guide
plugins: [count_nodes.ts, constant.js]
inputs: { model: { onnx: net.onnx } }
stages:
  - { uses: count-nodes, with: { operator: Gemm }, expect: { nodes: 3 } }
  - { uses: constant, with: { value: 5 } }
`,
  );
  for (const executor of ["inline", "workers"] as const) {
    const outcome = await run(file, { executor, store: folder.join(executor) });
    assert.equal(outcome.status, "done");
    assert.equal(valueOf(outcome, "constant", "value"), 5);
  }
});
