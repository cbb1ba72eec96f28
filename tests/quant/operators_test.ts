import assert from "node:assert/strict";
import { loadRuntime } from "../../src/engine/runtime.ts";
import { openSession } from "../../src/engine/session.ts";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { OPERATOR_RULES } from "../../src/quant/placement/operators.ts";
import { networkInput, quantizeMinMax } from "./small_network.ts";

function waves(...dims: number[]) {
  return float32(dims, Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i * 1.7)));
}

/** Builds part of a network from a value of shape [N, 4, 8, 8]. */
type Part = (builder: GraphBuilder, x: string) => string | string[];

const twice = (opType: string): Part => (b, x) => b.op(opType, [x, b.op("Sigmoid", [x])]);

/** One for every operator with a rule, and some without. */
const PARTS: Readonly<Record<string, Part>> = {
  Conv: (b, x) => b.op("Conv", [x, b.constant(waves(4, 4, 3, 3)), b.constant(waves(4))]),
  ConvTranspose: (b, x) => b.op("ConvTranspose", [x, b.constant(waves(4, 4, 2, 2))]),
  Gemm: (b, x) =>
    b.op("Reshape", [
      b.op("Gemm", [b.op("Flatten", [x]), b.constant(waves(256, 16)), b.constant(waves(16))]),
      b.constant([0, 4, 2, 2]),
    ]),
  MatMul: (b, x) => b.op("MatMul", [x, b.constant(waves(8, 6))]),
  Add: twice("Add"),
  Mul: twice("Mul"),
  Concat: (b, x) =>
    b.op("Concat", [b.op("Relu", [b.op("Conv", [x, b.constant(waves(4, 4, 1, 1))])]), x], {
      axis: 2,
    }),
  AveragePool: (b, x) => b.op("AveragePool", [x], { kernel_shape: [2, 2] }),
  GlobalAveragePool: (b, x) => b.op("GlobalAveragePool", [x]),
  ReduceMean: (b, x) => b.op("ReduceMean", [x, b.constant([2, 3])]),
  LeakyRelu: (b, x) => b.op("LeakyRelu", [x], { alpha: float(0.1) }),
  Sigmoid: (b, x) => b.op("Sigmoid", [x]),
  MaxPool: (b, x) => b.op("MaxPool", [x], { kernel_shape: [2, 2] }),
  GlobalMaxPool: (b, x) => b.op("GlobalMaxPool", [x]),
  ReduceMax: (b, x) => b.op("ReduceMax", [x, b.constant([2, 3])]),
  Reshape: (b, x) => b.op("Reshape", [x, b.constant([0, 4, 4, -1])]),
  Flatten: (b, x) => b.op("Reshape", [b.op("Flatten", [x]), b.constant([0, 4, 8, 8])]),
  Squeeze: (b, x) => b.op("Squeeze", [b.op("Unsqueeze", [x, b.constant([1])]), b.constant([1])]),
  Unsqueeze: (b, x) => b.op("Squeeze", [b.op("Unsqueeze", [x, b.constant([0])]), b.constant([0])]),
  Transpose: (b, x) => b.op("Transpose", [x], { perm: [0, 1, 3, 2] }),
  Slice: (b, x) => b.op("Slice", [x, b.constant([0]), b.constant([4]), b.constant([2])]),
  Split: (b, x) => b.ops("Split", [x], 2, { axis: 3, num_outputs: 2 }),
  Expand: (b, x) => b.op("Expand", [x, b.constant([2, 4, 8, 8])]),
  Tile: (b, x) => b.op("Tile", [x, b.constant([1, 1, 2, 1])]),
  Gather: (b, x) => b.op("Gather", [x, b.constant([3, 2, 1, 0])], { axis: 2 }),
  DepthToSpace: (b, x) =>
    b.op("Reshape", [b.op("DepthToSpace", [x], { blocksize: 2 }), b.constant([0, 4, 8, 8])]),
  SpaceToDepth: (b, x) =>
    b.op("Reshape", [b.op("SpaceToDepth", [x], { blocksize: 2 }), b.constant([0, 4, 8, 8])]),
  Identity: (b, x) => b.op("Identity", [x]),
  Dropout: (b, x) => b.op("Dropout", [x]),
  Pad: (b, x) => b.op("Pad", [x, b.constant([0, 0, 1, 1, 0, 0, 1, 1])]),
  Resize: (b, x) =>
    b.op("Resize", [x, "", b.constant(float32([4], [1, 1, 2, 2]))], { mode: "nearest" }),
  Relu: (b, x) => b.op("Relu", [b.op("MaxPool", [x], { kernel_shape: [2, 2] })]),
  Clip: (b, x) =>
    b.op("Clip", [
      b.op("MaxPool", [x], { kernel_shape: [2, 2] }),
      b.constant(0),
      b.constant(0.9),
    ]),
  Min: (b, x) =>
    b.op("Min", [
      b.op("MaxPool", [x], { kernel_shape: [2, 2] }),
      b.constant(float32([4, 1, 1], [0.3, 0.9, 2, 6])),
    ]),
  Max: (b, x) =>
    b.op("Max", [
      b.op("MaxPool", [x], { kernel_shape: [2, 2] }),
      b.constant(float32([4, 1, 1], [-2, -0.1, 0, 0.2])),
    ]),
  "MatMul of two activations": (b, x) => b.op("MatMul", [x, x]),
  "Pad by reflection": (b, x) =>
    b.op("Pad", [x, b.constant([0, 0, 1, 1, 0, 0, 1, 1])], { mode: "reflect" }),
  "Resize by interpolation": (b, x) =>
    b.op("Resize", [x, "", b.constant(float32([4], [1, 1, 2, 2]))], { mode: "linear" }),
  "Add of a constant": (b, x) => b.op("Add", [x, b.constant(1)]),
  "Conv in three dimensions": (b, x) =>
    b.op("Reshape", [
      b.op("Conv", [
        b.op("Reshape", [x, b.constant([0, 4, 2, 4, 8])]),
        b.constant(waves(4, 4, 1, 3, 3)),
      ], { pads: [0, 1, 1, 0, 1, 1] }),
      b.constant([0, 4, 8, 8]),
    ]),
  Tanh: (b, x) => b.op("Tanh", [x]),
  Sub: twice("Sub"),
  Softmax: (b, x) => b.op("Softmax", [x]),
};

Deno.test("every operator with a rule is tried", () => {
  assert.deepEqual(Object.keys(OPERATOR_RULES).filter((name) => !Object.hasOwn(PARTS, name)), []);
});

/** The part between two convolutions, or right behind the input; its value is an output too. */
function around(part: Part, behindConv: boolean): Model {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 8, 8]);
  const conv = (input: string) => builder.op("Conv", [input, builder.constant(waves(4, 4, 1, 1))]);
  for (const value of [part(builder, behindConv ? conv(x) : x)].flat()) {
    builder.output(conv(value));
    if (behindConv) builder.output(value);
  }
  return builder.build();
}

/** How far the outputs by default are from those of simulated arithmetic, relative to their size. */
async function gap(model: Model): Promise<number> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const input = networkInput();
  // The default but for the option that keeps products of 8-bit integers from saturating on older processors.
  const session = await InferenceSession.create(encodeModel(model), {
    logSeverityLevel: 4,
    extra: { session: { x64quantprecision: "1" } },
  });
  const actual = await session.run({ x: new Tensor("float32", input.data, input.dims) });
  await session.release();
  await using simulated = await openSession(model);
  let largest = 0;
  for (const [name, { data }] of Object.entries(await simulated.run({ x: input }))) {
    const [a, b] = [actual[name]!.data as Float32Array, data as Float32Array];
    const size = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    b.forEach((value, index) => {
      largest = Math.max(largest, Math.abs(value - a[index]!) / size);
    });
  }
  return largest;
}

for (const [name, part] of Object.entries(PARTS)) {
  Deno.test(`${name} loads by default at every width and computes the same`, async () => {
    for (const behindConv of [true, false]) {
      const float = around(part, behindConv);
      for (const activationBits of [16, 8, 6, 4]) {
        for (
          const encoding of activationBits === 4
            ? ["native", "container"] as const
            : ["native"] as const
        ) {
          const quantized = await quantizeMinMax(float, {
            weightBits: 8,
            activationBits,
            granularity: "channel",
            encoding,
          });
          const difference = await gap(quantized);
          // Integer kernels may be one step off where a value is halfway; Softmax has one of its own table.
          const steps = name === "Softmax" ? 4 : 2;
          const limit = activationBits === 4
            ? (encoding === "native" ? 1e-5 : steps / 15)
            : steps / (2 ** Math.min(activationBits, 8) - 1);
          assert.ok(
            difference <= limit,
            `${activationBits} bits, ${encoding}: outputs are ${difference} apart`,
          );
        }
      }
    }
  });
}
