import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { openSession } from "../../src/engine/session.ts";
import { float, floats, graphAttribute } from "../../src/onnx/attributes.ts";
import { type AttributeValues, GraphBuilder } from "../../src/onnx/build.ts";
import { checkModel } from "../../src/onnx/check.ts";
import { toFloat16 } from "../../src/onnx/float16.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { elementCount, float32, type Tensor, tensor } from "../../src/onnx/tensor.ts";
import { upgradeOpset } from "../../src/onnx/upgrade.ts";
import { testWithSharedData } from "../shared_data.ts";
import { onnxFiles, randomFeeds } from "./shared_models.ts";

interface Case {
  readonly opset: number;
  readonly attributes?: AttributeValues;
  readonly dims?: readonly number[];
  readonly outputs?: number;
  /** Constant inputs after the first. */
  readonly constants?: readonly Tensor[];
  /** Target versions that ONNX Runtime has a kernel for, where not all. */
  readonly targets?: readonly number[];
}

function random(dims: readonly number[]): Tensor<"float32"> {
  const numbers = Random.from(3, `${dims}`);
  return float32(dims, Array.from({ length: elementCount(dims) }, () => numbers.normal()));
}

function modelOf(operator: string, { opset, attributes, dims, outputs, constants }: Case): Model {
  const builder = new GraphBuilder();
  // A Relu before it hides the shape, as in most files.
  const x = builder.op("Relu", [builder.input("x", "float32", dims ?? [2, 3, 4, 5])]);
  const inputs = [x, ...(constants ?? []).map((constant) => builder.constant(constant))];
  for (const name of builder.ops(operator, inputs, outputs ?? 1, attributes ?? {})) {
    builder.output(name);
  }
  return builder.build({ opset, ir: 4 });
}

/** Two values for each of four channels. */
const channels = (count: number) =>
  Array.from({ length: count }, (_, index) => float32([3], [1 + index, 2, 3]));
const reduce = { opset: 11, attributes: { axes: [1, -1], keepdims: 0 } };

const CASES: readonly (readonly [operator: string, Case])[] = [
  ["BatchNormalization", { opset: 7, constants: channels(4), attributes: { spatial: 1 } }],
  ["BatchNormalization", { opset: 9, constants: channels(4), attributes: { epsilon: float(0.1) } }],
  ["Clip", { opset: 7, attributes: { min: float(0.25), max: float(0.5) } }],
  ["Clip", { opset: 10, attributes: { max: float(6) } }],
  ["Clip", { opset: 10 }],
  ["Dropout", { opset: 7, attributes: { ratio: float(0.3) } }],
  ["Dropout", { opset: 10 }],
  ["Softmax", { opset: 7 }],
  ["Softmax", { opset: 11, attributes: { axis: 2 } }],
  ["Softmax", { opset: 11, attributes: { axis: -1 } }],
  ["Softmax", { opset: 11, attributes: { axis: 0 } }],
  ["Softmax", { opset: 8, dims: [3, 7] }],
  ["LogSoftmax", { opset: 11, attributes: { axis: 1 } }],
  ["LogSoftmax", { opset: 11, attributes: { axis: 3 } }],
  ["Hardmax", { opset: 11, attributes: { axis: 2 } }],
  ["Pad", { opset: 7, attributes: { pads: [0, 0, 1, 2, 0, 0, 1, 0], value: float(-1.5) } }],
  ["Pad", { opset: 10, attributes: { pads: [0, 0, 1, 1, 0, 0, 1, 1], mode: "reflect" } }],
  ["ReduceMean", reduce],
  ["ReduceMean", { opset: 8 }],
  ["ReduceSum", { opset: 11, attributes: { axes: [2] } }],
  ["ReduceSum", { opset: 12, attributes: { keepdims: 0 } }],
  ["ReduceMax", reduce],
  ["ReduceMin", reduce],
  ["ReduceProd", reduce],
  ["ReduceL1", reduce],
  ["ReduceL2", reduce],
  ["ReduceSumSquare", reduce],
  ["ReduceLogSum", { opset: 11, attributes: { axes: [0, 1] } }],
  ["ReduceLogSumExp", reduce],
  ["Slice", { opset: 9, attributes: { starts: [1, 0], ends: [2 ** 40, -1], axes: [2, 3] } }],
  ["Slice", { opset: 7, attributes: { starts: [0, 1], ends: [1, 3] } }],
  ["Split", { opset: 11, outputs: 2, attributes: { axis: 3, split: [2, 3] } }],
  ["Split", { opset: 8, outputs: 3, attributes: { axis: 1 } }],
  ["Split", { opset: 13, outputs: 2, attributes: { axis: 2 } }],
  ["Squeeze", { opset: 8, dims: [2, 1, 3, 1], attributes: { axes: [1] } }],
  ["Squeeze", { opset: 11, dims: [2, 1, 3, 1] }],
  ["Unsqueeze", { opset: 11, attributes: { axes: [0, -1] } }],
  ["TopK", { opset: 7, outputs: 2, attributes: { axis: 3, k: 2 } }],
  ["Upsample", { opset: 7, attributes: { scales: floats([1, 1, 2, 3]) } }],
  ["Upsample", {
    opset: 9,
    attributes: { mode: "linear" },
    constants: [float32([4], [1, 1, 2, 2])],
  }],
  ["Resize", { opset: 10, constants: [float32([4], [1, 1, 0.5, 0.6])] }],
  ["Resize", { opset: 10, constants: [float32([4], [1, 1, 1.5, 2])] }],
  ["Resize", {
    opset: 10,
    attributes: { mode: "linear" },
    constants: [float32([4], [1, 1, 0.5, 2])],
  }],
  ["Resize", {
    opset: 10,
    attributes: { mode: "linear" },
    constants: [float32([4], [1, 1, 1.5, 2])],
  }],
  ["Resize", {
    opset: 11,
    attributes: { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" },
    constants: [
      float32([0], []),
      float32([0], []),
      tensor("int64", [4], BigInt64Array.of(2n, 3n, 8n, 9n)),
    ],
  }],
  ["Scatter", {
    opset: 9,
    dims: [3, 3],
    attributes: { axis: 1 },
    constants: [tensor("int64", [1, 2], BigInt64Array.of(0n, 2n)), float32([1, 2], [8, 9])],
  }],
  ["RoiAlign", {
    opset: 10,
    targets: [21],
    dims: [1, 2, 8, 8],
    attributes: { output_height: 2, output_width: 2 },
    constants: [float32([1, 4], [1, 1, 6, 7]), tensor("int64", [1], BigInt64Array.of(0n))],
  }],
  ["GridSample", {
    opset: 16,
    dims: [1, 1, 4, 4],
    attributes: { mode: "bicubic" },
    constants: [float32([1, 1, 2, 2], [0.1, 0.2, -0.5, 0.9])],
  }],
  ["DFT", { opset: 17, dims: [1, 8, 1], attributes: { axis: 1, onesided: 1 } }],
  ["Flatten", { opset: 9, attributes: { axis: 2 } }],
  ["Sum", { opset: 7, constants: [random([2, 3, 4, 5])] }],
  ["Sum", { opset: 8, constants: [float32([5], [1, 2, 3, 4, 5])] }],
  ["Gemm", {
    opset: 9,
    dims: [2, 3],
    constants: [random([3, 4]), random([4])],
  }],
  ["PRelu", { opset: 7, constants: [random([3, 1, 1])] }],
  ["AveragePool", { opset: 7, attributes: { kernel_shape: [2, 2], count_include_pad: 1 } }],
  ["MaxPool", { opset: 8, attributes: { kernel_shape: [2, 2], strides: [2, 2] } }],
];

for (const [operator, settings] of CASES) {
  const { opset, dims, attributes = {} } = settings;
  const said = Object.entries(attributes).map(([name, value]) =>
    `${name} ${typeof value === "object" && "value" in value ? value.value : value}`
  );
  const what = [...(dims ? [`shape ${dims}`] : []), ...said].join(", ") || "defaults";
  Deno.test(`${operator} of opset ${opset} with ${what} means the same later`, async () => {
    const model = modelOf(operator, settings);
    const feeds = { x: random(settings.dims ?? [2, 3, 4, 5]) };
    const before = await run(model, feeds);
    for (const target of settings.targets ?? [21, 26]) {
      const upgraded = upgradeOpset(model, target);
      assert.deepEqual(checkModel(upgraded), []);
      assertClose(await run(upgraded, feeds), before);
    }
    assert.deepEqual(model, modelOf(operator, settings), "the original is left alone");
  });
}

for (const folder of ["models", "verify"]) {
  testWithSharedData(
    `every model in ${folder} means the same in opset 21 and 26`,
    folder,
    async (path) => {
      // The forty-five ACAS Xu networks differ only in their weights.
      const files = onnxFiles(path).filter((file) => !/run2a_([2-5]|1_[2-9])/.test(file));
      for (const file of files) {
        const model = await readModel(join(path, file));
        const feeds = randomFeeds(model);
        const before = await run(model, feeds);
        for (const target of [21, 26]) {
          const upgraded = upgradeOpset(model, target);
          assert.deepEqual(checkModel(upgraded), [], file);
          assert.equal(upgraded.opsets.get(""), target);
          assertClose(await run(upgraded, feeds), before, file);
        }
      }
    },
  );
}

Deno.test("bounds of a half-precision Clip are half-precision", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float16", [4]);
  const attributes = { min: float(0.5), max: float(1) };
  builder.output(builder.op("Clip", [builder.op("Identity", [x])], attributes, { name: "y" }));
  const model = builder.build({ opset: 10, ir: 4 });
  const feeds = { x: tensor("float16", [4], toFloat16([-1, 0.75, 2, 0.5])) };
  const upgraded = await run(upgradeOpset(model, 21), feeds);
  assert.deepEqual(upgraded["y"]!.data, toFloat16([0.5, 0.75, 1, 0.5]));
});

Deno.test("nodes inside bodies are upgraded too", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [2, 3]);
  const yes = builder.constant(tensor("bool", [], Uint8Array.of(1)));
  const bodies = ["then", "else"].map((name) => {
    const body = new GraphBuilder(name, builder);
    body.output(body.op("Squeeze", [body.op("ReduceSum", [x], { axes: [0] })], { axes: [0] }));
    return graphAttribute(body.graph());
  });
  builder.output(
    builder.op("If", [yes], { then_branch: bodies[0]!, else_branch: bodies[1]! }, { name: "y" }),
    "float32",
    [3],
  );
  const model = builder.build({ opset: 11, ir: 6 });
  const feeds = { x: random([2, 3]) };
  const upgraded = upgradeOpset(model, 21);
  assert.deepEqual(checkModel(upgraded), []);
  assert.deepEqual(await run(upgraded, feeds), await run(model, feeds));
});

Deno.test("initializers that old files list as inputs become constants", () => {
  const model = modelOf("Sum", { opset: 8, constants: [random([5])] });
  const [name] = model.graph.initializers.keys();
  model.graph.inputs.push({ name: name!, type: "float32", dims: [5] });
  model.irVersion = 3;
  const { graph, irVersion } = upgradeOpset(model, 21);
  assert.deepEqual(graph.inputs.map((info) => info.name), ["x"]);
  assert.equal(irVersion, 10);
});

Deno.test("what has no rule is refused, with node and operator named", () => {
  const refusal = (operator: string, settings: Case, pattern: RegExp) =>
    assert.throws(
      () => upgradeOpset(modelOf(operator, settings), 21),
      (error: Error) => error instanceof UserError && pattern.test(error.message),
    );
  refusal(
    "GroupNormalization",
    { opset: 18, attributes: { num_groups: 1 } },
    /Node "GroupNormalization_\d" \(GroupNormalization\) cannot be upgraded from opset 18 to 21/,
  );
  refusal("ImageScaler", { opset: 9 }, /\(ImageScaler\) has an operator that is not in opset 21/);
  refusal(
    "BatchNormalization",
    { opset: 7, constants: channels(4), attributes: { spatial: 0 } },
    /spatial = 0 was removed/,
  );
  refusal(
    "Resize",
    { opset: 10, constants: [float32([4], [1, 1, 0.5, 2])] },
    /it enlarges one axis and shrinks another/,
  );
  refusal("Relu", { opset: 6 }, /has opset 6: the oldest that can be upgraded is 7/);
  refusal("Dropout", { opset: 7, outputs: 2 }, /its mask is in use/);
  assert.throws(() => upgradeOpset(modelOf("Relu", { opset: 9 }), 27), RangeError);
});

Deno.test("a model that is new enough is copied as it is", () => {
  const model = modelOf("Relu", { opset: 25 });
  const upgraded = upgradeOpset(model, 21);
  assert.deepEqual(upgraded, model);
  assert.notEqual(upgraded.graph, model.graph);
});

async function run(model: Model, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  await using session = await openSession(model);
  return await session.run(feeds);
}

/** The same shapes and, but for the last bits, the same values: kernels differ between versions. */
function assertClose(
  actual: Record<string, Tensor>,
  expected: Record<string, Tensor>,
  what?: string,
): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, tensor] of Object.entries(expected)) {
    const other = actual[name]!;
    assert.deepEqual([other.type, other.dims], [tensor.type, tensor.dims], what);
    const values = Array.from(tensor.data as ArrayLike<unknown>, Number);
    const others = Array.from(other.data as ArrayLike<unknown>, Number);
    const bound = 2e-6 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    for (let index = 0; index < values.length; index++) {
      const difference = Math.abs(values[index]! - others[index]!);
      assert.ok(
        difference <= bound || values[index] === others[index],
        `${what} ${name}[${index}]: ${others[index]} instead of ${values[index]}`,
      );
    }
  }
}
