import assert from "node:assert/strict";
import { join } from "node:path";
import { Ajv } from "ajv";
import { project, workspace } from "./fixture.ts";

const PLUGIN = join(project, "tests/cli/stages_plugin.ts");

Deno.test("stages of a plugin are explained, and are in the schemas that editors use", async () => {
  await using folder = workspace("  - uses: count\n");
  const stage = await folder.call("stages", "count", "--plugin", PLUGIN);
  assert.match(
    stage.stdout,
    /^count: Count to a number[^]*^ {2}to: integer at least 0, default 3/m,
  );
  const missing = await folder.call("stages", "count", "--plugin", "nowhere.ts");
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /Plugin "nowhere\.ts" does not exist/);

  const written = await folder.call("schemas", "--out", "s", "--plugin", PLUGIN);
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stdout, /# yaml-language-server: \$schema=s\/pipeline\.schema\.json/);
  const read = (name: string) => JSON.parse(Deno.readTextFileSync(join(folder.path, "s", name)));
  const ajv = new Ajv({ strict: false, allowUnionTypes: true });
  for (const { name } of Deno.readDirSync(join(folder.path, "s/stages"))) {
    ajv.addSchema(read(`stages/${name}`), `stages/${name}`);
  }
  const accepts = ajv.compile(read("pipeline.schema.json"));
  const pipeline = (parameters: unknown) => ({
    name: "p",
    plugins: [PLUGIN],
    stages: [{ uses: "count", with: parameters }],
  });
  assert.ok(accepts(pipeline({ to: 4 })), JSON.stringify(accepts.errors));
  assert.ok(!accepts(pipeline({ to: "many" })));
  assert.ok(!accepts(pipeline({ too: 4 })));
});
