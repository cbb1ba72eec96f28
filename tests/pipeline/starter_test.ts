import assert from "node:assert/strict";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { writeModel } from "../../src/onnx/write.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { starterPipeline } from "../../src/pipeline/starter.ts";
import { Folder, run, thrownBy } from "./support.ts";

const CNN = new URL("../../examples/digits/cnn.onnx", import.meta.url);

Deno.test("a pipeline for a model works as it is", async () => {
  using folder = new Folder();
  const modelPath = folder.join("cnn.onnx");
  Deno.copyFileSync(CNN, modelPath);
  const text = starterPipeline({
    model: await readModel(modelPath),
    modelName: "nets/9 my.cnn.onnx",
    modelPath: "cnn.onnx",
  });
  const file = folder.write("p.yaml", text);
  const pipeline = await loadPipeline(file);
  assert.equal(pipeline.name, "my-cnn");
  assert.deepEqual(pipeline.warnings, []);
  const { status, stages } = await run(file);
  assert.equal(status, "done", JSON.stringify(stages.map(({ error }) => error)));
  assert.ok(stages.find(({ stage }) => stage === "w8-test")!.metrics.bits! === 8);
  assert.ok(Deno.statSync(folder.join("exports", "my-cnn")).isDirectory);
});

/** A model of one input, or of two. */
function small(...inputs: [string, "float32" | "int64", (number | string)[]][]): Model {
  const build = new GraphBuilder();
  for (const [name, type, dims] of inputs) {
    const x = build.input(name, type, dims);
    build.output(build.op("Identity", [x]), type, dims);
  }
  return build.build();
}

async function inputsOf(model: Model, data?: "images" | "npy"): Promise<Record<string, unknown>> {
  using folder = new Folder();
  await writeModel(model, folder.join("m.onnx"));
  if (data === "npy") folder.write("d.npy", "");
  if (data === "images") Deno.mkdirSync(folder.join("d"));
  const path = data === "npy" ? "d.npy" : "d";
  const text = starterPipeline({
    model,
    modelName: "m.onnx",
    modelPath: "m.onnx",
    ...(data !== undefined && { data: { path, format: data } }),
  });
  const { inputs } = await loadPipeline(folder.write("p.yaml", text));
  return Object.fromEntries(Array.from(inputs.values(), ({ name, spec }) => [name, spec]));
}

Deno.test("synthetic data has the shapes and types that the model takes", async () => {
  const one = await inputsOf(small(["x", "float32", ["batch", 3, 8, 8]]));
  assert.deepEqual(one.calibration, { synthetic: { count: 64, seed: 0, shape: [3, 8, 8] } });
  assert.deepEqual(one.test, { synthetic: { count: 64, seed: 1, shape: [3, 8, 8] } });
  const two = await inputsOf(
    small(["input ids", "int64", ["n", "length"]], ["y", "float32", ["n", 4]]),
  );
  assert.deepEqual(two.test, {
    synthetic: {
      count: 64,
      seed: 1,
      inputs: { "input ids": { shape: [16], distribution: "integer" }, y: { shape: [4] } },
    },
  });
});

Deno.test("data of the user's is split into two parts that fit the model", async () => {
  const pictures = await inputsOf(small(["x", "float32", ["n", 3, 32, 48]]), "images");
  assert.deepEqual(pictures.calibration, {
    images: "d",
    split: { part: "calibration", of: { calibration: 0.2, test: 0.8 } },
    preprocess: { resize: [32, 48] },
  });
  const gray = await inputsOf(small(["x", "float32", ["n", 28, 30, 1]]), "images");
  assert.deepEqual((gray.test as { preprocess: unknown }).preprocess, {
    resize: [28, 30],
    channels: "gray",
    layout: "nhwc",
  });
  const array = await inputsOf(small(["x", "float32", ["n", 4]]), "npy");
  assert.equal((array.test as { npy: string }).npy, "d.npy");
});

Deno.test("a model that is quantized already is refused", async () => {
  const build = new GraphBuilder();
  const x = build.input("x", "float32", ["n", 2]);
  const scale = build.constant(1, "scale");
  build.output(
    build.op("DequantizeLinear", [build.op("QuantizeLinear", [x, scale]), scale]),
    "float32",
    ["n", 2],
  );
  const said = await thrownBy(() =>
    Promise.resolve(
      starterPipeline({ model: build.build(), modelName: "q.onnx", modelPath: "q.onnx" }),
    )
  );
  assert.match(said[0]!, /"q\.onnx" is quantized already → Give the float model/);
});

Deno.test("the data that a starter proposes in place of random numbers fits the model, and is a pipeline's", async (t) => {
  const cases: [name: string, model: Model, proposed: RegExp][] = [
    [
      "pictures",
      small(["x", "float32", ["n", 3, 32, 48]]),
      /images: photographs\/train, preprocess: \{ resize: \[32,48\] \}, take: 256/,
    ],
    [
      "gray pictures, channels last",
      small(["x", "float32", ["n", 28, 30, 1]]),
      /resize: \[28,30\], channels: gray, layout: nhwc/,
    ],
    ["vectors", small(["x", "float32", ["n", 8]]), /npy: test\.npy, labels: labels\.npy/],
    [
      "two inputs",
      small(["a b", "float32", ["n", 8]], ["c", "float32", ["n", 4]]),
      /npz: test\.npz, arrays: \{ "a b": "a b", "c": "c" \}, labels: labels/,
    ],
  ];
  for (const [name, model, proposed] of cases) {
    await t.step(name, async () => {
      using folder = new Folder();
      await writeModel(model, folder.join("m.onnx"));
      const text = starterPipeline({ model, modelName: "m.onnx", modelPath: "m.onnx" });
      assert.match(text, proposed);
      const real = text.replace(/^ {2}(?:calibration|test): .*\n/gm, "")
        .replace(/^ {2}# {5}((?:calibration|test): )/gm, "  $1");
      const { inputs, warnings } = await loadPipeline(folder.write("p.yaml", real));
      assert.deepEqual([...inputs.keys()].toSorted(), ["calibration", "model", "test"]);
      assert.deepEqual(warnings, []);
    });
  }
});

Deno.test("a starter runs without a warning", async () => {
  using folder = new Folder();
  const modelPath = folder.join("cnn.onnx");
  Deno.copyFileSync(CNN, modelPath);
  const text = starterPipeline({
    model: await readModel(modelPath),
    modelName: "cnn.onnx",
    modelPath: "cnn.onnx",
  });
  const { stages } = await run(folder.write("p.yaml", text));
  assert.deepEqual(stages.flatMap(({ warnings }) => warnings), []);
});
