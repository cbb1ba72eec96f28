import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { byteSize, inferShapes } from "../../src/engine/shapes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32, int64s } from "../../src/onnx/tensor.ts";
import { testWithSharedData } from "../shared_data.ts";
import { packed, qdqModel } from "./qdq_models.ts";

Deno.test("inputs, constants and inner values get types and shapes; dynamic dimensions are 1 or as given", async () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", ["n", 3, undefined, 8]);
  const w = graph.constant(float32([5, 3, 3, 3], new Float32Array(135)), "w");
  const conv = graph.op("Conv", [x, w], { pads: [1, 1, 1, 1] }, { outputs: ["conv"] });
  graph.output(graph.op("ArgMax", [conv], { axis: 1, keepdims: 0 }, { outputs: ["y"] }));
  const model = graph.build();
  deepEqual(Object.fromEntries(await inferShapes(model)), {
    x: { type: "float32", dims: [1, 3, 1, 8] },
    w: { type: "float32", dims: [5, 3, 3, 3] },
    conv: { type: "float32", dims: [1, 5, 1, 8] },
    y: { type: "int64", dims: [1, 1, 8] },
  });
  const given = await inferShapes(model, { x: [2, 3, 16, 8] });
  deepEqual(given.get("y"), { type: "int64", dims: [2, 16, 8] });
  await rejects(inferShapes(model, { z: [1] }), { name: "RangeError", message: /"z"/ });
});

Deno.test("a shape that depends on data is found by running the model", async () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", [2, 6]);
  const zero = graph.op("Equal", [x, graph.constant(0)], {}, { outputs: ["equal"] });
  const where = graph.op("NonZero", [zero], {}, { outputs: ["where"] });
  graph.output(graph.op("Transpose", [where], {}, { outputs: ["y"] }));
  const shapes = await inferShapes(graph.build());
  // On zeros, all twelve values are equal to zero.
  deepEqual(shapes.get("where"), { type: "int64", dims: [2, 12] });
  deepEqual(shapes.get("y"), { type: "int64", dims: [12, 2] });
});

Deno.test("declared shapes that are wrong or missing do not matter", async () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", [4, 2]);
  const shape = graph.constant(int64s([2, -1]));
  graph.output(graph.op("Reshape", [x, shape], {}, { outputs: ["y"] }), "float32", ["a", "b"]);
  deepEqual((await inferShapes(graph.build())).get("y"), { type: "float32", dims: [2, 4] });
});

Deno.test("packed values have shapes though they cannot be exposed", async () => {
  for (const bits of [2, 4] as const) {
    const model = qdqModel({
      operator: "Conv",
      weightBits: bits,
      activationBits: bits,
      blocked: true,
    });
    const shapes = await inferShapes(model);
    deepEqual(shapes.get("x.q"), { type: `uint${bits}`, dims: [1, 4, 8, 8] });
    deepEqual(shapes.get("product.q"), { type: `uint${bits}`, dims: [1, 8, 6, 6] });
    deepEqual(shapes.get("w.q"), { type: `int${bits}`, dims: [8, 4, 3, 3] });
    equal(byteSize(shapes.get("w.q")!), 8 * 4 * 9 * bits / 8);
  }
  const graph = new GraphBuilder();
  const q = graph.constant(packed("int4", 4, [2, 3], [1, 2, 3, 4, 5, 6]));
  const turned = graph.op("Transpose", [q], {}, { outputs: ["turned"] });
  const x = graph.input("x", "float32", [1, 3]);
  const w = graph.op("DequantizeLinear", [turned, graph.constant(0.5)]);
  graph.output(graph.op("MatMul", [x, w]));
  deepEqual((await inferShapes(graph.build())).get("turned"), { type: "int4", dims: [3, 2] });
});

Deno.test("an input without a rank needs to be told", async () => {
  const graph = new GraphBuilder();
  graph.output(graph.op("Relu", [graph.input("x", "float32")], {}, { outputs: ["y"] }));
  const model = graph.build();
  await rejects(inferShapes(model), {
    name: "UserError",
    message: /"x" has no shape, not even a rank/,
  });
  deepEqual((await inferShapes(model, { x: [2, 2] })).get("y"), { type: "float32", dims: [2, 2] });
});

for (const name of ["squeezenet1.1", "super_resolution", "mobilenet_v1_0.25_128_dequantized"]) {
  testWithSharedData(
    `every value of a real model has a shape: ${name}`,
    `models/${name}.onnx`,
    async (path) => {
      const model = await readModel(path);
      const shapes = await inferShapes(model);
      for (const node of model.graph.nodes) {
        for (const output of node.outputs) ok(output === "" || shapes.has(output), output);
      }
    },
  );
}
