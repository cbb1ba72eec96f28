import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { runWithIntermediates } from "../../src/engine/intermediates.ts";
import { loadRuntime } from "../../src/engine/runtime.ts";
import { openSession } from "../../src/engine/session.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { histogramOf } from "../../src/quant/histogram.ts";
import { observedValues } from "../../src/quant/placement.ts";
import { readQuantization } from "../../src/quant/qdq.ts";
import type { Ranges, TensorStatistics } from "../../src/quant/ranges.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { quantize } from "../../src/stages/quantize/mod.ts";
import { type Parameters, parameters } from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import { networkInput, smallNetwork } from "../quant/small_network.ts";

const network = smallNetwork();
const ranges = await calibrated(network);

async function calibrated(model: Model): Promise<Ranges> {
  const tensors: Record<string, TensorStatistics> = {};
  const feeds = [1, 2, 3, 4].map((seed) => ({ x: networkInput(seed) }));
  const seen: Record<string, number[]> = {};
  await runWithIntermediates(model, observedValues(model), () => feeds, (values) => {
    for (const [name, { data }] of Object.entries(values)) {
      (seen[name] ??= []).push(...data as Float32Array);
    }
  });
  for (const [name, values] of Object.entries(seen)) {
    tensors[name] = {
      min: values.reduce((a, b) => Math.min(a, b)),
      max: values.reduce((a, b) => Math.max(a, b)),
      count: values.length,
      histogram: histogramOf(values, 2048),
    };
  }
  return { version: 1, method: "mse", settings: {}, tensors };
}

function complete(given: JsonValue): Parameters {
  return fillDefaults(parameters as unknown as Schema, given) as Parameters;
}

function quantized(given: JsonValue, statistics: Ranges | "none" = ranges, model = network) {
  const warnings: string[] = [];
  const { outputs, metrics } = quantizeModel(
    model,
    statistics === "none" ? undefined : statistics,
    complete(given),
    {
      seed: 0,
      signal: new AbortController().signal,
      warn: (message) => warnings.push(message),
    },
  );
  return { model: outputs.model, metrics, warnings };
}

async function outputOf(model: Model): Promise<Float32Array> {
  await using session = await openSession(model);
  return (await session.run({ x: networkInput(3) })).y!.data as Float32Array;
}

/** Signal to noise of the network's output, in decibel. */
async function fidelity(model: Model): Promise<number> {
  const [exact, actual] = [await outputOf(network), await outputOf(model)];
  let signal = 0;
  let noise = 0;
  exact.forEach((value, index) => {
    signal += value ** 2;
    noise += (value - actual[index]!) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

function widths(model: Model) {
  const { weights, activations } = readQuantization(model);
  return {
    weights: Object.fromEntries(weights.map(({ node, bits }) => [node.name, bits])),
    activations: Object.fromEntries(activations.map(({ value, bits }) => [value, bits])),
  };
}

function problemsOf(given: JsonValue, statistics: Ranges | "none" = ranges, model = network) {
  try {
    quantized(given, statistics, model);
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
  return [];
}

Deno.test("8 bits unless told, near the float model; less with fewer bits", async () => {
  const eight = quantized({});
  assert.equal(eight.metrics.bits, 8);
  assert.equal(eight.metrics.quantized_nodes, 16);
  assert.deepEqual(eight.warnings, [
    'Node "y" stays in float: operator Softmax has no quantized form',
  ]);
  assert.ok(await fidelity(eight.model) > 35);
  const fidelities = [];
  for (const bits of [8, 6, 4, 3]) {
    const { model, metrics } = quantized({ weights: { bits }, activations: { bits } });
    assert.equal(metrics.bits, bits);
    fidelities.push(await fidelity(model));
  }
  assert.deepEqual([...fidelities].sort((a, b) => b - a), fidelities);
  const sixteen = quantized({ weights: { bits: 16 }, activations: { bits: 16 } });
  assert.ok(await fidelity(sixteen.model) > 70);
});

Deno.test("finer scales are nearer to the weights", () => {
  const errors = ["tensor", "channel", "group"].map((granularity) =>
    quantized({ weights: { bits: 4, granularity, block_size: 8 } }).metrics.weight_sqnr!
  );
  assert.ok(errors[0]! < errors[1]! && errors[1]! < errors[2]!, String(errors));
  const [minmax, mse] = ["minmax", "mse"].map((range) =>
    quantized({ weights: { bits: 3, range } }).metrics.weight_sqnr!
  );
  assert.ok(minmax! < mse!);
  const [nearest, stochastic] = ["nearest", "stochastic"].map((rounding) =>
    quantized({ weights: { bits: 4, rounding } }).metrics.weight_sqnr!
  );
  assert.ok(stochastic! < nearest!);
});

Deno.test("binary, ternary and codebook weights", async () => {
  const { InferenceSession } = await loadRuntime();
  for (const encoding of ["native", "container"]) {
    for (const mode of encoding === "native" ? ["none", "static", "dynamic"] : ["static"]) {
      const make = (weights: JsonValue) =>
        quantized({ weights, encoding, activations: { mode, range: "minmax" } });
      const models = {
        binary: make({ bits: 1 }),
        grouped: make({ bits: 1, granularity: "group", block_size: 8 }),
        ternary: make({ bits: "ternary" }),
        two: make({ bits: 2, mapping: "codebook" }),
        four: make({ bits: 4, mapping: "codebook" }),
        eight: make({ bits: 8, mapping: "codebook" }),
      };
      const bits = Object.values(models).map(({ metrics }) => metrics.bits);
      assert.deepEqual(bits, [1, 1, 2, 2, 4, 8]);
      const { binary, grouped, ternary, four, eight } = models;
      assert.ok(grouped.metrics.weight_sqnr! > binary.metrics.weight_sqnr!);
      assert.ok(ternary.metrics.weight_sqnr! > binary.metrics.weight_sqnr!);
      assert.ok(await fidelity(four.model) > 12);
      assert.ok(await fidelity(eight.model) > 35);
      for (const { values } of readQuantization(binary.model).weights) {
        assert.deepEqual(new Set(values as Int32Array), new Set([-1, 1]));
      }
      assert.equal(readQuantization(four.model).codebooks.length, 9);
      for (const [name, { model }] of Object.entries(models)) {
        const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
        await session.release();
        assert.ok(Number.isFinite(await fidelity(model)), name);
      }
    }
  }
  const uniform = quantized({ weights: { bits: 4, granularity: "tensor" } });
  const codebook = quantized({ weights: { bits: 4, mapping: "codebook" } });
  assert.ok(codebook.metrics.weight_sqnr! > uniform.metrics.weight_sqnr!);
});

Deno.test("ONNX Runtime leaves float weights alone between quantized activations", async () => {
  const { InferenceSession, Tensor } = await loadRuntime();
  const layers = [
    "stem",
    "depthwise",
    "project",
    "left",
    "right",
    "up",
    "conv1d",
    "hidden",
    "logits",
  ];
  for (
    const given of [
      { weights: { bits: 4, mapping: "codebook" } },
      {
        weights: { bits: 16 },
        overrides: layers.slice(1, 8).map((match) => ({ match, skip: true })),
      },
    ]
  ) {
    const { model } = quantized({ ...given, activations: { range: "minmax" } });
    const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
    const input = networkInput(3);
    const { y } = await session.run({ x: new Tensor("float32", input.data, input.dims) });
    await session.release();
    const simulated = await outputOf(model);
    (y!.data as Float32Array).forEach((value, index) =>
      assert.ok(Math.abs(value - simulated[index]!) < 1e-6)
    );
  }
});

Deno.test("the same seed gives the same bytes", () => {
  const given = { weights: { bits: 4, rounding: "stochastic" } };
  const [first, second] = [quantized(given), quantized(given)].map(({ model }) =>
    encodeModel(model)
  );
  assert.deepEqual(first, second);
});

Deno.test("weights of ranges from another model are missing, and it is said which", () => {
  const { sum_relu, ...others } = ranges.tensors;
  assert.ok(sum_relu);
  assert.deepEqual(problemsOf({}, { ...ranges, tensors: others }), [{
    message: 'The ranges hold no statistics of activation "sum_relu"',
    hint:
      "Calibrate the same model that is quantized, and name the nodes that are skipped there too: " +
      "exclude: [NODE]",
  }]);
  const bare = Object.fromEntries(
    Object.entries(ranges.tensors).map((
      [name, { min, max, count }],
    ) => [name, { min, max, count }]),
  );
  const problems = problemsOf({}, { ...ranges, tensors: bare });
  assert.equal(problems.length, 6);
  assert.equal(
    problems[0]!.message,
    'Range method "mse" needs a histogram, which the statistics of "x" lack',
  );
  assert.equal(
    problemsOf({ activations: { range: "minmax" } }, { ...ranges, tensors: bare }).length,
    0,
  );
});

Deno.test("static activations need ranges, others do not", async () => {
  assert.deepEqual(problemsOf({}, "none").map(({ message }) => message), [
    "Static activations need calibrated ranges, and there are none",
  ]);
  for (const mode of ["none", "dynamic"]) {
    const { model, metrics, warnings } = quantized({ activations: { mode } }, "none");
    assert.equal(metrics.quantized_nodes, 9);
    assert.deepEqual(warnings, []);
    assert.ok(await fidelity(model) > 35);
  }
});

Deno.test("a model without a layer to quantize is an error that says why", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4]);
  const weights = builder.input("w", "float32", [4, 4]);
  builder.output(builder.op("Gemm", [x, weights], {}, { name: "layer" }));
  const problems = problemsOf({ activations: { mode: "none" } }, "none", builder.build());
  assert.deepEqual(problems.map(({ message }) => message), [
    "The model has no layer that can be quantized",
    'Node "layer" stays in float: its weights are not constant',
  ]);
});

Deno.test("an output that is also read inside stays float, and is read quantized", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 4, 8, 8]);
  const inner = network.graph.initializers.get("project.weight")!;
  const weights = builder.constant({ ...inner, dims: [16, 4, 1, 1] });
  const a = builder.op("Conv", [x, weights], {}, { name: "a" });
  builder.output(a);
  builder.output(builder.op("GlobalAveragePool", [a], {}, { name: "y" }));
  const float = builder.build();
  const given = { activations: { bits: 2, range: "minmax" } };
  const { model } = quantized(given, await calibrated(float), float);
  assert.deepEqual(model.graph.outputs.map(({ name }) => name), ["a", "y"]);
  await using session = await openSession(model);
  const outputs = await session.run({ x: networkInput(3) });
  const values = new Set(outputs.a!.data as Float32Array);
  assert.ok(values.size > 100, "the first output is not rounded");
  assert.equal(readQuantization(model).activations.map(({ value }) => value).join(), "x,a");
});

Deno.test("first and last layers keep 8 bits", () => {
  const given = { weights: { bits: 2 }, activations: { bits: 4 } };
  const none = widths(quantized(given).model);
  assert.deepEqual([...new Set(Object.values(none.weights))], [2]);
  assert.deepEqual([...new Set(Object.values(none.activations))], [4]);
  const wide = (first_last: string) => {
    const { weights, activations } = widths(quantized({ ...given, first_last }).model);
    const eight = (bits: Record<string, number>) =>
      Object.keys(bits).filter((name) => bits[name] === 8);
    return { weights: eight(weights), activations: eight(activations) };
  };
  assert.deepEqual(wide("brecq"), {
    weights: ["stem", "logits"],
    activations: ["x", "stem_relu", "gate"],
  });
  assert.deepEqual(wide("qdrop"), { weights: ["stem", "logits"], activations: ["x", "gate"] });
});

Deno.test("overrides: later before earlier, the widest where nodes share a value", () => {
  const { weights, activations } = widths(
    quantized({
      weights: { bits: 4 },
      activations: { bits: 4 },
      overrides: [
        { op: "Conv", weights: { bits: 8 } },
        { match: "*eft", weights: { bits: 2 }, activations: { bits: 6 } },
        { match: "right", activations: { bits: 8 } },
        { match: "hidden", skip: true },
      ],
    }).model,
  );
  assert.deepEqual(weights, {
    stem: 8,
    depthwise: 8,
    project: 8,
    left: 2,
    right: 8,
    up: 4,
    conv1d: 8,
    logits: 4,
  });
  assert.equal(activations.sum_relu, 8);
  assert.equal(activations.pool, 8);
  assert.equal(activations.gate, 4);
});

Deno.test("overrides that are for nothing are errors with suggestions", () => {
  assert.deepEqual(
    problemsOf({
      overrides: [
        { match: "stemm", skip: true },
        { op: "Convv", skip: true },
        { match: "nothing*", op: "Gemm", skip: true },
      ],
    }),
    [
      {
        message: 'overrides[0]: no node of the model has a name like "stemm"',
        hint: 'Did you mean "stem"?',
      },
      {
        message: 'overrides[1]: the model has no node with operator "Convv"',
        hint: 'Did you mean "Conv"?',
      },
      {
        message: 'overrides[2]: no Gemm node of the model has a name like "nothing*"',
        hint: 'Known: "hidden"',
      },
    ],
  );
  assert.deepEqual(
    problemsOf({ overrides: [{ op: "Relu", weights: { bits: 4 } }] }).map(({ message }) => message),
    ["overrides[0].weights: none of its nodes has weights that are quantized"],
  );
});

Deno.test("parameters that contradict each other are found before anything runs", () => {
  const messages = (given: JsonValue) =>
    quantize.validate!(complete(given)).map(({ path, message }) => `${path.join(".")}: ${message}`);
  assert.deepEqual(messages({}), []);
  assert.deepEqual(
    messages({
      activations: { mode: "dynamic", bits: 4, at: "layers" },
      overrides: [{}, { op: "Conv" }, { op: "Conv", skip: true, weights: { bits: 4 } }, {
        op: "Conv",
        activations: { bits: 4 },
      }],
    }),
    [
      "activations.bits: Dynamic activations are 8 bits wide: current value is 4",
      "activations.at: Where activations are quantized is chosen only with mode: static: current value is dynamic",
      "overrides.0: An override must say which nodes it is for",
      "overrides.0: An override must say what is different",
      "overrides.1: An override must say what is different",
      "overrides.2: Nodes that are skipped stay in float, so nothing else can be set for them",
      "overrides.3.activations: Activations are set by node only with mode: static: current value is dynamic",
    ],
  );
});

Deno.test("reduced range: 8-bit weights use 7 bits, and nothing saturates", async () => {
  const { model } = quantized({ reduce_range: true });
  for (const { values } of readQuantization(model).weights) {
    assert.ok(Array.from(values).every((value) => value >= -64 && value <= 63));
  }
  await using session = await openSession(model, { arithmetic: "integer" });
  const integer = (await session.run({ x: networkInput(3) })).y!.data as Float32Array;
  const simulated = await outputOf(model);
  integer.forEach((value, index) => assert.ok(Math.abs(value - simulated[index]!) < 0.01));
});

Deno.test("outputs are quantized when asked for", () => {
  const inner = { ...network, graph: { ...network.graph } };
  inner.graph.outputs = [{ name: "logits", type: "float32", dims: ["N", 12] }];
  inner.graph.nodes = network.graph.nodes.filter(({ name }) => name !== "y");
  for (const outputs of [false, true]) {
    const { activations } = readQuantization(
      quantized({ activations: { outputs } }, ranges, inner).model,
    );
    assert.equal(activations.some(({ value }) => value === "logits"), outputs);
  }
});

Deno.test("at layers, sums stay float, and biases beside them", async () => {
  const bits = { weights: { bits: 8 }, activations: { bits: 4 } };
  const everywhere = quantized(bits);
  const layers = quantized({ ...bits, activations: { bits: 4, at: "layers" } });
  assert.deepEqual(layers.warnings, []);
  assert.equal(layers.metrics.quantized_nodes, 9);
  assert.equal(layers.metrics.float_nodes, 0);
  assert.deepEqual(Object.keys(widths(layers.model).activations), [
    "x",
    "stem_relu",
    "clip",
    "sum_relu",
    "joined",
    "leaky",
    "mean",
    "gate",
  ]);
  const integerBiases = ({ model }: typeof layers) =>
    readQuantization(model).biases.map(({ node }) => node.name);
  assert.deepEqual(integerBiases(everywhere), [
    "stem",
    "depthwise",
    "left",
    "right",
    "up",
    "conv1d",
    "hidden",
  ]);
  assert.deepEqual(integerBiases(layers), ["stem", "depthwise"]);
  assert.ok(await fidelity(layers.model) > await fidelity(everywhere.model) + 1);
});

Deno.test("a layer whose values are never negative uses the whole symmetric grid", () => {
  const { model } = quantized({ activations: { symmetric: true } });
  const points = readQuantization(model).activations;
  const zeroPoint = (name: string) =>
    points.find(({ value }) => value === name)!.parameters!.zeroPoint[0];
  assert.equal(zeroPoint("stem_relu"), 0);
  assert.equal(zeroPoint("project"), 128);
});

for (const encoding of ["native", "container"] as const) {
  for (const first_last of ["none", "brecq"] as const) {
    Deno.test(`mixed widths load by default: ${encoding}, first and last ${first_last}`, async () => {
      const { InferenceSession } = await loadRuntime();
      for (const bits of [2, 3, 4, 5, 8]) {
        const { model } = quantized({
          weights: { bits, range: "minmax", granularity: bits === 4 ? "group" : "channel" },
          activations: { bits: bits === 5 ? 2 : bits, range: "minmax" },
          overrides: [{ match: "project", weights: { bits: 2 } }, {
            match: "sum",
            activations: { bits: 8 },
          }, { match: "up", weights: { bits: 4, granularity: "group", block_size: 16 } }],
          first_last,
          encoding,
        });
        const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
        await session.release();
        assert.ok(Number.isFinite(await fidelity(model)));
      }
    });
  }
}
