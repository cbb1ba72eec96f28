/**
 * What the engine costs beside ONNX Runtime itself.
 *
 *     deno bench --allow-read --allow-ffi --allow-env bench/engine.ts
 *
 * @module
 */

import { loadRuntime } from "../src/engine/runtime.ts";
import { openSession } from "../src/engine/session.ts";
import { completeOptions, sessionOptionsFor } from "../src/engine/options.ts";
import { inferShapes } from "../src/engine/shapes.ts";
import { decodeModel } from "../src/onnx/read.ts";
import { float32 } from "../src/onnx/tensor.ts";

const bytes = await Deno.readFile(new URL("../examples/digits/cnn.onnx", import.meta.url));
const model = decodeModel(bytes);
const options = sessionOptionsFor(completeOptions({}));
const { InferenceSession, Tensor } = await loadRuntime();
const session = await openSession(bytes);
const native = await InferenceSession.create(bytes, options);
const input = session.inputs[0]!.name;

for (const batch of [1, 64]) {
  const image = float32([batch, 1, 28, 28], new Float32Array(batch * 784));
  const nativeImage = new Tensor("float32", image.data, [batch, 1, 28, 28]);
  const group = `run the digits model, batch ${batch}`;
  Deno.bench("ONNX Runtime's package", { group, baseline: true }, async () => {
    await native.run({ [input]: nativeImage });
  });
  Deno.bench("engine", { group }, async () => {
    await session.run({ [input]: image });
  });
}

const group = "open the digits model";
Deno.bench("ONNX Runtime's package, from bytes", { group, baseline: true }, async () => {
  const opened = await InferenceSession.create(bytes, options);
  await opened.release();
});
Deno.bench("engine, from bytes", { group }, async () => {
  await using _ = await openSession(bytes);
});
Deno.bench("engine, from a model value", { group }, async () => {
  await using _ = await openSession(model);
});
Deno.bench("shapes of every value", { group }, async () => {
  await inferShapes(model);
});
