import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import { openSession } from "../../src/engine/session.ts";
import { checkModel } from "../../src/onnx/check.ts";
import { cloneModel, prune, sortNodes } from "../../src/onnx/edit.ts";
import { decodeModel } from "../../src/onnx/read.ts";
import { decodeTensor } from "../../src/onnx/tensor_proto.ts";
import type { Tensor } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { testWithSharedData } from "../shared_data.ts";
import { onnxFiles, randomFeeds } from "./shared_models.ts";

/** Conformance cases with values at the boundary that ONNX Runtime 1.30 does not take. */
const NOT_RUN = /quantizelinear_(e4m3|e5m2|float4|u?int[24])/;

for (const folder of ["models", "verify", "onnx-node-tests"]) {
  testWithSharedData(`every model in ${folder} survives decode, encode, decode`, folder, (path) => {
    for (const file of onnxFiles(path)) {
      const model = decodeModel(Deno.readFileSync(join(path, file)), { name: file });
      assert.deepEqual(decodeModel(encodeModel(model)), model, file);
      assert.deepEqual(checkModel(model), [], file);
      const copy = cloneModel(model);
      sortNodes(copy.graph);
      assert.equal(prune(copy.graph), 0, file);
      assert.deepEqual(copy, model, file);
    }
  });
}

for (const folder of ["models", "verify"]) {
  testWithSharedData(
    `every model in ${folder} gives the same bits after a round trip`,
    folder,
    async (path) => {
      for (const file of onnxFiles(path)) {
        const bytes = Deno.readFileSync(join(path, file));
        const model = decodeModel(bytes);
        const feeds = randomFeeds(model);
        assert.deepEqual(await run(encodeModel(model), feeds), await run(bytes, feeds), file);
      }
    },
  );
}

testWithSharedData(
  "every conformance case runs or is refused as before its round trip",
  "onnx-node-tests",
  async (path) => {
    let count = 0;
    for (const file of onnxFiles(path)) {
      if (NOT_RUN.test(file)) continue;
      const bytes = Deno.readFileSync(join(path, file));
      const model = decodeModel(bytes);
      const inputs = model.graph.inputs.map(({ name }, index) => [
        name,
        decodeTensor(
          Deno.readFileSync(join(path, file, "..", "test_data_set_0", `input_${index}.pb`)),
        ),
      ]);
      const feeds = Object.fromEntries(inputs) as Record<string, Tensor>;
      const before = await runOrRefusal(bytes, feeds);
      assert.deepEqual(await runOrRefusal(encodeModel(model), feeds), before, file);
      if (typeof before !== "string") count++;
    }
    assert.ok(count >= 25, `${count} cases ran`);
  },
);

testWithSharedData("cutting a model anywhere is noticed", "models/har_mlp.onnx", (path) => {
  const bytes = Deno.readFileSync(path);
  const cuts = [1, 2, 3, 10, 100, 1000, bytes.length >> 1, bytes.length - 3, bytes.length - 1];
  for (const length of cuts) {
    assert.throws(
      () => decodeModel(bytes.subarray(0, length), { name: "model.onnx" }),
      (error: Error) =>
        error instanceof UserError && /truncated|not an ONNX model/.test(error.message) &&
        (length < 3 || error.message.includes("truncated")),
      `${length} bytes`,
    );
  }
});

async function runOrRefusal(
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor> | string> {
  try {
    return await run(bytes, feeds);
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.message;
  }
}

async function run(
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor>> {
  await using session = await openSession(bytes);
  return await session.run(feeds);
}
