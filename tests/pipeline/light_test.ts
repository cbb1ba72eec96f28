import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { writeModel } from "../../src/onnx/write.ts";
import { Folder, run } from "./support.ts";

const ROOT = new URL("../../", import.meta.url).href;

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier: string };
      readonly npmPackage?: string;
    }[];
  }[];
  readonly redirects: Readonly<Record<string, string>>;
}

async function graphOf(path: string): Promise<ModuleGraph> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    cwd: fileURLToPath(ROOT),
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
}

/** The modules and packages that are loaded together with one. */
async function loadedWith(path: string): Promise<Set<string>> {
  return await reached(path, (isDynamic) => !isDynamic);
}

/** The modules that Deno reads before it starts one: also those behind an `import()` that spells its specifier out. */
async function readWith(path: string): Promise<Set<string>> {
  return await reached(path, () => true);
}

async function reached(
  path: string,
  follow: (isDynamic: boolean) => boolean,
): Promise<Set<string>> {
  const { modules, redirects } = await graphOf(path);
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const found = new Set<string>();
  const open = [`${ROOT}${path}`];
  while (open.length > 0) {
    const specifier = open.pop()!;
    if (found.has(specifier)) continue;
    found.add(specifier);
    for (const { code, isDynamic } of byName.get(specifier)?.dependencies ?? []) {
      if (code !== undefined && follow(isDynamic === true)) {
        open.push(redirects[code.specifier] ?? code.specifier);
      }
    }
  }
  return new Set([...found].map((specifier) => specifier.replace(ROOT, "")));
}

Deno.test("a pipeline is loaded, planned and executed without what only stages need", async () => {
  const HEAVY = /onnxruntime|protobuf|onnx_pb|jsquash|fast-png|ajv|\/run\.ts$/;
  for (const entry of ["src/pipeline/execute.ts", "src/pipeline/plan.ts", "mod.ts"]) {
    const loaded = [...await loadedWith(entry)];
    assert.ok(loaded.includes("src/store/store.ts"));
    assert.deepEqual(loaded.filter((name) => HEAVY.test(name)), [], entry);
  }
});

Deno.test("nothing that is needed only later is read when the program starts", async () => {
  const start = await readWith("src/cli/main.ts");
  assert.ok(start.has("src/cli/grammar.ts"));
  assert.ok(!start.has("src/pipeline/load.ts"));
  for (const entry of ["src/cli/main.ts", "src/pipeline/execute.ts"]) {
    const read = [...await readWith(entry)];
    assert.deepEqual(
      read.filter((name) => /onnx_pb|\/stages\/[^/]+\/run\.ts$/.test(name)),
      [],
      entry,
    );
  }
});

Deno.test("a run of hits needs no right to load ONNX Runtime", async () => {
  using folder = new Folder();
  const build = new GraphBuilder();
  const x = build.input("x", "float32", ["batch", 4]);
  const weight = build.constant(float32([4, 4], new Float32Array(16).fill(0.5)));
  build.output(build.op("MatMul", [x, weight]), "float32", ["batch", 4]);
  await writeModel(build.build(), folder.join("net.onnx"));
  const file = folder.pipeline(`
name: light
inputs: { model: { onnx: net.onnx } }
stages:
  - { uses: prepare }
  - { uses: quantize, with: { activations: { mode: none } } }
  - { uses: export }
`);
  assert.equal((await run(file)).status, "done");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys=hostname,osUptime",
      fileURLToPath(`${ROOT}tests/pipeline/run_process.ts`),
      file,
    ],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
