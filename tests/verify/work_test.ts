import assert from "node:assert/strict";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { wholeWork } from "../../src/verify/work.ts";

const weights = (b: GraphBuilder, dims: number[]) =>
  b.constant(float32(dims, new Float32Array(dims.reduce((all, dim) => all * dim)).fill(1)));

Deno.test("the work of a box counts what every neuron depends on, for ten rows each", () => {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", [1, 2, 5, 5]);
  // 3 channels of 3×3 places, each a sum of 2·3·3 products: intervals are exact there.
  const first = b.op("Relu", [b.op("Conv", [x, weights(b, [3, 2, 3, 3])])]);
  const second = b.op("Relu", [b.op("Gemm", [b.op("Flatten", [first]), weights(b, [27, 4])])]);
  b.output(b.op("MatMul", [second, weights(b, [4, 1])]));
  const model = b.build({ opset: 17 });
  assert.equal(wholeWork(pairModels(model, model)), 10 * 4 * (27 + 27 * 18));
});

Deno.test("neurons behind convolutions depend on windows", () => {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", [1, 1, 9, 9]);
  const convolve = (value: string, dims: number[]) =>
    b.op("Relu", [b.op("Conv", [value, weights(b, dims)], { pads: [1, 1, 1, 1] })]);
  const second = convolve(convolve(x, [2, 1, 3, 3]), [4, 2, 3, 3]);
  b.output(b.op("Conv", [second, weights(b, [1, 4, 9, 9])]));
  const model = b.build({ opset: 17 });
  // All four channels of the place in the middle: 3×3 places of 2 channels, which see 3×3 pixels each.
  const row = 4 * 9 * 2 + 2 * 9 * 9;
  assert.equal(wholeWork(pairModels(model, model)), 10 * 4 * 81 * row);
});
