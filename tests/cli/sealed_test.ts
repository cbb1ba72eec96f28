import assert from "node:assert/strict";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { runtimeAddon } from "../../src/engine/runtime_addon.ts";
import { call, project } from "./fixture.ts";

const PLUGIN = join(project, "tests/cli/trespasser.ts");
/** The permissions of `deno task run`. */
const PERMISSIONS = configuration.tasks.run.command.split(" ")
  .filter((each) => each.startsWith("--"));

/** A folder with a pipeline whose last stage tries what it may not do, and a server that counts who connects. */
class Scene implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "bitbound-sealed-" });
  connections = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor(to = "exports/tried.json") {
    Deno.mkdirSync(join(this.path, "outside"));
    Deno.writeTextFileSync(join(this.path, "outside/there"), "x");
    this.#count();
    const { port } = this.#listener.addr as Deno.NetAddr;
    Deno.writeTextFileSync(
      join(this.path, "p.yaml"),
      `name: sealed
plugins: [${PLUGIN}]
inputs:
  model: { onnx: ${join(project, "examples/digits/cnn.onnx")} }
  calibration: { synthetic: { shape: [1, 28, 28], count: 4 } }
stages:
  - { uses: prepare }
  - { uses: calibrate }
  - { uses: quantize }
  - { uses: export, with: { to: exports } }
  - { uses: trespass, with: { outside: ${this.outside}, port: ${port}, to: ${to} } }
`,
    );
  }

  get outside(): string {
    return join(this.path, "outside");
  }

  async #count(): Promise<void> {
    for await (const connection of this.#listener) {
      this.connections++;
      connection.close();
    }
  }

  /** Requires that nothing happened outside of the store and the exports. */
  requireUntouched(): void {
    assert.equal(this.connections, 0);
    assert.deepEqual([...Deno.readDirSync(this.outside)].map(({ name }) => name), ["there"]);
    assert.match(Deno.readTextFileSync(join(this.path, "p.yaml")), /^name: sealed/);
  }

  /** What came of the attempts. */
  tried(): Record<string, string> {
    return JSON.parse(Deno.readTextFileSync(join(this.path, "exports/tried.json")));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("a stage cannot touch the network, nor write outside of the store and where it exports", async () => {
  using scene = new Scene();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, join(project, "src/cli/main.ts"), "run", "p.yaml"],
    cwd: scene.path,
    env: { BITBOUND_CWD: "", GITHUB_STEP_SUMMARY: "", GITHUB_ACTIONS: "" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const exported = [...Deno.readDirSync(join(scene.path, "exports"))].map(({ name }) => name);
  assert.ok(exported.includes("model.onnx") && exported.includes("tried.json"), exported.join());
  const tried = scene.tried();
  assert.ok(Object.keys(tried).length >= 28);
  for (const [attempt, error] of Object.entries(tried)) {
    assert.match(
      `${attempt}: ${error}`,
      /[Rr]equires (?:\S+ access|unscoped)|escalate parent thread|: denied$|: prompt$/,
    );
  }
  scene.requireUntouched();
});

Deno.test("no command gives a plugin more rights, unless it is told to trust it", async () => {
  using scene = new Scene();
  const at = { cwd: scene.path };
  for (
    const args of [
      ["check", "p.yaml"],
      ["plan", "p.yaml"],
      ["graph", "p.yaml", "--output", "graph.svg"],
      ["stages", "trespass", "--plugin", PLUGIN],
      ["schemas", "--out", "schemas", "--plugin", PLUGIN],
    ]
  ) {
    const { code, stderr } = await call(args, at);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    scene.requireUntouched();
  }
  assert.ok(Deno.statSync(join(scene.path, "graph.svg")).isFile);
  assert.ok(Deno.statSync(join(scene.path, "schemas/pipeline.schema.json")).isFile);
  assert.equal((await call(["check", "p.yaml", "--trust-plugins"], at)).code, 0);
  assert.ok(Deno.statSync(join(scene.outside, "imported")).isFile);
});

Deno.test("what the command line names can be written, and nothing is left of what was only needed meanwhile", async () => {
  using scene = new Scene();
  const temporary = join(scene.path, "temporary");
  Deno.mkdirSync(temporary);
  const files = ["--events", "e.ndjson", "--report", "r.html", "--lock"];
  const { code, stderr } = await call(["run", "p.yaml", "--store", "s", ...files], {
    cwd: scene.path,
    env: { TMPDIR: temporary, GITHUB_STEP_SUMMARY: join(scene.path, "summary.md") },
  });
  assert.equal(code, 0, stderr);
  for (const name of ["e.ndjson", "r.html", "p.lock.json", "summary.md", "s/version"]) {
    assert.ok(Deno.statSync(join(scene.path, name)).size > 0, name);
  }
  assert.deepEqual([...Deno.readDirSync(temporary)], []);
  scene.requireUntouched();
});

Deno.test("a plugin cannot say where else its outputs go", async () => {
  using scene = new Scene("outside/tried.json");
  const { code, stderr } = await call(["run", "p.yaml"], { cwd: scene.path });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot write ".*outside\/tried\.json": Requires write access/);
  assert.match(stderr, /--trust-plugins/);
  scene.requireUntouched();
});

Deno.test("a pipeline says where its exports go, through links and out of its folder, but never over its inputs", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-paths-" });
  try {
    const [below, real] = [join(folder, "a/b"), join(folder, "real")];
    for (const path of [below, real]) Deno.mkdirSync(path, { recursive: true });
    Deno.symlinkSync(real, join(folder, "there"));
    const model = join(below, "net.onnx");
    Deno.copyFileSync(join(project, "examples/digits/cnn.onnx"), model);
    const before = Deno.readFileSync(model);
    const write = (to: string) =>
      Deno.writeTextFileSync(
        join(below, "p.yaml"),
        `name: paths
inputs: { model: { onnx: net.onnx } }
stages:
  - { uses: prepare }
  - { uses: quantize, with: { activations: { mode: none } } }
  - { uses: export, with: { to: ${to}, name: net } }
`,
      );
    write("../../there");
    const { code, stderr } = await call(["run", "a/b/p.yaml"], { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.ok(Deno.statSync(join(real, "net.onnx")).isFile);
    assert.deepEqual([...Deno.readDirSync(below)].map(({ name }) => name).sort(), [
      "net.onnx",
      "p.yaml",
    ]);
    write(".");
    const over = await call(["run", "a/b/p.yaml"], { cwd: folder });
    assert.equal(over.code, 2);
    assert.match(over.stderr, /would write ".*net\.onnx", which is what inputs\.model reads/);
    assert.deepEqual(Deno.readFileSync(model), before);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the library of ONNX Runtime is where it is said to be", () => {
  assert.ok(Deno.statSync(runtimeAddon()).isFile);
});
