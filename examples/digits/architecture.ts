/**
 * The digits network: a small residual network with batch normalization, 28 × 28 grey values to 10 logits.
 *
 * As a program it writes the network with fresh weights, for `pipelines/train-digits.yaml` to train:
 *
 *     deno run --allow-read --allow-write examples/digits/architecture.ts examples/digits/cnn.onnx
 *
 * @module
 */

import { initializeParameters } from "../../src/engine/training/initialize.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { float } from "../../src/onnx/attributes.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { writeModel } from "../../src/onnx/write.ts";

/** The network with all parameters zero. */
export function digitsNetwork(): Model {
  const build = new GraphBuilder("digits");
  const parameter = (name: string, dims: readonly number[]) =>
    build.constant(float32(dims, new Float32Array(elementCount(dims))), name);

  const convNorm = (x: string, name: string, from: number, to: number, stride = 1): string => {
    const weight = parameter(`${name}.weight`, [to, from, 3, 3]);
    const y = build.op("Conv", [x, weight], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
      strides: [stride, stride],
    }, { name: `${name}.conv` });
    const norm = ["scale", "bias", "mean", "variance"].map((part) =>
      parameter(`${name}.norm.${part}`, [to])
    );
    return build.op("BatchNormalization", [y, ...norm], { epsilon: float(1e-5) }, {
      name: `${name}.norm`,
    });
  };
  const relu = (x: string, name: string) => build.op("Relu", [x], {}, { name: `${name}.relu` });
  const residual = (x: string, name: string, channels: number): string => {
    const inner = relu(convNorm(x, `${name}.0`, channels, channels), `${name}.0`);
    const sum = build.op("Add", [convNorm(inner, `${name}.1`, channels, channels), x], {}, {
      name: `${name}.add`,
    });
    return relu(sum, name);
  };

  let x = build.input("image", "float32", ["batch", 1, 28, 28]);
  x = relu(convNorm(x, "stem", 1, 16), "stem");
  x = build.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] }, { name: "pool" });
  x = residual(x, "block1", 16);
  x = relu(convNorm(x, "down", 16, 32, 2), "down");
  x = residual(x, "block2", 32);
  x = build.op("GlobalAveragePool", [x], {}, { name: "average" });
  x = build.op("Flatten", [x], {}, { name: "flatten" });
  const head = [parameter("head.weight", [10, 32]), parameter("head.bias", [10])];
  x = build.op("Gemm", [x, ...head], { transB: 1 }, { name: "head", outputs: ["logits"] });
  build.output(x, "float32", ["batch", 10]);
  return build.build({ opset: 21, ir: 10 });
}

if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) throw new Error("Say which file to write");
  const model = digitsNetwork();
  initializeParameters(model.graph, 0);
  await writeModel(model, file);
}
