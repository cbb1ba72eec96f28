import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { digitsNetwork } from "../../examples/digits/architecture.ts";
import { decodeModel, readModel } from "../../src/onnx/read.ts";
import { encodeModel } from "../../src/onnx/write.ts";

Deno.test("the digits model has the architecture that its source file says", async () => {
  const file = fileURLToPath(new URL("../../examples/digits/cnn.onnx", import.meta.url));
  const model = await readModel(file);
  // Through a file's float32 attributes, as the model went.
  const expected = decodeModel(encodeModel(digitsNetwork()));
  assert.deepEqual(model.graph.nodes, expected.graph.nodes);
  assert.deepEqual(model.graph.inputs, expected.graph.inputs);
  assert.deepEqual(model.graph.outputs, expected.graph.outputs);
  const shapes = ({ graph }: typeof model) =>
    [...graph.initializers].map(([name, { type, dims }]) => [name, type, [...dims]]);
  assert.deepEqual(shapes(model), shapes(expected));
  assert.ok(Deno.statSync(file).size < 400_000);
});
