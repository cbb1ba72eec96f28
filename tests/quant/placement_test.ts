import assert from "node:assert/strict";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32, int64s } from "../../src/onnx/tensor.ts";
import {
  type ActivationPlaces,
  observedValues,
  placeQuantizers,
} from "../../src/quant/placement.ts";
import { testWithSharedData } from "../shared_data.ts";

const weights = (...dims: number[]) => {
  const count = dims.reduce((a, b) => a * b, 1);
  return float32(dims, Array.from({ length: count }, (_, i) => Math.sin(i + 1)));
};

/** A builder and a function that adds a 1×1 convolution from 4 to 4 channels. */
function network() {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 8, 8]);
  const conv = (input: string, name: string) =>
    builder.op("Conv", [input, builder.constant(weights(4, 4, 1, 1))], {}, { name });
  return { builder, x, conv };
}

function summary(builder: GraphBuilder, skip: string[] = [], at: ActivationPlaces = "operators") {
  const placement = placeQuantizers(builder.build(), {
    at,
    skip: (node) => skip.includes(node.name),
  });
  return {
    points: placement.points.map(({ value, group, role }) =>
      group === value ? `${value} ${role}` : `${value} ${role} as ${group}`
    ),
    layers: placement.layers.map((layer) => layer.node.name),
    float: placement.float.map(({ node, reason }) => `${node.name}: ${reason}`),
  };
}

Deno.test("a result is quantized behind the Relu or Clip that follows", () => {
  const { builder, x, conv } = network();
  const a = builder.op("Relu", [conv(x, "c1")], {}, { name: "r1" });
  const b = builder.op("Clip", [conv(a, "c2"), builder.constant(0), builder.constant(6)], {}, {
    name: "r2",
  });
  builder.output(conv(b, "c3"));
  assert.deepEqual(summary(builder).points, [
    "x source",
    "r1 source",
    "r2 source",
    "c3 result",
  ]);
});

Deno.test("a Relu whose input something else reads too is not skipped over", () => {
  const { builder, x, conv } = network();
  const c1 = conv(x, "c1");
  const r1 = builder.op("Relu", [c1], {}, { name: "r1" });
  builder.output(builder.op("Add", [conv(r1, "c2"), c1], {}, { name: "sum" }));
  assert.deepEqual(summary(builder).points, [
    "x source",
    "c1 source",
    "r1 source",
    "c2 source",
    "sum result",
  ]);
});

Deno.test("operators that move values keep the scale of what they move", () => {
  const { builder, x, conv } = network();
  const a = builder.op("Relu", [conv(x, "c1")], {}, { name: "r1" });
  const pool = builder.op("MaxPool", [a], { kernel_shape: [2, 2] }, { name: "pool" });
  const turned = builder.op("Transpose", [pool], { perm: [0, 1, 3, 2] }, { name: "turned" });
  const c2 = conv(turned, "c2");
  builder.output(
    builder.op("Reshape", [c2, builder.constant([0, -1])], {}, { name: "flat" }),
  );
  assert.deepEqual(summary(builder).points, [
    "x source",
    "r1 source",
    "pool repeat as r1",
    "turned repeat as r1",
    "c2 result",
  ]);
});

Deno.test("the input is quantized before operators that move it", () => {
  const { builder, x, conv } = network();
  const turned = builder.op("Transpose", [x], { perm: [0, 1, 3, 2] }, { name: "turned" });
  builder.output(conv(turned, "c1"));
  assert.deepEqual(summary(builder).points, ["x source", "turned repeat as x", "c1 result"]);
});

Deno.test("zero padding keeps the scale, other padding stays in float", () => {
  for (const [value, role] of [[0, "repeat as r1"], [1, "source"]] as const) {
    const { builder, x, conv } = network();
    const a = builder.op("Relu", [conv(x, "c1")], {}, { name: "r1" });
    const padded = builder.op(
      "Pad",
      [a, builder.constant([0, 0, 1, 1, 0, 0, 1, 1]), builder.constant(value)],
      {},
      { name: "padded" },
    );
    builder.output(conv(padded, "c2"));
    assert.deepEqual(summary(builder).points, [
      "x source",
      "r1 source",
      `padded ${role}`,
      "c2 result",
    ]);
  }
});

Deno.test("branches that only feed a Concat take its scale, others keep their own", () => {
  const { builder, x, conv } = network();
  const a = builder.op("Relu", [conv(x, "c1")], {}, { name: "a" });
  const b = builder.op("Relu", [conv(a, "c2")], {}, { name: "b" });
  const c = builder.op("Relu", [conv(a, "c3")], {}, { name: "c" });
  const pool = builder.op("MaxPool", [c], { kernel_shape: [1, 1] }, { name: "pool" });
  const joined = builder.op("Concat", [a, b, pool], { axis: 1 }, { name: "joined" });
  builder.output(
    builder.op("Conv", [joined, builder.constant(weights(4, 12, 1, 1))], {}, { name: "c4" }),
  );
  assert.deepEqual(summary(builder).points, [
    "x source",
    "a source",
    "b source as joined",
    "c source as joined",
    "pool repeat as joined",
    "joined source",
    "c4 result",
  ]);
  assert.deepEqual(observedValues(builder.build()), ["x", "a", "joined", "c4"]);
});

Deno.test("operators without a quantized form stay in float and are named", () => {
  const { builder, x, conv } = network();
  const tanh = builder.op("Tanh", [conv(x, "c1")], {}, { name: "tanh" });
  const c2 = conv(tanh, "c2");
  const shifted = builder.op("Mul", [c2, builder.constant(0.5)], {}, { name: "half" });
  builder.output(builder.op("Softmax", [shifted], {}, { name: "softmax" }));
  assert.deepEqual(summary(builder), {
    points: ["x source", "c1 source", "tanh source", "c2 result"],
    layers: ["c1", "c2"],
    float: [
      "tanh: operator Tanh has no quantized form",
      "half: Mul with a constant operand has no quantized form",
      "softmax: operator Softmax has no quantized form",
    ],
  });
});

Deno.test("a skipped node reads and writes float", () => {
  const { builder, x, conv } = network();
  const a = builder.op("Relu", [conv(x, "c1")], {}, { name: "r1" });
  const b = builder.op("Relu", [conv(a, "c2")], {}, { name: "r2" });
  builder.output(conv(b, "c3"));
  assert.deepEqual(summary(builder, ["c2"]), {
    points: ["x source", "r1 source", "r2 source", "c3 result"],
    layers: ["c1", "c3"],
    float: ["c2: it is skipped by an override"],
  });
  assert.deepEqual(summary(builder, ["c1", "c2"]).points, ["r2 source", "c3 result"]);
});

Deno.test("weights: channel and block axes by operator, first and last layers", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 6, 4, 4]);
  const constant = (name: string, ...dims: number[]) => builder.constant(weights(...dims), name);
  const bias = constant("bias", 6);
  const conv = builder.op("Conv", [x, constant("w1", 6, 1, 3, 3), bias], {
    group: 6,
    pads: [1, 1, 1, 1],
  }, { name: "depthwise" });
  const up = builder.op("ConvTranspose", [conv, constant("w2", 6, 8, 1, 1)], {}, { name: "up" });
  const pooled = builder.op("GlobalAveragePool", [up], {}, { name: "pooled" });
  const flat = builder.op("Flatten", [pooled]);
  const g1 = builder.op("Gemm", [flat, constant("w3", 10, 8)], { transB: 1 }, { name: "g1" });
  const g2 = builder.op("Gemm", [g1, constant("w4", 10, 5)], { alpha: float(2) }, { name: "g2" });
  const m = builder.op("MatMul", [g2, constant("w5", 5, 3)], {}, { name: "m" });
  builder.output(builder.op("Add", [m, constant("shift", 3)], {}, { name: "shifted" }));
  const { layers } = placeQuantizers(builder.build());
  assert.deepEqual(
    layers.map(({ node, weight, axes, bias, first, last, output }) => [
      node.name,
      weight,
      axes.channel,
      axes.block,
      bias ?? "",
      first,
      last,
      output,
    ]),
    [
      ["depthwise", "w1", 0, 1, "bias", true, false, "depthwise"],
      ["up", "w2", 1, 0, "", false, false, "up"],
      ["g1", "w3", 0, 1, "", false, false, "g1"],
      ["g2", "w4", 1, 0, "", false, false, "g2"],
      ["m", "w5", 1, 0, "", false, true, "shifted"],
    ],
  );
});

Deno.test("integer arithmetic on shapes is not quantized", () => {
  const { builder, x, conv } = network();
  const c1 = conv(x, "c1");
  const shape = builder.op("Shape", [c1]);
  const doubled = builder.op("Add", [shape, shape]);
  const half = builder.op("Div", [doubled, builder.constant(int64s([2, 2, 2, 2]))]);
  builder.output(conv(builder.op("Reshape", [c1, half], {}, { name: "same" }), "c2"));
  assert.deepEqual(summary(builder), {
    points: ["x source", "c1 source", "same repeat as c1", "c2 result"],
    layers: ["c1", "c2"],
    float: [],
  });
});

/** conv → Relu, a residual block, branches joined behind a pooling, and means. */
function everyPlace() {
  const { builder, x, conv } = network();
  const relu = (input: string, name: string) => builder.op("Relu", [input], {}, { name });
  const entry = relu(conv(x, "c1"), "r1");
  const inner = relu(conv(entry, "c2"), "r2");
  const sum = relu(builder.op("Add", [conv(inner, "c3"), entry], {}, { name: "sum" }), "r3");
  const [a, b] = [relu(conv(sum, "c4"), "r4"), relu(conv(sum, "c5"), "r5")];
  const joined = builder.op("Concat", [a, b], { axis: 0 }, { name: "joined" });
  const pool = builder.op("MaxPool", [joined], { kernel_shape: [2, 2] }, { name: "pool" });
  const mean = builder.op("GlobalAveragePool", [conv(pool, "c6")], {}, { name: "mean" });
  const flat = builder.op("Flatten", [mean], {}, { name: "flat" });
  const w = builder.constant(weights(4, 3), "w");
  const scores = builder.op("Gemm", [flat, w], {}, { name: "gemm" });
  builder.output(builder.op("Softmax", [scores], {}, { name: "softmax" }));
  return builder;
}

Deno.test("at layers, only what layers with weights read is quantized", () => {
  const { points, float } = summary(everyPlace(), [], "layers");
  assert.deepEqual(points, [
    "x source",
    "r1 source",
    "r2 source",
    "r3 source",
    "joined source",
    "pool repeat as joined",
    "mean source",
    "flat repeat as mean",
    "gemm result",
  ]);
  assert.deepEqual(float, []);
  const everywhere = summary(everyPlace());
  assert.deepEqual(
    everywhere.points.filter((point) => !points.includes(point)),
    ["c3 source", "r4 source as joined", "r5 source as joined", "c6 source"],
  );
  assert.deepEqual(everywhere.float, ["softmax: operator Softmax has no quantized form"]);
});

Deno.test("at layers, results that stay float reach no point, and calibration sees all that is needed", () => {
  const model = everyPlace().build();
  const { layers, nodes, points } = placeQuantizers(model, { at: "layers" });
  assert.deepEqual(
    layers.map(({ node, output }) => `${node.name} ${output}`),
    [
      "c1 r1",
      "c2 r2",
      "c3 undefined",
      "c4 undefined",
      "c5 undefined",
      "c6 undefined",
      "gemm gemm",
    ],
  );
  assert.deepEqual(nodes.map(({ name }) => name), layers.map(({ node }) => node.name));
  const observed = new Set(observedValues(model));
  assert.ok(points.every(({ group }) => observed.has(group)));
});

testWithSharedData(
  "SqueezeNet: one scale for each Fire module's expansion",
  "models/squeezenet1.1.onnx",
  async (path) => {
    const model = await readModel(path);
    const { layers, points, float } = placeQuantizers(model);
    assert.equal(layers.length, 26);
    assert.deepEqual(float, []);
    assert.equal(points.filter(({ role }) => role === "source").length, 35);
    // 26 Relus and the input, less 8 × 2 that share with their Concat, plus 8 Concats and the mean at the end.
    assert.equal(observedValues(model).length, 26 + 1 - 16 + 8 + 1);
  },
);
