import assert from "node:assert/strict";
import { join } from "node:path";
import { call, project } from "../cli/fixture.ts";

Deno.test("the example of a package runs as it is, and its noise is as large as asked for", async () => {
  const store = Deno.makeTempDirSync({ prefix: "bitbound-plugin-" });
  try {
    const file = join(project, "examples/plugin/pipeline.yaml");
    const { code, stdout, stderr } = await call(["run", file, "--store", store, "--json"]);
    assert.equal(code, 0, stderr);
    const { expects } = JSON.parse(stdout);
    assert.equal(expects.length, 2);
    assert.ok(expects.every(({ met }: { met: boolean }) => met));
  } finally {
    Deno.removeSync(store, { recursive: true });
  }
});
