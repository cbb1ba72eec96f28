import assert from "node:assert/strict";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { wholeWork } from "../../src/verify/work.ts";

Deno.test("the work of a box counts the products in front of every neuron, for eight rows each", () => {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", [1, 2, 5, 5]);
  const weights = (dims: number[]) =>
    b.constant(float32(dims, new Float32Array(dims.reduce((all, dim) => all * dim)).fill(1)));
  // 3 channels of 3×3 places, each a sum of 2·3·3 products.
  const first = b.op("Relu", [b.op("Conv", [x, weights([3, 2, 3, 3])])]);
  const second = b.op("Relu", [b.op("Gemm", [b.op("Flatten", [first]), weights([27, 4])])]);
  b.output(b.op("MatMul", [second, weights([4, 1])]));
  const model = b.build({ opset: 17 });
  const products = 27 * 18;
  const expected = 8 * (27 * products + 4 * (products + 4 * 27));
  assert.equal(wholeWork(pairModels(model, model)), expected);
});
