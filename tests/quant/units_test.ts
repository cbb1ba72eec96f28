import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { openSession } from "../../src/engine/session.ts";
import { cloneModel, prune } from "../../src/onnx/edit.ts";
import type { Graph, Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import type { Tensor } from "../../src/onnx/tensor.ts";
import { findUnits, type Unit, type UnitGranularity } from "../../src/quant/units.ts";
import { randomFeeds } from "../onnx/shared_models.ts";
import { testWithSharedData } from "../shared_data.ts";
import { quantizeMinMax, smallNetwork } from "./small_network.ts";
import { insertQuantizers, network, NetworkBuilder, type QuantizerStyle } from "./unit_graphs.ts";

const GRANULARITIES: readonly UnitGranularity[] = ["layer", "block", "stage", "network"];
const STYLES: readonly QuantizerStyle[] = [
  "one pair",
  "a pair for each reader",
  "a dequantizer for each reader",
];

/** The names of each unit's layers. */
function layersOf(model: Model, granularity: UnitGranularity = "block"): string[] {
  return findUnits(model, granularity).map(({ weights }) =>
    weights.map(({ name }) => name).join(" ")
  );
}

/** Units found by hand: numbers of convolutions, in `Conv_<number>`. */
const conv = (...numbers: number[]) => numbers.map((number) => `Conv_${number}`).join(" ");

const EXPECTED_BLOCKS: Readonly<Record<string, readonly string[]>> = {
  cifar10_resnet20: [
    conv(0),
    ...[[3, 6], [10, 13], [17, 20], [24, 27], [33, 36], [40, 43], [47, 50], [56, 59], [63, 66]]
      .map((pair) => conv(...pair)),
    "Gemm_72",
  ],
  cifar10_resnet32: [
    conv(0),
    ...[[3, 6], [10, 13], [17, 20], [24, 27], [31, 34], [38, 41], [47, 50], [54, 57], [61, 64]]
      .map((pair) => conv(...pair)),
    ...[[68, 71], [75, 78], [84, 87], [91, 94], [98, 101], [105, 108]].map((pair) => conv(...pair)),
    "Gemm_114",
  ],
  "squeezenet1.1": [
    conv(0),
    ...[[4, 7, 10], [14, 17, 20], [25, 28, 31], [35, 38, 41], [46, 49, 52], [56, 59, 62]]
      .map((fire) => conv(...fire)),
    conv(66, 69, 72),
    conv(76, 79, 82),
    conv(86),
  ],
  mobilenet_v2_dequantized: [
    conv(0),
    conv(2, 4),
    ...[[5, 7, 9], [10, 12, 14], [16, 18, 20], [21, 23, 25], [27, 29, 31], [33, 35, 37]]
      .map((block) => conv(...block)),
    ...[[38, 40, 42], [44, 46, 48], [50, 52, 54], [56, 58, 60], [61, 63, 65], [67, 69, 71]]
      .map((block) => conv(...block)),
    ...[[73, 75, 77], [78, 80, 82], [84, 86, 88], [90, 92, 94]].map((block) => conv(...block)),
    conv(95),
    conv(98),
  ],
  "mobilenet_v1_0.25_128_dequantized": [
    ...[0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44]
      .map((number) => conv(number)),
    ...[46, 48, 50, 52, 55].map((number) => conv(number)),
  ],
  har_mlp: ["Gemm_0", "Gemm_2"],
};

/** How many layers each stage has. */
const EXPECTED_STAGES: Readonly<Record<string, readonly number[]>> = {
  cifar10_resnet20: [1, 6, 6, 6, 1],
  cifar10_resnet32: [1, 10, 10, 10, 1],
  "squeezenet1.1": [1, 6, 6, 12, 1],
  mobilenet_v2_dequantized: [1, 2, 6, 9, 21, 12, 1, 1],
  "mobilenet_v1_0.25_128_dequantized": [3, 4, 4, 12, 4, 1],
  har_mlp: [2],
};

for (const [name, blocks] of Object.entries(EXPECTED_BLOCKS)) {
  testWithSharedData(`the units of ${name}`, `models/${name}.onnx`, async (path) => {
    const model = await readModel(path);
    assert.deepEqual(layersOf(model, "block"), blocks);
    assert.deepEqual(layersOf(model, "layer"), blocks.flatMap((block) => block.split(" ")));
    const stages = findUnits(model, "stage").map(({ weights }) => weights.length);
    assert.deepEqual(stages, EXPECTED_STAGES[name]);
    const [whole] = findUnits(model, "network");
    assert.equal(whole!.nodes.length, cloneModel(model).graph.nodes.length);
    assert.deepEqual(whole!.inputs, [model.graph.inputs[0]!.name]);
    for (const granularity of GRANULARITIES) requireUnits(model, granularity);
  });

  testWithSharedData(
    `the units of ${name} with quantizers are the same`,
    `models/${name}.onnx`,
    async (path) => {
      for (const style of STYLES) {
        const model = cloneModel(await readModel(path));
        insertQuantizers(model.graph, style);
        for (const granularity of GRANULARITIES) requireUnits(model, granularity);
        assert.deepEqual(layersOf(model, "block"), blocks, style);
        const quantizers = model.graph.nodes.filter(({ opType }) => /quantize/i.test(opType));
        const inUnits = new Set(findUnits(model, "layer").flatMap(({ nodes }) => nodes));
        const outside = quantizers.filter((node) => !inUnits.has(node));
        assert.ok(quantizers.length >= 4);
        // Outside stay only those of values that no layer makes or reads alone: poolings, additions, concatenations.
        for (const node of outside) assert.equal(nearLayer(model.graph, node.outputs[0]!), false);
      }
    },
  );
}

testWithSharedData(
  "a block is residual convolutions, shortcut, addition and the activation after it",
  "models/cifar10_resnet20.onnx",
  async (path) => {
    const units = findUnits(await readModel(path), "block");
    const operators = (unit: Unit) => unit.nodes.map(({ opType }) => opType).join(" ");
    assert.equal(operators(units[0]!), "Conv BatchNormalization Relu");
    assert.equal(
      operators(units[1]!),
      "Conv BatchNormalization Relu Conv BatchNormalization Add Relu",
    );
    assert.deepEqual([units[1]!.name, units[1]!.inputs, units[1]!.output], [
      "Conv_3..Conv_6",
      ["t_2"],
      "t_9",
    ]);
    assert.equal(
      operators(units[4]!),
      "Conv BatchNormalization Relu Conv BatchNormalization Slice Pad Add Relu",
    );
  },
);

testWithSharedData(
  "a unit that runs by itself on what enters it gives what leaves it",
  "models/cifar10_resnet20.onnx",
  async (path) => {
    const model = await readModel(path);
    const feeds = randomFeeds(model);
    for (const granularity of ["layer", "block", "stage"] as const) {
      const units = findUnits(model, granularity);
      const exposed = cloneModel(model);
      const inner = new Set(units.flatMap((unit) => [...unit.inputs, unit.output]));
      for (const { name } of [...model.graph.outputs, ...model.graph.inputs]) inner.delete(name);
      for (const name of inner) {
        exposed.graph.outputs.push({ name, type: undefined, dims: undefined });
      }
      await using session = await openSession(exposed, { optimization: "none" });
      const values = { ...feeds, ...await session.run(feeds) };
      for (const unit of units) {
        const inputs = Object.fromEntries(unit.inputs.map((name) => [name, values[name]!]));
        const result = await runUnit(model, unit, inputs);
        assert.deepEqual(result, values[unit.output], unit.name);
      }
    }
  },
);

Deno.test("a bottleneck with a convolution in its shortcut is one block", () => {
  const model = network((net, x) => {
    const start = net.convRelu("stem", x);
    const narrow = net.convRelu("narrow", start, { kernel: 1, output: 2 });
    const spatial = net.convRelu("spatial", narrow, { input: 2, output: 2, stride: 2 });
    const wide = net.conv("wide", spatial, { kernel: 1, input: 2, output: 16 });
    const shortcut = net.conv("shortcut", start, { kernel: 1, output: 16, stride: 2 });
    const block = net.op("Relu", [net.op("Add", [wide, shortcut])]);
    return net.convRelu("head", block, { input: 16 });
  });
  assert.deepEqual(layersOf(model), ["stem", "narrow spatial wide shortcut", "head"]);
  requireAllStyles(model);
});

Deno.test("a module of nested branches is one block, without the layer before it", () => {
  const model = network((net, x) => {
    const start = net.convRelu("stem", x, { kernel: 1 });
    const one = net.convRelu("one", start, { kernel: 1 });
    const two = net.convRelu("two", start, { kernel: 1 });
    const wide = net.convRelu("wide", two);
    const tall = net.convRelu("tall", two);
    const pooled = net.op("AveragePool", [start], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    });
    const pool = net.convRelu("pool", pooled, { kernel: 1 });
    return net.op("Concat", [one, net.op("Concat", [wide, tall], { axis: 1 }), pool], { axis: 1 });
  });
  assert.deepEqual(layersOf(model), ["stem", "one two wide tall pool"]);
  requireAllStyles(model);
});

Deno.test("an inverted residual block without residual connection takes its gate along", () => {
  const model = network((net, x) => {
    const start = net.convRelu("stem", x);
    const wide = net.silu(net.conv("expand", start, { kernel: 1, output: 16 }));
    const depthwise = net.conv("depthwise", wide, { input: 16, output: 16, group: 16, stride: 2 });
    const gate = net.op("Sigmoid", [
      net.conv("gate", net.op("GlobalAveragePool", [net.silu(depthwise)]), {
        kernel: 1,
        input: 16,
        output: 16,
      }),
    ]);
    return net.convRelu("head", net.conv("project", gate, { kernel: 1, input: 16 }));
  });
  // Without the branch around it the gate is no gate: the chain is broken by the pooling.
  assert.deepEqual(layersOf(model), ["stem", "expand", "depthwise", "gate", "project", "head"]);

  const gated = network((net, x) => {
    const start = net.convRelu("stem", x);
    const wide = net.silu(net.conv("expand", start, { kernel: 1, output: 16 }));
    const narrow = net.conv("depthwise", wide, { input: 16, output: 16, group: 16, stride: 2 });
    const padded = net.op("Relu", [narrow]);
    const squeezed = net.convRelu("reduce", net.op("GlobalAveragePool", [padded]), {
      kernel: 1,
      input: 16,
      output: 4,
    });
    const gate = net.conv("gate", squeezed, { kernel: 1, input: 4, output: 16 });
    const excited = net.op("Mul", [padded, net.op("Sigmoid", [gate])]);
    return net.convRelu("head", net.conv("project", excited, { kernel: 1, input: 16 }));
  });
  assert.deepEqual(layersOf(gated), ["stem", "expand depthwise reduce gate project", "head"]);
  for (const granularity of GRANULARITIES) requireUnits(gated, granularity);
});

Deno.test("a gate inside a residual block belongs to it", () => {
  const model = network((net, x) => {
    const start = net.convRelu("stem", x);
    const main = net.squeezeExcite("gate", net.conv("second", net.convRelu("first", start)));
    return net.op("Relu", [net.op("Add", [main, start])]);
  });
  assert.deepEqual(layersOf(model), ["stem", "first second gate reduce gate expand"]);
  requireAllStyles(model);
});

Deno.test("activations that are spelled out belong to their layer", () => {
  const model = network((net, x) => {
    const first = net.silu(net.conv("first", x));
    return net.dense("third", net.gelu(net.dense("second", first)));
  });
  const [first, second, third] = findUnits(model, "layer");
  assert.deepEqual(first!.nodes.map(({ opType }) => opType), ["Conv", "Sigmoid", "Mul"]);
  assert.deepEqual(second!.nodes.map(({ opType }) => opType), [
    ...["MatMul", "Add", "Div", "Erf", "Add", "Mul", "Mul"],
  ]);
  assert.deepEqual(third!.nodes.map(({ opType }) => opType), ["MatMul", "Add"]);
  assert.deepEqual(layersOf(model, "block"), ["first", "second", "third"]);
});

Deno.test("a transformer layer is two blocks: attention and the layers after it", () => {
  const model = network((net, x) => {
    const query = net.dense("query", x);
    const key = net.op("Transpose", [net.dense("key", x)], { perm: [0, 1, 3, 2] });
    const weights = net.op("Softmax", [net.op("MatMul", [query, key])], { axis: -1 });
    const attended = net.op("MatMul", [weights, net.dense("value", x)]);
    const middle = net.op("Add", [x, net.dense("out", attended)]);
    const inner = net.dense("down", net.gelu(net.dense("up", middle)));
    return net.op("Add", [middle, inner]);
  });
  assert.deepEqual(layersOf(model), ["query key value out", "up down"]);
  requireAllStyles(model);
});

Deno.test("a connection around blocks does not make them one block", () => {
  const model = network((net, x) => {
    const start = net.convRelu("stem", x);
    let value = start;
    for (const name of ["a", "b"]) {
      const main = net.conv(`${name}2`, net.convRelu(`${name}1`, value));
      value = net.op("Add", [main, value]);
    }
    return net.op("Add", [net.conv("last", value), start]);
  });
  assert.deepEqual(layersOf(model), ["stem", "a1 a2", "b1 b2", "last"]);
  requireAllStyles(model);
});

Deno.test("a connection around many layers leaves them by themselves", () => {
  const names = Array.from({ length: 13 }, (_, index) => `layer${index}`);
  const model = network((net, x) => {
    const start = net.convRelu("stem", x);
    const end = names.reduce((value, name) => net.convRelu(name, value), start);
    return net.op("Add", [end, start]);
  });
  assert.deepEqual(layersOf(model), ["stem", ...names]);
});

Deno.test("a Split that forks belongs to the block", () => {
  const model = network((net, x) => {
    const start = net.convRelu("stem", x);
    const [left, right] = net.ops("Split", [start], 2, { axis: 1, num_outputs: 2 });
    const main = net.convRelu("main", right!, { input: 4, output: 4 });
    return net.op("Concat", [left!, main], { axis: 1 });
  });
  assert.deepEqual(layersOf(model), ["stem", "main"]);
  const [, block] = findUnits(model, "block");
  assert.deepEqual(block!.nodes.map(({ opType }) => opType), ["Split", "Conv", "Relu", "Concat"]);
});

Deno.test("nodes that compute a weight are in the unit of the layer that reads it", () => {
  const model = network((net, x) => {
    const raw = net.constant(0.5, "raw");
    const weight = net.op("Expand", [raw, net.constant([8, 8, 1, 1])], {}, { name: "expanded" });
    return net.op("Conv", [x, weight], {}, { name: "conv" });
  });
  const [unit] = findUnits(model, "layer");
  assert.deepEqual(unit!.nodes.map(({ name }) => name), ["expanded", "conv"]);
  assert.deepEqual(unit!.inputs, ["x"]);
});

for (const encoding of ["native", "container"] as const) {
  for (const activationBits of [8, 4, 2, "dynamic", "none"] as const) {
    const what = `${activationBits}-bit ${encoding} activations`;
    Deno.test(`units of a model quantized with ${what} have the layers of the float one`, async () => {
      const float = smallNetwork();
      const blocks = [
        "stem",
        "depthwise project",
        "left right",
        "up",
        "conv1d",
        "hidden",
        "logits",
      ];
      assert.deepEqual(layersOf(float), blocks);
      const quantized = await quantizeMinMax(float, {
        weightBits: 4,
        activationBits,
        granularity: "channel",
        encoding,
      });
      assert.deepEqual(layersOf(quantized), blocks);
      for (const granularity of GRANULARITIES) requireUnits(quantized, granularity);
    });
  }
}

Deno.test("a network of several outputs has no whole unit", () => {
  const net = new NetworkBuilder();
  const x = net.input("x", "float32", [1, 8, 8, 8]);
  net.output(net.conv("one", x));
  net.output(net.conv("two", x));
  const model = net.build();
  assert.deepEqual(layersOf(model, "stage"), ["one", "two"]);
  assert.throws(
    () => findUnits(model, "network"),
    (error: Error) => error instanceof UserError && /2 outputs \(one, two\)/.test(error.message),
  );
});

/** One step of a random network: an operator, and which earlier values it reads. */
const randomSteps = fc.array(
  fc.record({
    operator: fc.constantFrom(
      "conv",
      "conv",
      "point",
      "depthwise",
      "relu",
      "silu",
      "add",
      "concat",
    ),
    // Small numbers read recent values, which makes chains and blocks rather than tangles.
    back: fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5 })),
  }),
  { minLength: 1, maxLength: 25 },
);

for (const style of [undefined, ...STYLES]) {
  const quantized = style === undefined ? "" : ` and ${style}`;
  Deno.test(`units of random networks${quantized} have one entry and one exit`, () => {
    fc.assert(
      fc.property(randomSteps, fc.integer({ min: 1, max: 2 }), (steps, outputs) => {
        const net = new NetworkBuilder();
        const values = [net.input("x", "float32", [1, 8, 8, 8])];
        const recent = (back: number) => values[Math.max(0, values.length - 1 - back)]!;
        steps.forEach(({ operator, back: [near, far] }, index) => {
          const name = `${operator} ${index}`;
          const x = recent(near);
          values.push(
            operator === "conv"
              ? net.conv(name, x)
              : operator === "point"
              ? net.conv(name, x, { kernel: 1 })
              : operator === "depthwise"
              ? net.conv(name, x, { group: 8 })
              : operator === "relu"
              ? net.op("Relu", [x])
              : operator === "silu"
              ? net.silu(x)
              : operator === "add"
              ? net.op("Add", [x, recent(far)])
              : net.conv(name, net.op("Concat", [x, recent(far)], { axis: 1 }), { input: 16 }),
          );
        });
        for (const name of new Set(values.slice(1).slice(-outputs))) net.output(name);
        const model = net.build();
        prune(model.graph);
        if (style !== undefined) insertQuantizers(model.graph, style);
        for (const granularity of ["layer", "block", "stage"] as const) {
          requireUnits(model, granularity);
        }
      }),
      { numRuns: 300 },
    );
  });
}

/** Checks the units of a float network and of its three quantized forms, which must have the same layers. */
function requireAllStyles(model: Model): void {
  const blocks = layersOf(model);
  for (const granularity of GRANULARITIES) requireUnits(model, granularity);
  for (const style of STYLES) {
    const quantized = cloneModel(model);
    insertQuantizers(quantized.graph, style);
    assert.deepEqual(layersOf(quantized), blocks, style);
    for (const granularity of GRANULARITIES) requireUnits(quantized, granularity);
  }
}

/** Checks by brute force that units split up the layers and have one way in and one way out. */
function requireUnits(model: Model, granularity: UnitGranularity): void {
  const { graph } = model;
  const units = findUnits(model, granularity);
  const activations = activationNames(graph);
  const layers = graph.nodes.filter((node) =>
    /^(Conv|ConvTranspose|Gemm|MatMul)$/.test(node.opType) && !activations.has(node.inputs[1]!)
  );
  const weights = units.flatMap((unit) => unit.weights);
  assert.deepEqual(new Set(weights), new Set(layers));
  assert.equal(weights.length, layers.length);
  const places = units.map((unit) => graph.nodes.indexOf(unit.weights[0]!));
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  const owners = new Map<string, string>();
  for (const unit of units) {
    const inside = new Set(unit.nodes.flatMap((node) => node.outputs));
    const entering = new Set(
      unit.nodes.flatMap((node) => node.inputs)
        .filter((name) => activations.has(name) && !inside.has(name)),
    );
    assert.deepEqual([...entering], [...unit.inputs], unit.name);
    assert.equal(entering.size, 1, unit.name);
    const outside = graph.nodes.filter((node) => !unit.nodes.includes(node));
    const readOutside = new Set([
      ...outside.flatMap((node) => node.inputs),
      ...graph.outputs.map(({ name }) => name),
    ]);
    const leaving = [...inside].filter((name) => activations.has(name) && readOutside.has(name));
    assert.deepEqual(leaving, [unit.output], unit.name);
    const cut = activationNames(graph, unit.inputs[0]);
    for (const name of inside) assert.ok(!cut.has(name), `${unit.name}: ${name} has another entry`);
    for (const name of inside) {
      if (!activations.has(name)) continue;
      assert.equal(owners.get(name), undefined, `${name} is in two units`);
      owners.set(name, unit.name);
    }
  }
}

/** The names of all values that depend on a graph input, if one value were not there. */
function activationNames(graph: Graph, without?: string): Set<string> {
  const names = new Set(
    graph.inputs.map(({ name }) => name)
      .filter((name) => !graph.initializers.has(name) && name !== without),
  );
  for (const node of graph.nodes) {
    if (!node.inputs.some((name) => names.has(name))) continue;
    for (const output of node.outputs) if (output !== without) names.add(output);
  }
  return names;
}

/** Whether a quantizer lies alone between a layer and something else, over quantizers only. */
function nearLayer(graph: Graph, value: string): boolean {
  const readers = graph.nodes.filter((node) => node.inputs.includes(value));
  const [only] = readers;
  if (readers.length !== 1) return false;
  return /Quantize/i.test(only!.opType)
    ? nearLayer(graph, only!.outputs[0]!)
    : /^(Conv|Gemm|MatMul)$/.test(only!.opType);
}

async function runUnit(
  model: Model,
  unit: Unit,
  inputs: Record<string, Tensor>,
): Promise<Tensor> {
  const part = cloneModel(model);
  part.graph.nodes = [...unit.nodes];
  part.graph.inputs = Object.entries(inputs).map(([name, { type, dims }]) => ({
    name,
    type,
    dims: [...dims],
  }));
  part.graph.outputs = [{ name: unit.output, type: undefined, dims: undefined }];
  part.graph.values.clear();
  prune(part.graph);
  await using session = await openSession(part, { optimization: "none" });
  return (await session.run(inputs))[unit.output]!;
}
