/**
 * A plain network for digits, 784-32-32-10, small enough that bounds on it take milliseconds: that of
 * `pipelines/guaranteed.yaml`.
 *
 * As a program it writes the network with fresh weights:
 *
 *     deno run --allow-read --allow-write examples/digits/mlp.ts my-digits.onnx
 *
 * @module
 */

import { initializeParameters } from "../../src/engine/training/initialize.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { writeModel } from "../../src/onnx/write.ts";

/** The network with all parameters zero. */
export function plainNetwork(): Model {
  const build = new GraphBuilder("plain-digits");
  const parameter = (name: string, dims: readonly number[]) =>
    build.constant(float32(dims, new Float32Array(elementCount(dims))), name);
  const dense = (x: string, name: string, from: number, to: number, output?: string): string =>
    build.op(
      "Gemm",
      [x, parameter(`${name}.weight`, [to, from]), parameter(`${name}.bias`, [to])],
      { transB: 1 },
      { name, ...(output === undefined ? {} : { outputs: [output] }) },
    );
  let x = build.input("image", "float32", ["batch", 1, 28, 28]);
  x = build.op("Flatten", [x], {}, { name: "flatten" });
  x = build.op("Relu", [dense(x, "first", 784, 32)], {}, { name: "first.relu" });
  x = build.op("Relu", [dense(x, "second", 32, 32)], {}, { name: "second.relu" });
  build.output(dense(x, "head", 32, 10, "logits"), "float32", ["batch", 10]);
  return build.build({ opset: 21, ir: 10 });
}

if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) throw new Error("Say which file to write");
  const model = plainNetwork();
  initializeParameters(model.graph, 0);
  await writeModel(model, file);
}
