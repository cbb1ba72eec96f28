import assert from "node:assert/strict";
import { loadRuntime } from "../../src/engine/runtime.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { decodeModel, readModel } from "../../src/onnx/read.ts";
import type { Model, Node } from "../../src/onnx/model.ts";
import { float32, tensor } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { dequantize, fakeQuantize, grid, tensorParameters } from "../../src/quant/grid.ts";
import { placeQuantizers } from "../../src/quant/placement.ts";
import { quantizeActivation, readQuantization } from "../../src/quant/qdq.ts";
import { applyQuantization } from "../../src/quant/apply.ts";
import { readLayers } from "../../src/quant/layer_readings.ts";
import { productsCanSaturate } from "../../src/quant/saturation.ts";
import { weightSize } from "../../src/quant/weight_size.ts";
import { networkInput, quantizeMinMax, smallNetwork } from "./small_network.ts";

/** The operators that ONNX Runtime executes with its default options. */
async function executedOperators(model: Model): Promise<Map<string, number>> {
  const { InferenceSession } = await loadRuntime();
  const path = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    const session = await InferenceSession.create(encodeModel(model), {
      optimizedModelFilePath: path,
      graphOptimizationLevel: "extended",
      logSeverityLevel: 4,
    });
    await session.release();
    const counts = new Map<string, number>();
    for (const { opType } of (await readModel(path)).graph.nodes) {
      counts.set(opType, (counts.get(opType) ?? 0) + 1);
    }
    return counts;
  } finally {
    await Deno.remove(path);
  }
}

for (const encoding of ["native", "container"] as const) {
  Deno.test(`ONNX Runtime computes an 8-bit ${encoding} model in integers`, async () => {
    const model = await quantizeMinMax(smallNetwork(), {
      weightBits: 8,
      activationBits: 8,
      granularity: "channel",
      encoding,
    });
    const counts = Object.fromEntries(await executedOperators(model));
    // ConvTranspose and ReduceMean have no integer kernel; the last MatMul gives float to the Softmax.
    assert.deepEqual(counts, {
      QuantizeLinear: 3,
      QLinearConv: 6,
      QLinearAdd: 1,
      MaxPool: 1,
      QLinearConcat: 1,
      DequantizeLinear: 4,
      ConvTranspose: 1,
      QLinearAveragePool: 1,
      QLinearLeakyRelu: 1,
      Reshape: 1,
      ReduceMean: 1,
      QGemm: 1,
      QLinearSigmoid: 1,
      QLinearMul: 1,
      MatMulIntegerToFloat: 1,
      Softmax: 1,
    });
  });
}

Deno.test("containers of 4 bits are computed in integers too", async () => {
  const model = await quantizeMinMax(smallNetwork(), {
    weightBits: 4,
    activationBits: 4,
    granularity: "channel",
    encoding: "container",
  });
  const counts = await executedOperators(model);
  assert.equal(counts.get("QLinearConv"), 6);
  assert.equal(counts.get("Conv"), undefined);
});

Deno.test("what was written is read back, also from the file", async () => {
  const float = smallNetwork();
  for (const encoding of ["native", "container"] as const) {
    for (const granularity of ["tensor", "channel", "group"] as const) {
      for (
        const [weightBits, activationBits] of [[8, 8], [5, 6], [4, 4], [3, 3], [2, 2]] as const
      ) {
        const model = await quantizeMinMax(float, {
          weightBits,
          activationBits,
          granularity,
          encoding,
          symmetricWeights: weightBits !== 5,
          symmetricActivations: activationBits === 6,
        });
        const read = readQuantization(decodeModel(encodeModel(model)));
        assert.equal(read.weights.length, 9);
        assert.equal(read.floatWeights.length, 0);
        assert.equal(read.biases.length, granularity === "group" ? 0 : 7);
        for (const weight of read.weights) {
          assert.equal(weight.bits, weightBits);
          const { grid } = weight.parameters;
          const values = Array.from(weight.values);
          assert.ok(Math.min(...values) >= -(2 ** (weightBits - 1)));
          assert.ok(Math.max(...values) <= 2 ** (weightBits - 1) - 1);
          if (weightBits !== 5) assert.equal(grid.symmetric, true);
          const blocked = granularity === "group" && weight.parameters.blockSize !== undefined;
          assert.equal(blocked, granularity === "group");
          dequantize(weight.values, weight.dims, weight.parameters);
        }
        const placed = placeQuantizers(float).points.filter(({ role }) => role !== "result");
        const packed = encoding === "native" && (activationBits === 4 || activationBits === 2);
        const expected = placed.filter(({ role }) => role === "source" || !packed);
        assert.deepEqual(
          new Set(read.activations.map(({ value }) => value)),
          new Set(expected.map(({ value }) => value)),
        );
        const sources = new Set(
          placed.filter(({ role }) => role === "source").map(({ value }) => value),
        );
        for (const { value, bits } of read.activations) {
          if (sources.has(value)) assert.equal(bits, activationBits);
        }
      }
    }
  }
});

Deno.test("sizes count every width densely, with scales and zero points", async () => {
  const float = smallNetwork();
  const counts = { weights: 0, channels: 0 };
  for (const { weight, axes } of placeQuantizers(float).layers) {
    const { dims } = float.graph.initializers.get(weight)!;
    counts.weights += dims.reduce((a, b) => a * b);
    counts.channels += dims[axes.channel]!;
  }
  assert.deepEqual(weightSize(float), {
    count: counts.weights,
    bits: 32,
    bytes: 4 * counts.weights,
  });
  const size = async (weightBits: number, symmetricWeights: boolean) =>
    weightSize(
      await quantizeMinMax(float, {
        weightBits,
        activationBits: "none",
        granularity: "channel",
        encoding: "container",
        symmetricWeights,
      }),
    );
  // All weight tensors and channel counts here are multiples of 4.
  assert.deepEqual(await size(3, true), {
    count: counts.weights,
    bits: 3,
    bytes: 3 * counts.weights / 8 + 4 * counts.channels,
  });
  const asymmetric = await size(8, false);
  assert.equal(asymmetric.bytes, counts.weights + 5 * counts.channels);
});

Deno.test("quantized weights and activations are what the runtime computes with", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 3]);
  const weights = float32([3, 2], [0.5, -1.2, 0.25, 0.7, -0.125, 0.31]);
  builder.output(builder.op("MatMul", [x, builder.constant(weights, "w")], {}, { name: "y" }));
  const model = builder.build();
  const placement = placeQuantizers(model);
  const weightParameters = {
    scale: Float32Array.of(0.1, 0.3),
    zeroPoint: Int32Array.of(0, 0),
    grid: grid(4, { symmetric: true }),
    axis: 1,
  };
  const input = tensorParameters({ scale: 0.05, zeroPoint: 3 }, grid(6));
  applyQuantization(model, placement, {
    encoding: "native",
    integerBias: true,
    activations: new Map([["x", input]]),
    weights: new Map([[placement.layers[0]!, {
      values: [5, -4, 2, 2, -1, 1],
      dims: [3, 2],
      parameters: weightParameters,
      bits: 4,
    }]]),
  });
  await using session = await openSession(model);
  const values = Float32Array.of(0.512, -3, 1.99, 9, 0.074, -0.026);
  const { y } = await session.run({ x: float32([2, 3], values) });
  const rounded = fakeQuantize(values, [6], input);
  const known = dequantize([5, -4, 2, 2, -1, 1], [3, 2], weightParameters);
  for (let row = 0; row < 2; row++) {
    for (let column = 0; column < 2; column++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += rounded[3 * row + k]! * known[2 * k + column]!;
      const actual = (y!.data as Float32Array)[2 * row + column]!;
      assert.ok(Math.abs(actual - sum) < 1e-6, `${actual} instead of ${sum}`);
    }
  }
});

Deno.test("a symmetric grid gives the same values however it is stored", async () => {
  for (const bits of [2, 3, 4, 8, 16]) {
    for (const encoding of ["native", "container"] as const) {
      const builder = new GraphBuilder();
      const x = builder.input("x", "float32", [64]);
      builder.output(builder.op("Relu", [x], {}, { name: "y" }));
      const model = builder.build({ opset: 25, ir: 13 });
      const parameters = tensorParameters(
        { scale: 0.3, zeroPoint: 0 },
        grid(bits, { symmetric: true }),
      );
      quantizeActivation(model.graph, "x", parameters, { encoding });
      await using session = await openSession(model);
      const values = Float32Array.from({ length: 64 }, (_, index) => (index - 32) / 7);
      const { y } = await session.run({ x: float32([64], values) });
      const expected = fakeQuantize(values, [64], parameters).map((value) => Math.max(value, 0));
      assert.deepEqual(y!.data, expected);
    }
  }
});

Deno.test("files of other tools are read without any of our marks", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const half = builder.constant(0.5);
  const quantized = builder.op("QuantizeLinear", [x, half], {}, { name: "q" });
  const back = builder.op("DequantizeLinear", [quantized, half], {}, { name: "dq" });
  const integers = builder.constant(tensor("int8", [3, 4], new Int8Array(12).fill(7)), "w");
  const weights = builder.op("DequantizeLinear", [
    integers,
    builder.constant(float32([3], [0.1, 0.2, 0.3])),
  ], { axis: 0 });
  const turned = builder.op("Transpose", [weights], { perm: [1, 0] });
  builder.output(builder.op("MatMul", [back, turned], {}, { name: "y" }));
  const { activations, weights: [weight] } = readQuantization(builder.build());
  assert.equal(weight!.constant, "w");
  assert.equal(weight!.bits, 8);
  assert.deepEqual(weight!.parameters, {
    scale: Float32Array.of(0.1, 0.2, 0.3),
    zeroPoint: new Int32Array(3),
    grid: { bits: 8, signed: true, symmetric: true, qmin: -128, qmax: 127 },
    axis: 0,
  });
  assert.equal(activations.length, 1);
  assert.equal(activations[0]!.value, "x");
  assert.equal(activations[0]!.result, "dq");
  assert.deepEqual(activations[0]!.parameters?.grid, grid(8));
});

Deno.test("dynamic activations are read as such", async () => {
  const model = await quantizeMinMax(smallNetwork(), {
    weightBits: 8,
    activationBits: "dynamic",
    granularity: "channel",
    encoding: "native",
  });
  const { activations } = readQuantization(model);
  assert.equal(activations.length, 8);
  assert.ok(activations.every(({ parameters, bits }) => parameters === undefined && bits === 8));
  await using session = await openSession(model);
  const { y } = await session.run({ x: networkInput() });
  assert.equal(y!.dims.join(), "2,12");
});

Deno.test("a bias that does not fit into 32 bits stays float", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 2]);
  const weights = builder.constant(float32([2, 1], [1e-6, 2e-6]), "w");
  const bias = builder.constant(float32([1], [100]), "b");
  builder.output(builder.op("Gemm", [x, weights, bias], {}, { name: "y" }));
  const model = builder.build();
  const placement = placeQuantizers(model);
  const [layer] = placement.layers;
  const { floatBiases } = applyQuantization(model, placement, {
    encoding: "native",
    integerBias: true,
    activations: new Map([["x", tensorParameters({ scale: 1e-3, zeroPoint: 0 }, grid(8))]]),
    weights: new Map([[layer!, {
      values: [64, 127],
      dims: [2, 1],
      parameters: tensorParameters({ scale: 1.6e-8, zeroPoint: 0 }, grid(8, { symmetric: true })),
      bits: 8,
    }]]),
  });
  assert.deepEqual(floatBiases, [layer]);
  assert.deepEqual(model.graph.initializers.get("b"), float32([1], [100]));
});

/** The same model with all of its initializers as `Constant` nodes. */
function withConstantNodes({ graph, ...rest }: Model): Model {
  const constants = [...graph.initializers].map(([name, value]): Node => ({
    name,
    domain: "",
    opType: "Constant",
    inputs: [],
    outputs: [name],
    attributes: new Map([["value", { kind: "tensor", value }]]),
  }));
  return {
    ...rest,
    graph: { ...graph, initializers: new Map(), nodes: [...constants, ...graph.nodes] },
  };
}

Deno.test("weights in Constant nodes, and those that are cast, are measured like others", async () => {
  const float = smallNetwork();
  const quantized = await quantizeMinMax(float, {
    weightBits: 8,
    activationBits: 8,
    granularity: "channel",
    encoding: "native",
    symmetricWeights: true,
  });
  for (const model of [float, quantized]) {
    const other = withConstantNodes(model);
    assert.deepEqual(weightSize(other), weightSize(model));
    assert.deepEqual(readLayers(other), readLayers(model));
    assert.equal(productsCanSaturate(other), productsCanSaturate(model));
    assert.equal(other.graph.initializers.size, 0, "it is not changed");
  }
  assert.ok(productsCanSaturate(quantized));

  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const half = builder.constant(tensor("float16", [4, 3], new Uint16Array(12).fill(0x3800)), "w");
  const cast = builder.op("Cast", [half], { to: 1 });
  builder.output(builder.op("MatMul", [x, cast]));
  assert.deepEqual(weightSize(builder.build()), { count: 12, bits: 16, bytes: 24 });
});
