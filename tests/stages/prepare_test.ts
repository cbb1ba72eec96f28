import assert from "node:assert/strict";
import { basename } from "node:path";
import { Random } from "../../src/base/random.ts";
import { UserError } from "../../src/base/errors.ts";
import { float } from "../../src/onnx/attributes.ts";
import { type AttributeValues, GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { largestDifference } from "../../src/engine/compare.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { testWithSharedData } from "../shared_data.ts";

const DEFAULTS = {
  shape: {},
  batch: "keep",
  opset: 21,
  fold_batch_norm: true,
  fold_arithmetic: true,
  fold_constants: true,
} as const;

const random = Random.from(1);

function normal(...dims: number[]) {
  return float32(dims, Array.from({ length: elementCount(dims) }, () => random.normal()));
}

function positive(...dims: number[]) {
  return float32(dims, Array.from({ length: elementCount(dims) }, () => 0.1 + random.uniform()));
}

function batchNorm(builder: GraphBuilder, input: string, channels: number): string {
  return builder.op("BatchNormalization", [
    input,
    builder.constant(normal(channels)),
    builder.constant(normal(channels)),
    builder.constant(normal(channels)),
    builder.constant(positive(channels)),
  ], { epsilon: float(1e-3) });
}

/** Prepares a model and checks that it still computes the same; gives its operators in order. */
async function operators(
  builder: GraphBuilder,
  options: Partial<Parameters<typeof prepareModel>[1]> = {},
): Promise<string> {
  const original = builder.build();
  const { model } = await prepareModel(original, { ...DEFAULTS, ...options });
  const difference = await largestDifference(original, model, 0);
  assert.ok(difference < 2e-6, `outputs differ by ${difference}`);
  return model.graph.nodes.map((node) => node.opType).join(" ");
}

Deno.test("batch normalization folds into every linear operator", async () => {
  const cases: [string, (number | string)[], number[], AttributeValues, number][] = [
    ["Conv", ["N", 4, 7, 7], [6, 4, 3, 3], {}, 6],
    ["Conv", ["N", 4, 7, 7], [8, 1, 3, 3], { group: 4, strides: [2, 2] }, 8],
    ["Conv", ["N", 4, 9], [6, 4, 3], {}, 6],
    ["ConvTranspose", ["N", 4, 5, 5], [4, 6, 2, 2], { strides: [2, 2] }, 6],
    ["ConvTranspose", ["N", 4, 5, 5], [4, 3, 2, 2], { group: 2 }, 6],
    ["Gemm", ["N", 5], [7, 5], { transB: 1 }, 7],
    ["Gemm", ["N", 5], [5, 7], { alpha: float(0.5), beta: float(3) }, 7],
  ];
  for (const [opType, dims, weight, attributes, channels] of cases) {
    for (const bias of [false, true]) {
      const builder = new GraphBuilder();
      const inputs = [builder.input("x", "float32", dims), builder.constant(normal(...weight))];
      if (bias) inputs.push(builder.constant(normal(channels)));
      builder.output(batchNorm(builder, builder.op(opType, inputs, attributes), channels));
      assert.equal(await operators(builder), opType);
    }
  }
});

Deno.test("MatMul and Add become Gemm, and batch normalization folds into it", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 5]);
  const product = builder.op("MatMul", [x, builder.constant(normal(5, 3))]);
  const sum = builder.op("Add", [builder.constant(normal(3)), product]);
  builder.output(builder.op("Relu", [batchNorm(builder, sum, 3)]));
  assert.equal(await operators(builder), "Gemm Relu");
});

Deno.test("MatMul over more dimensions stays, and takes only factors in", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 5]);
  const product = builder.op("MatMul", [x, builder.constant(normal(5, 3))]);
  const scaled = builder.op("Mul", [product, builder.constant(normal(3))]);
  builder.output(builder.op("Add", [scaled, builder.constant(normal(3))]));
  assert.equal(await operators(builder), "MatMul Add");
});

Deno.test("arithmetic with a constant per channel folds, any other does not", async () => {
  for (
    const [dims, expected] of [
      [[1, 6, 1, 1], "Conv"],
      [[6, 1, 1], "Conv"],
      [[1], "Conv"],
      [[], "Conv"],
      [[5], "Conv Sub Mul Div"],
      [[1, 6, 5, 5], "Conv Sub Mul Div"],
      [[1, 1, 6, 1, 1], "Conv Sub Mul Div"],
    ] as const
  ) {
    const builder = new GraphBuilder();
    const x = builder.input("x", "float32", [6, 4, 7, 7]);
    const conv = builder.op("Conv", [x, builder.constant(normal(6, 4, 3, 3))]);
    const less = builder.op("Sub", [builder.constant(normal(...dims)), conv]);
    const more = builder.op("Mul", [less, builder.constant(normal(...dims))]);
    builder.output(builder.op("Div", [more, builder.constant(positive(...dims))]));
    assert.equal(await operators(builder), expected, `operand of shape [${dims}]`);
  }
});

Deno.test("weights that two layers share are not changed for the other", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 7, 7]);
  const weights = builder.constant(normal(4, 4, 1, 1));
  const bias = builder.constant(normal(4));
  const a = batchNorm(builder, builder.op("Conv", [x, weights, bias]), 4);
  const b = builder.op("Conv", [builder.op("Relu", [a]), weights, bias]);
  builder.output(batchNorm(builder, b, 4));
  builder.output(builder.op("Conv", [x, weights, bias]));
  assert.equal(await operators(builder), "Conv Relu Conv Conv");
});

Deno.test("what cannot fold stays: a result that is read twice, a norm without a layer", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 7, 7]);
  const first = batchNorm(builder, x, 4);
  const conv = builder.op("Conv", [first, builder.constant(normal(4, 4, 1, 1))]);
  builder.output(builder.op("Add", [batchNorm(builder, conv, 4), conv]));
  assert.equal(await operators(builder), "BatchNormalization Conv BatchNormalization Add");
  const kept = new GraphBuilder();
  const y = kept.input("x", "float32", ["N", 4, 7, 7]);
  const layer = kept.op("Conv", [y, kept.constant(normal(4, 4, 1, 1))]);
  kept.output(batchNorm(kept, layer, 4));
  assert.equal(await operators(kept, { fold_batch_norm: false }), "Conv BatchNormalization");
});

Deno.test("nodes that do nothing go, and names of inputs and outputs stay", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const same = builder.op("Identity", [builder.op("Dropout", [x])]);
  const relu = builder.op("Relu", [builder.op("Cast", [same], { to: 1 })]);
  builder.output(builder.op("Identity", [relu], {}, { name: "y" }));
  builder.output(builder.op("Identity", [relu], {}, { name: "z" }));
  builder.output(builder.op("Identity", [x], {}, { name: "copy" }));
  assert.equal(await operators(builder), "Relu Identity Identity");
});

Deno.test("Relu and Clip move before pooling and reshaping, unless something else reads that", async () => {
  const network = (shared: boolean, pool: string, attributes: AttributeValues) => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "float32", ["N", 4, 6, 6]);
    const conv = builder.op("Conv", [x, builder.constant(normal(4, 4, 1, 1))]);
    const pooled = builder.op(pool, [conv], attributes);
    const flat = builder.op("Flatten", [pooled]);
    builder.output(builder.op("Clip", [flat, builder.constant(-0.5), builder.constant(0.25)]));
    if (shared) builder.output(pooled);
    return builder;
  };
  const window = { kernel_shape: [2, 2], pads: [1, 1, 0, 0] };
  assert.equal(await operators(network(false, "MaxPool", window)), "Conv Clip MaxPool Flatten");
  assert.equal(await operators(network(true, "MaxPool", window)), "Conv MaxPool Clip Flatten");
  assert.equal(
    await operators(network(false, "AveragePool", window)),
    "Conv AveragePool Clip Flatten",
  );
});

Deno.test("constant parts are computed, unless that makes the model large", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 6]);
  const weights = builder.op("Transpose", [builder.constant(normal(3, 6))], { perm: [1, 0] });
  const doubled = builder.op("Mul", [weights, builder.constant(2)]);
  builder.output(builder.op("MatMul", [x, doubled]));
  const shape = builder.constant([2000, 1000]);
  const large = builder.op("Expand", [builder.constant(1), shape]);
  const sum = builder.op("ReduceSum", [large], { keepdims: 0 });
  builder.output(builder.op("Add", [x, sum]));
  assert.equal(await operators(builder), "MatMul Add");
  const expanded = new GraphBuilder();
  const small = expanded.input("x", "float32", [1]);
  const wide = expanded.op("Expand", [
    expanded.constant(1),
    expanded.constant([2000, 1000]),
  ]);
  expanded.output(expanded.op("Add", [small, wide]));
  assert.equal(await operators(expanded), "Expand Add");
});

Deno.test("every value gets its shape, with the batch by its name", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["items", 4, 6, 6]);
  const conv = builder.op("Conv", [x, builder.constant(normal(8, 4, 3, 3))], {}, { name: "c" });
  const rows = builder.op("Reshape", [conv, builder.constant([-1, 8])], {}, { name: "rows" });
  builder.output(builder.op("Sigmoid", [rows], {}, { name: "y" }));
  builder.output(builder.op("Flatten", [conv], {}, { name: "z" }));
  const { model } = await prepareModel(builder.build(), DEFAULTS);
  const dims = (name: string) =>
    (model.graph.values.get(name) ?? model.graph.outputs.find((info) => info.name === name))?.dims;
  assert.deepEqual(dims("c"), ["items", 8, 4, 4]);
  assert.deepEqual(dims("rows"), [undefined, 8]);
  assert.deepEqual(dims("z"), ["items", 128]);
  const fixed = await prepareModel(builder.build(), { ...DEFAULTS, batch: 5 });
  assert.deepEqual(fixed.model.graph.values.get("rows")?.dims, [80, 8]);
});

Deno.test("a dimension that must be fixed is an error that says the field", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("image", "float32", ["N", 3, "height", undefined]);
  builder.output(builder.op("Conv", [x, builder.constant(normal(4, 3, 1, 1))]));
  const problems = async (options: Partial<Parameters<typeof prepareModel>[1]>) => {
    const error = await prepareModel(builder.build(), { ...DEFAULTS, ...options }).then(
      () => undefined,
      (error) => error,
    );
    assert.ok(error instanceof UserError);
    return error.problems;
  };
  assert.deepEqual(await problems({}), [{
    message: 'Input "image" has shape [N, 3, height, ?]: dimension 2 must be fixed',
    hint: 'Say it in "with": shape: { "image": [N, 3, 224, 224] }',
  }]);
  assert.deepEqual(await problems({ shape: { imag: [1, 3, 8, 8] } }), [{
    message: 'The model has no input "imag"',
    hint: 'Did you mean "image"?',
  }]);
  assert.deepEqual(await problems({ shape: { image: [3, 8, 8] } }), [{
    message: 'Input "image" has 4 dimensions [N, 3, height, ?]: the shape given has 3',
  }]);
  const { model } = await prepareModel(builder.build(), {
    ...DEFAULTS,
    shape: { image: ["N", 3, 8, 10] },
  });
  assert.deepEqual(model.graph.inputs[0]!.dims, ["N", 3, 8, 10]);
});

Deno.test("NaN in weights is an error that names them", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 2]);
  builder.output(
    builder.op("MatMul", [x, builder.constant(float32([2, 1], [1, NaN]), "weights")]),
  );
  await assert.rejects(
    prepareModel(builder.build(), DEFAULTS),
    (error) => error instanceof UserError && /weights/.test(error.message),
  );
});

Deno.test("a model for single items that is told to take more is checked against them", async () => {
  const network = (rows: number) => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "float32", [1, 4, 7, 7]);
    const conv = builder.op("Conv", [x, builder.constant(normal(2, 4, 3, 3))]);
    const norm = batchNorm(builder, conv, 2);
    builder.output(builder.op("Reshape", [norm, builder.constant([rows, -1])]));
    return builder.build();
  };
  const sound = network(0);
  const { model } = await prepareModel(sound, { ...DEFAULTS, batch: "dynamic" });
  assert.deepEqual(model.graph.outputs[0]!.dims, ["N", 50]);
  assert.ok(await largestDifference(sound, model, 0) < 2e-6);
  const five = await prepareModel(sound, { ...DEFAULTS, batch: 5 });
  assert.ok(await largestDifference(sound, five.model, 0) < 2e-6);
  const mixing = network(1);
  const mixed = await prepareModel(mixing, { ...DEFAULTS, batch: "dynamic" });
  assert.equal(await largestDifference(mixing, mixed.model, 0), Infinity);
});

const MODELS: [path: string, operators: string, folded: number][] = [
  ["models/cifar10_resnet20.onnx", "Add Conv Flatten Gemm GlobalAveragePool Pad Relu Slice", 19],
  ["models/cifar10_resnet32.onnx", "Add Conv Flatten Gemm GlobalAveragePool Pad Relu Slice", 31],
  ["models/squeezenet1.1.onnx", "Concat Conv Flatten GlobalAveragePool MaxPool Relu", 0],
  [
    "models/mobilenet_v1_0.25_128_dequantized.onnx",
    "AveragePool Clip Conv Flatten",
    0,
  ],
  ["models/har_mlp.onnx", "Gemm Relu", 0],
  ["verify/acasxu/ACASXU_run2a_1_1.onnx", "Flatten Gemm Relu Sub", 0],
  ["verify/cifar10_resnet/resnet_2b.onnx", "Add Conv Flatten Gemm Relu", 0],
  ["verify/conv/Convnet_avgpool.onnx", "AveragePool Conv Flatten Gemm Relu", 0],
  ["verify/mnistfc/mnist-net_256x2.onnx", "Flatten Gemm Relu", 0],
];

for (const [path, expected, folded] of MODELS) {
  testWithSharedData(`prepares ${basename(path)}`, path, async (file) => {
    const original: Model = await readModel(file);
    const { model, batchNormsFolded } = await prepareModel(original, DEFAULTS);
    assert.equal(batchNormsFolded, folded);
    const kinds = new Set(model.graph.nodes.map((node) => node.opType));
    assert.equal([...kinds].sort().join(" "), expected);
    assert.ok(model.graph.nodes.every((node) => node.name !== ""));
    const values = model.graph.nodes.flatMap((node) => node.outputs);
    const known = new Set([
      ...model.graph.values.keys(),
      ...model.graph.outputs.map(({ name }) => name),
    ]);
    assert.deepEqual(values.filter((name) => !known.has(name)), []);
    const difference = await largestDifference(original, model, 0);
    assert.ok(difference < 2e-6, `outputs differ by ${difference}`);
  });
}
