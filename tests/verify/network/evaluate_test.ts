import assert from "node:assert/strict";
import { openSession } from "../../../src/engine/session.ts";
import { float } from "../../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { readModel } from "../../../src/onnx/read.ts";
import { elementCount, float32, tensor } from "../../../src/onnx/tensor.ts";
import { Random } from "../../../src/base/random.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import { lowerModel } from "../../../src/verify/network/lower.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";
import { testWithSharedData } from "../../shared_data.ts";

const random = Random.from(1, "evaluate");

function numbers(dims: readonly number[], scale = 1) {
  return float32(dims, Array.from({ length: elementCount(dims) }, () => scale * random.normal()));
}

/** Compares both sides of a model, paired with itself, with what ONNX Runtime computes. */
async function assertSameAsRuntime(model: Model, tolerance = 1e-5): Promise<void> {
  const network = pairModels(model, model);
  await using session = await openSession(model, { threads: 1, optimization: "none" });
  for (let trial = 0; trial < 3; trial++) {
    const x = numbers(network.input.dims);
    const result = await session.run({ [network.input.name]: x });
    const expected = result[network.outputName]!.data as Float32Array;
    const { original, difference } = evaluate(network, Float64Array.from(x.data));
    const most = expected.reduce((value, each) => Math.max(value, Math.abs(each)), 1);
    assert.equal(original.length, expected.length);
    original.forEach((value, at) => {
      assert.ok(
        Math.abs(value - expected[at]!) <= tolerance * most,
        `element ${at}: ${value} instead of ${expected[at]}`,
      );
    });
    assert.ok(difference.every((value) => value === 0));
  }
}

function built(
  dims: number[],
  make: (builder: GraphBuilder, x: string) => string,
  opset = 17,
): Model {
  const builder = new GraphBuilder();
  builder.output(make(builder, builder.input("x", "float32", dims)));
  return builder.build({ opset });
}

const CASES: Record<string, Model> = {
  "strided, dilated and grouped convolutions": built([1, 4, 9, 8], (b, x) => {
    const first = b.op("Conv", [x, b.constant(numbers([6, 2, 3, 2])), b.constant(numbers([6]))], {
      group: 2,
      strides: [2, 1],
      dilations: [1, 2],
      pads: [1, 0, 2, 1],
    });
    return b.op("Conv", [first, b.constant(numbers([3, 6, 2, 2]))], {
      auto_pad: "SAME_LOWER",
      strides: [2, 2],
    });
  }),
  "convolutions over one axis": built(
    [1, 3, 11],
    (b, x) => b.op("Conv", [x, b.constant(numbers([4, 3, 3]))], { pads: [1, 0], strides: [2] }),
  ),
  "batch normalization behind a convolution and behind a Relu": built([1, 2, 5, 5], (b, x) => {
    const norm = (value: string) =>
      b.op("BatchNormalization", [
        value,
        b.constant(numbers([3])),
        b.constant(numbers([3])),
        b.constant(numbers([3])),
        b.constant(float32([3], [0.5, 1.5, 2])),
      ]);
    const conv = b.op("Conv", [x, b.constant(numbers([3, 2, 3, 3])), b.constant(numbers([3]))]);
    return norm(b.op("Relu", [norm(conv)]));
  }),
  "pools": built([1, 3, 9, 9], (b, x) => {
    const max = b.op("MaxPool", [x], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 1, 0, 0] });
    const mean = b.op("AveragePool", [max], { kernel_shape: [2, 2], pads: [1, 0, 0, 1] });
    const padded = b.op("AveragePool", [mean], {
      kernel_shape: [2, 2],
      pads: [1, 1, 0, 0],
      count_include_pad: 1,
    });
    return b.op("GlobalAveragePool", [
      b.op("AveragePool", [padded], { kernel_shape: [2, 2], strides: [2, 2] }),
    ]);
  }),
  "residuals, slices, pads, transposes and joins": built([1, 4, 6, 6], (b, x) => {
    const cut = b.op("Slice", [
      x,
      b.constant([0, 5]),
      b.constant([4, -7]),
      b.constant([1, 2]),
      b.constant([2, -2]),
    ]);
    const wide = b.op("Pad", [cut, b.constant([0, 1, 1, 0, 0, 0, 1, 0]), b.constant(0.5)]);
    const turned = b.op("Transpose", [wide], { perm: [0, 2, 3, 1] });
    const joined = b.op("Concat", [turned, b.op("Neg", [turned])], { axis: -1 });
    const total = b.op("Sub", [
      b.op("Add", [joined, b.op("Relu", [joined])]),
      b.constant(numbers([6])),
    ]);
    return b.op("Reshape", [
      b.op("Mul", [total, b.constant(numbers([5, 1, 1]))]),
      b.constant([1, -1]),
    ]);
  }),
  "the Relu family": built([1, 6, 4], (b, x) => {
    const leaky = b.op("LeakyRelu", [x], { alpha: float(0.125) });
    const learned = b.op("PRelu", [leaky, b.constant(numbers([6, 1]))]);
    const clipped = b.op("Clip", [learned, b.constant(-0.5), b.constant(0.75)]);
    const six = b.op("Clip", [
      b.op("Mul", [clipped, b.constant(4)]),
      b.constant(0),
      b.constant(1.5),
    ]);
    return b.op("Add", [
      b.op("Tanh", [six]),
      b.op("Sigmoid", [b.op("Min", [b.op("Max", [learned, b.constant(-1)]), b.constant(1)])]),
    ]);
  }),
};

for (const [name, model] of Object.entries(CASES)) {
  Deno.test(`networks compute what ONNX Runtime computes: ${name}`, () =>
    assertSameAsRuntime(model));
}

Deno.test("a bias and batch normalization leave one step with their layer", () => {
  const kinds = lowerModel(CASES["batch normalization behind a convolution and behind a Relu"]!)
    .steps
    .map(({ kind }) => kind);
  assert.deepEqual(kinds, ["affine", "relu", "affine"]);
});

Deno.test("a value that others read too keeps its step", async () => {
  const model = built([1, 3], (b, x) => {
    const product = b.op("MatMul", [x, b.constant(numbers([3, 4]))]);
    const shaped = b.op("Reshape", [product, b.constant([4])]);
    return b.op("Add", [b.op("Mul", [shaped, b.constant(3)]), b.op("Relu", [shaped])]);
  });
  await assertSameAsRuntime(model);
});

Deno.test("activations are rounded as QuantizeLinear does", async () => {
  const model = built([1, 8], (b, x) => {
    const scale = b.constant(float32([], [0.0625]));
    const zero = b.constant(tensor("uint8", [], Uint8Array.of(20)));
    const integers = b.op("QuantizeLinear", [x, scale, zero]);
    return b.op("DequantizeLinear", [integers, scale, zero]);
  });
  await assertSameAsRuntime(model, 0);
});

for (
  const path of [
    "acasxu/ACASXU_run2a_2_3.onnx",
    "mnistfc/mnist-net_256x6.onnx",
    "cifar10_resnet/resnet_2b.onnx",
    "conv/Convnet_maxpool.onnx",
    "conv/Convnet_avgpool.onnx",
  ]
) {
  testWithSharedData(
    `networks compute what ONNX Runtime computes: ${path}`,
    `verify/${path}`,
    async (file) => {
      await assertSameAsRuntime(await readModel(file), 3e-5);
    },
  );
}
