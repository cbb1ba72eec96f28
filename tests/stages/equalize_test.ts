import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { largestDifference } from "../../src/engine/compare.ts";
import { float } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { foldedStatistics, setFoldedStatistics } from "../../src/quant/distributions/batch_norm.ts";
import { channelLayer } from "../../src/quant/layer_channels.ts";
import { findLinks } from "../../src/quant/equalization/links.ts";
import { placeQuantizers } from "../../src/quant/placement.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { type Parameters, parameters } from "../../src/stages/equalize/ports.ts";
import { equalizeModel, run } from "../../src/stages/equalize/run.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { testWithSharedData } from "../shared_data.ts";
import { artifact, context } from "./stage_fixture.ts";

const EXACT = {
  clips: "per-channel",
  factors: "any",
  absorb_biases: false,
  spread: Infinity,
  sweeps: 200,
} as const;
const PREPARE = {
  shape: {},
  batch: "keep",
  opset: 21,
  fold_batch_norm: true,
  fold_arithmetic: true,
  fold_constants: true,
} as const;

/** Builds networks whose channels differ by orders of magnitude. */
class Network {
  readonly builder = new GraphBuilder();
  readonly #random = Random.from(11, "equalize");

  #uneven(dims: number[], channelSize: number) {
    const factor: number[] = [];
    return this.builder.constant(float32(
      dims,
      Array.from({ length: elementCount(dims) }, (_, index) => {
        const channel = Math.floor(index / channelSize);
        factor[channel] ??= 10 ** (3 * this.#random.uniform() - 1.5);
        return factor[channel]! * this.#random.normal();
      }),
    ));
  }

  conv(name: string, input: string, dims: number[], attributes = {}): string {
    const weights = this.#uneven(dims, elementCount(dims.slice(1)));
    const bias = this.#uneven([dims[0]!], 1);
    return this.builder.op("Conv", [input, weights, bias], attributes, { name });
  }

  gemm(name: string, input: string, dims: number[], attributes = {}): string {
    const weights = this.#uneven(dims, dims[1]!);
    return this.builder.op("Gemm", [input, weights], attributes, { name });
  }

  op(name: string, opType: string, inputs: string[], attributes = {}): string {
    return this.builder.op(opType, inputs, attributes, { name });
  }
}

/** Every kind of link: Relu, a depthwise layer, Clip, branches, LeakyRelu, pooling, Flatten, both forms of Gemm. */
function everything(): Network {
  const net = new Network();
  const { builder } = net;
  const x = builder.input("x", "float32", ["N", 3, 8, 8]);
  const clip = (name: string, input: string) =>
    net.op(name, "Clip", [input, builder.constant(0), builder.constant(6)]);
  const a = net.op("a_relu", "Relu", [net.conv("a", x, [6, 3, 1, 1])]);
  const pads = [1, 1, 1, 1];
  const b = clip("b_clip", net.conv("b", a, [6, 1, 3, 3], { group: 6, pads }));
  const c = net.conv("c", b, [4, 6, 1, 1]);
  const d = net.op("d_relu", "LeakyRelu", [net.conv("d", c, [8, 2, 3, 3], { group: 2, pads })], {
    alpha: float(0.1),
  });
  const sum = net.op("sum", "Add", [net.conv("e", d, [4, 8, 1, 1]), c]);
  const f = net.op("f_relu", "Relu", [net.conv("f", sum, [5, 4, 1, 1])]);
  const joined = net.op("joined", "Concat", [
    net.conv("g", f, [3, 5, 1, 1]),
    net.conv("h", f, [3, 5, 3, 3], { pads }),
  ], { axis: 1 });
  const i = net.op("i_clip", "Clip", [
    net.conv("i", joined, [4, 6, 1, 1]),
    builder.constant(-1),
    builder.constant(2),
  ]);
  const pooled = net.op("pooled", "AveragePool", [i], { kernel_shape: [4, 4], strides: [4, 4] });
  const flat = net.op("flat", "Flatten", [pooled], { axis: 1 });
  const j = net.op("j_relu", "Relu", [net.gemm("j", flat, [16, 7])]);
  builder.output(net.gemm("k", j, [3, 7], { transB: 1 }), "float32", ["N", 3]);
  return net;
}

const prepared = async (network: Network) =>
  (await prepareModel(network.builder.build(), PREPARE)).model;

function layer(model: Model, name: string) {
  return channelLayer(model.graph, model.graph.nodes.find((node) => node.name === name)!)!;
}

/** Greatest |w| of each output or input channel, by looking at every weight. */
function ranges(model: Model, name: string, side: "outputAt" | "inputAt"): number[] {
  const found: number[] = [];
  const each = layer(model, name);
  each.weights.data.forEach((weight, index) => {
    const channel = each[side](index);
    found[channel] = Math.max(found[channel] ?? 0, Math.abs(weight));
  });
  return found;
}

function assertClose(actual: readonly number[], expected: readonly number[], tolerance: number) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, index) =>
    assert.ok(
      Math.abs(value / expected[index]! - 1) < tolerance,
      `${value} is not ${expected[index]}`,
    )
  );
}

Deno.test("equalized networks compute the same", async () => {
  const model = await prepared(everything());
  const { model: equalized, equalization, clips } = equalizeModel(model, EXACT);
  assert.deepEqual(
    [...equalization.factors.keys()].map(({ first, seconds }) =>
      `${first.node.name}: ${seconds.map(({ layer }) => layer.node.name)}`
    ),
    ["a: b", "b: c", "d: e", "f: g,h", "i: j", "j: k"],
  );
  assert.equal(clips, 2);
  assert.ok(await largestDifference(model, equalized, 0) < 2e-6);
  // The given model stays as it was.
  assert.ok(model.graph.nodes.some(({ opType }) => opType === "Clip"));
});

Deno.test("factors that are powers of two change no bit", async () => {
  const model = await prepared(everything());
  const { model: equalized } = equalizeModel(model, { ...EXACT, factors: "power-of-two" });
  assert.notDeepEqual(layer(equalized, "a").weights, layer(model, "a").weights);
  assert.equal(await largestDifference(model, equalized, 0), 0);
});

Deno.test("both layers of a pair have equal ranges, those of branches together", async () => {
  const model = await prepared(everything());
  const { model: equalized } = equalizeModel(model, EXACT);
  const pair = (first: string, second: string) =>
    assertClose(ranges(equalized, first, "outputAt"), ranges(equalized, second, "inputAt"), 1e-2);
  pair("d", "e");
  pair("j", "k");
  const [g, h] = ["g", "h"].map((name) => ranges(equalized, name, "inputAt"));
  assertClose(
    ranges(equalized, "f", "outputAt"),
    g!.map((range, channel) => Math.max(range, h![channel]!)),
    1e-2,
  );
});

Deno.test("a depthwise layer between two others has the cube root of all three ranges, as they have", () => {
  const net = new Network();
  const x = net.builder.input("x", "float32", ["N", 3, 8, 8]);
  const a = net.op("a_relu", "Relu", [net.conv("a", x, [6, 3, 1, 1])]);
  const b = net.op("b_relu", "Relu", [net.conv("b", a, [6, 1, 3, 3], { group: 6 })]);
  net.builder.output(net.conv("c", b, [4, 6, 1, 1]));
  const model = net.builder.build();
  const { model: equalized } = equalizeModel(model, EXACT);
  const sides = [["a", "outputAt"], ["b", "outputAt"], ["c", "inputAt"]] as const;
  const [r1, r2, r3] = sides.map(([name, side]) => ranges(model, name, side));
  const roots = r1!.map((range, channel) => Math.cbrt(range * r2![channel]! * r3![channel]!));
  for (const [name, side] of sides) assertClose(ranges(equalized, name, side), roots, 2e-3);
});

Deno.test("a channel without weights in the first layer takes no part of the second's grid", async () => {
  const net = new Network();
  const x = net.builder.input("x", "float32", ["N", 3, 4, 4]);
  const a = net.op("a_relu", "Relu", [net.conv("a", x, [5, 3, 1, 1])]);
  net.builder.output(net.conv("b", a, [4, 5, 1, 1]), "float32", ["N", 4, 4, 4]);
  const model = await prepared(net);
  // Channel 2 is nothing but its bias, and what reads it is huge.
  const scaled = (name: string, isDead: (index: number) => boolean, factor: number) => {
    const { node, weights } = layer(model, name);
    const values = weights.data.map((value, index) => isDead(index) ? factor * value : value);
    model.graph.initializers.set(node.inputs[1]!, float32(weights.dims, values));
  };
  scaled("a", (index) => Math.floor(index / 3) === 2, 0);
  scaled("b", (index) => index % 5 === 2, 1e6);
  const { model: equalized } = equalizeModel(model, EXACT);
  const [dead, ...others] = [2, 0, 1, 3, 4].map((channel) =>
    ranges(equalized, "b", "inputAt")[channel]!
  );
  assert.ok(dead! <= Math.max(...others));
  assert.ok(await largestDifference(model, equalized, 0) < 1e-5);
});

Deno.test("channels with small weights do not make activations wider than they may be", async () => {
  const model = await prepared(everything());
  for (const spread of [1, 2, Infinity]) {
    const { equalization } = equalizeModel(model, { ...EXACT, spread });
    for (const [link, factors] of equalization.factors) {
      if (link.clips.length === 0) continue;
      const widths = [...factors].map((factor) => 1 / factor).sort((a, b) => a - b);
      const median = widths[Math.floor((widths.length - 1) / 2)]!;
      const isWider = widths.at(-1)! > 2.02 * median;
      if (spread <= 2) assert.ok(!isWider);
      else assert.ok(isWider);
    }
  }
});

Deno.test("without its upper bound a Clip is a Relu, and is said to be another function", async () => {
  const model = await prepared(everything());
  const listening = context();
  const { outputs, metrics } = await run(
    fillDefaults(parameters as unknown as Schema, { clips: "relu" }) as Parameters,
    { model: artifact("model", model, "prepare.model") },
    listening,
  );
  assert.ok(!(outputs.model as Model).graph.nodes.some(({ opType }) => /Clip|Min/.test(opType)));
  assert.equal(metrics!.clips_replaced, 2);
  assert.ok(metrics!.max_relative_difference! > 1e-3);
  assert.match(listening.warnings[0]!, /2 Clip nodes lost their upper bound: outputs .* differ by/);
});

Deno.test("layers with a Clip between them can be left alone", async () => {
  const model = await prepared(everything());
  const { equalization, clips } = equalizeModel(model, { ...EXACT, clips: "keep" });
  assert.equal(clips, 0);
  assert.deepEqual(
    [...equalization.factors.keys()].map(({ first }) => first.node.name),
    ["a", "d", "f", "j"],
  );
});

Deno.test("bounds for each channel are quantized behind, like the Clip they were", async () => {
  const { model } = equalizeModel(await prepared(everything()), EXACT);
  const { layers, points, float: left } = placeQuantizers(model);
  assert.deepEqual(left, []);
  assert.equal(layers.find(({ node }) => node.name === "b")!.output, "b_clip");
  assert.ok(!points.some(({ value }) => value.startsWith("b_clip.")));
});

Deno.test("statistics of batch normalization are scaled with their channels", async () => {
  const model = await prepared(everything());
  const given = { mean: Float64Array.of(1, 2, 3, 4, 5, 6), deviation: new Float64Array(6).fill(2) };
  setFoldedStatistics(model, new Map([["a", given]]));
  const { model: equalized, equalization } = equalizeModel(model, EXACT);
  const [factors] = equalization.factors.values();
  const { mean, deviation } = foldedStatistics(equalized).get("a")!;
  assertClose([...mean], [...given.mean].map((value, channel) => value / factors![channel]!), 1e-6);
  assertClose([...deviation], [...factors!].map((factor) => 2 / factor), 1e-6);
});

/** A pair of unpadded layers, the first with statistics. */
async function highBiases(): Promise<Model> {
  const net = new Network();
  const x = net.builder.input("x", "float32", ["N", 3, 8, 8]);
  const a = net.op("a_relu", "Relu", [net.conv("a", x, [4, 3, 1, 1])]);
  net.builder.output(net.conv("b", a, [5, 4, 3, 3]), "float32", ["N", 5, 6, 6]);
  const model = await prepared(net);
  const statistics = {
    mean: Float64Array.of(900, 1, 0, 500),
    deviation: Float64Array.of(1, 1, 1, 100),
  };
  setFoldedStatistics(model, new Map([["a", statistics]]));
  // Biases as high as the statistics say, so that Relu does nothing to channels 0 and 3.
  const bias = model.graph.nodes[0]!.inputs[2]!;
  model.graph.initializers.set(bias, float32([4], [900, 1, 0, 500]));
  return model;
}

Deno.test("high biases move into the layer behind where nearly nothing is below them", async () => {
  const model = await highBiases();
  const { equalized, model: absorbed, absorption } = equalizeModel(model, {
    ...EXACT,
    absorb_biases: true,
  });
  assert.equal(absorption!.channels, 2);
  const [before, after] = [equalized, absorbed].map((each) =>
    each.graph.initializers.get(each.graph.nodes[0]!.inputs[2]!)!.data as Float32Array
  );
  const known = foldedStatistics(equalized).get("a")!;
  [0, 3].forEach((channel) => {
    const expected = known.mean[channel]! - 3 * known.deviation[channel]!;
    assert.ok(Math.abs((before![channel]! - after![channel]!) / expected - 1) < 1e-5);
  });
  assert.deepEqual([before![1], before![2]], [after![1], after![2]]);
  // On normal input no pre-activation of those channels is below zero either way.
  assert.ok(await largestDifference(equalized, absorbed, 0) < 1e-4);
});

Deno.test("what cannot absorb a bias says why", async () => {
  const model = await prepared(everything());
  const statistics = { mean: new Float64Array(6).fill(9), deviation: new Float64Array(6) };
  setFoldedStatistics(model, new Map([["a", statistics]]));
  const { absorption } = equalizeModel(model, { ...EXACT, absorb_biases: true });
  assert.equal(absorption!.channels, 0);
  assert.match(absorption!.skipped.get("a")!, /pads with zeros/);
  assert.match(absorption!.skipped.get("f")!, /nothing is known/);
});

Deno.test("a model that is not prepared, or has nothing to equalize, is told so", async () => {
  const builder = new GraphBuilder();
  const norm = builder.op("BatchNormalization", [
    builder.input("x", "float32", ["N", 2, 4, 4]),
    ...[1, 0, 0, 1].map((value) => builder.constant(float32([2], [value, value]))),
  ]);
  builder.output(norm, "float32", ["N", 2, 4, 4]);
  const listening = context();
  await run(
    fillDefaults(parameters as unknown as Schema, {}) as Parameters,
    { model: artifact("model", builder.build(), "inputs.model") },
    listening,
  );
  assert.match(listening.warnings[0]!, /1 batch normalizations of "inputs.model" are not folded/);
  assert.match(listening.warnings[1]!, /No two layers of "inputs.model" could be equalized/);
});

for (
  const name of [
    "cifar10_resnet20",
    "cifar10_resnet32",
    "squeezenet1.1",
    "mobilenet_v1_0.25_128_dequantized",
    "har_mlp",
    "super_resolution",
  ]
) {
  testWithSharedData(
    `equalizing ${name} keeps its outputs`,
    `models/${name}.onnx`,
    async (path) => {
      const { model } = await prepareModel(await readModel(path), PREPARE);
      const { model: equalized, equalization } = equalizeModel(model, { ...EXACT, sweeps: 20 });
      assert.ok(equalization.factors.size > 0);
      assert.ok(await largestDifference(model, equalized, 0) < 1e-4);
    },
  );
}

Deno.test("a product along the last dimension does not read channels", () => {
  const net = new Network();
  const x = net.builder.input("x", "float32", ["N", 3, 4, 4]);
  const a = net.op("a_relu", "Relu", [net.conv("a", x, [4, 3, 1, 1])]);
  const weights = net.builder.constant(float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
  net.builder.output(net.op("b", "MatMul", [a, weights]));
  assert.deepEqual(findLinks(net.builder.build().graph, true), []);
});
