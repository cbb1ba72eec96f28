import assert from "node:assert/strict";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { project } from "./fixture.ts";

/** The permissions of `deno task run`, but for writing: that is only allowed in some folders. */
const PERMISSIONS = configuration.tasks.run.command.split(" ")
  .filter((each) => each.startsWith("--") && each !== "--allow-write");

Deno.test("a stage cannot touch the network, nor write outside of the store and where it exports", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-sealed-" });
  try {
    const outside = join(folder, "outside");
    Deno.mkdirSync(outside);
    Deno.mkdirSync(join(folder, "exports"));
    Deno.mkdirSync(join(folder, "scratch"));
    Deno.writeTextFileSync(join(outside, "there"), "x");
    let connections = 0;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    (async () => {
      for await (const connection of listener) {
        connections++;
        connection.close();
      }
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const plugin = join(project, "tests/cli/trespasser.ts");
    Deno.writeTextFileSync(
      join(folder, "p.yaml"),
      `name: sealed
plugins: [${plugin}]
inputs:
  model: { onnx: ${join(project, "examples/digits/cnn.onnx")} }
  calibration: { synthetic: { shape: [1, 28, 28], count: 4 } }
stages:
  - { uses: prepare }
  - { uses: calibrate }
  - { uses: quantize }
  - { uses: export, with: { to: exports } }
  - { uses: trespass, with: { outside: ${outside}, port: ${port}, to: exports/tried.json } }
`,
    );
    const writable = [".bitbound", "exports", "scratch"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...PERMISSIONS,
        `--allow-write=${writable.map((name) => join(folder, name)).join()}`,
        join(project, "src/cli/main.ts"),
        "run",
        "p.yaml",
      ],
      cwd: folder,
      env: {
        TMPDIR: join(folder, "scratch"),
        BITBOUND_CWD: "",
        GITHUB_STEP_SUMMARY: "",
        GITHUB_ACTIONS: "",
      },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const exported = [...Deno.readDirSync(join(folder, "exports"))].map(({ name }) => name);
    assert.ok(exported.includes("model.onnx") && exported.includes("tried.json"), exported.join());
    const tried = JSON.parse(Deno.readTextFileSync(join(folder, "exports/tried.json")));
    assert.ok(Object.keys(tried).length >= 12);
    for (const [attempt, error] of Object.entries(tried)) {
      assert.match(
        `${attempt}: ${error}`,
        /[Rr]equires (?:\S+ access|unscoped)|: denied$|: prompt$/,
      );
    }
    assert.equal(connections, 0);
    assert.deepEqual([...Deno.readDirSync(outside)].map(({ name }) => name), ["there"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
