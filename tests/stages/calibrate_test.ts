import assert from "node:assert/strict";
import { canonicalJson, type JsonValue } from "../../src/base/canonical_json.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { grid } from "../../src/quant/grid.ts";
import { observedValues } from "../../src/quant/placement.ts";
import { chooseRange } from "../../src/quant/observers/table.ts";
import { RANGE_METHODS, type Ranges } from "../../src/quant/ranges.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
import { calibrate } from "../../src/stages/calibrate/mod.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import type { UserError } from "../../src/base/errors.ts";
import { batchSize } from "../../src/stages/calibrate/batch_size.ts";
import { type Parameters, parameters } from "../../src/stages/calibrate/ports.ts";
import { run } from "../../src/stages/calibrate/run.ts";
import {
  type Parameters as QuantizeParameters,
  parameters as quantizeParameters,
} from "../../src/stages/quantize/ports.ts";
import { quantizeModel } from "../../src/stages/quantize/run.ts";
import { networkInput, smallNetwork } from "../quant/small_network.ts";
import { artifact, context, type ListeningContext, numbers } from "./stage_fixture.ts";

const network = smallNetwork();
const seeds = Array.from({ length: 10 }, (_, seed) => seed);
const items = numbers({
  dims: [4, 8, 8],
  values: seeds.flatMap((seed) => [...networkInput(seed).data]),
});

interface Given {
  readonly settings?: JsonValue;
  readonly model?: Model;
  readonly data?: Dataset;
  readonly context?: ListeningContext;
}

async function calibrated(given: Given = {}) {
  const listening = given.context ?? context();
  const { outputs, metrics } = await run(
    fillDefaults(parameters as unknown as Schema, given.settings ?? {}) as Parameters,
    {
      model: artifact("model", given.model ?? network, "prepare.model"),
      calibration: artifact("dataset", given.data ?? items, "inputs.calibration"),
    },
    listening,
  );
  return { ranges: outputs.ranges as Ranges, metrics, ...listening };
}

Deno.test("calibrate collects what quantize needs, and records its settings", async () => {
  const { ranges, metrics } = await calibrated({ settings: { percentile: 99.9 } });
  assert.equal(ranges.method, "mse");
  assert.deepEqual(ranges.settings, { percentile: 99.9, power: 2.4 });
  assert.deepEqual(Object.keys(ranges.tensors), observedValues(network));
  assert.deepEqual(metrics, { items: 20, activations: Object.keys(ranges.tensors).length });
  const { count, histogram } = ranges.tensors.x!;
  assert.equal(count, 20 * 256);
  assert.equal(histogram!.counts.reduce((sum, each) => sum + each, 0), count);
});

Deno.test("calibrate gives the same bytes however it runs", async () => {
  const bytes = async (given: Given) =>
    canonicalJson((await calibrated(given)).ranges as unknown as JsonValue);
  const plain = await bytes({});
  assert.equal(await bytes({ context: context({ threads: 2 }) }), plain);
  assert.equal(await bytes({ context: context({ memory: 1 }) }), plain);
  assert.equal(await bytes({ context: context({ memory: 40_000 }) }), plain);
});

Deno.test("calibrate reads only what it is told to take", async () => {
  const { ranges, metrics } = await calibrated({ settings: { take: 3, batch: 2, bins: 256 } });
  assert.equal(metrics!.items, 3);
  assert.equal(ranges.tensors.x!.count, 3 * 256);
  assert.equal(ranges.tensors.x!.histogram!.counts.length, 256);
});

Deno.test("calibrate makes no histograms where the method needs none", async () => {
  const { ranges } = await calibrated({ settings: { method: "minmax" } });
  assert.ok(
    Object.values(ranges.tensors).every((each) =>
      each.histogram === undefined && each.average === undefined
    ),
  );
  const averages = await calibrated({ settings: { method: "moving-average", batch: 5 } });
  const { average, histogram, min } = averages.ranges.tensors.x!;
  assert.ok(average!.min > min && histogram === undefined);
});

Deno.test("calibrate reports its progress, pass by pass", async () => {
  const { reports } = await calibrated({ settings: { batch: 8 } });
  const seen = reports.map(({ phase, done, total }) => `${phase} ${done}/${total}`);
  assert.deepEqual(seen, [
    "ranges 8/20",
    "ranges 16/20",
    "ranges 20/20",
    "histograms 8/20",
    "histograms 16/20",
    "histograms 20/20",
  ]);
});

Deno.test("calibrate keeps what it read for the second pass, as far as memory allows", async () => {
  let read = 0;
  const watched: Dataset = {
    ...items,
    batch(start, count) {
      read += count;
      return items.batch(start, count);
    },
  };
  await calibrated({ data: watched, settings: { batch: 4 } });
  assert.equal(read, 20);
  read = 0;
  // Room for two batches of 4 · 256 floats.
  await calibrated({
    data: watched,
    settings: { batch: 4 },
    context: context({ memory: 4 * 2 * 4096 + 100 }),
  });
  assert.ok(read > 20, `${read}`);
});

Deno.test("calibrate observes what quantize will need where nodes are excluded", async () => {
  const { ranges } = await calibrated({ settings: { exclude: ["joined"], method: "minmax" } });
  assert.ok("left_relu" in ranges.tensors && "right_relu" in ranges.tensors);
  const { ranges: all } = await calibrated({ settings: { method: "minmax" } });
  assert.ok(!("left_relu" in all.tensors));
  const settings = { overrides: [{ match: "joined", skip: true }] };
  const given = fillDefaults(quantizeParameters as unknown as Schema, settings);
  const quantized = (statistics: Ranges) =>
    quantizeModel(network, statistics, given as QuantizeParameters, context());
  assert.ok(quantized(ranges).metrics.quantized_nodes! > 0);
  assert.throws(() => quantized(all), { name: "UserError", message: /"left_relu"/ });
});

Deno.test("calibrate says which exclusions exclude nothing, all at once", async () => {
  await assert.rejects(calibrated({ settings: { exclude: ["stemm", "up", "leftt*"] } }), {
    name: "UserError",
    problems: [
      {
        message: 'exclude: no node of the model has a name like "stemm"',
        hint: 'Did you mean "stem"?',
      },
      {
        message: 'exclude: no node of the model has a name like "leftt*"',
        hint: 'Did you mean "left"?',
      },
    ],
  });
});

Deno.test("calibrate names the items whose values are not finite", async () => {
  const values = seeds.flatMap((seed) => [...networkInput(seed).data]);
  values[9 * 256 + 5] = NaN;
  const data = numbers({ dims: [4, 8, 8], values });
  await assert.rejects(calibrated({ data, settings: { batch: 4 } }), {
    name: "UserError",
    message:
      'Input "x" has 1 NaN of 1024 elements for items 8 to 11 of the data set "inputs.calibration"',
  });
  await assert.rejects(calibrated({ data, settings: { batch: 1 } }), {
    message: 'Input "x" has 1 NaN of 256 elements for item 9 of the data set ' +
      '"inputs.calibration", number 9',
  });
});

Deno.test("calibrate warns of activations that are zero for all of the data", async () => {
  const data = numbers({ dims: [4, 8, 8], values: new Array<number>(512).fill(0) });
  const { warnings } = await calibrated({ data, settings: { method: "minmax" } });
  assert.deepEqual(warnings, [
    'Activation "x" is zero for all of the data "inputs.calibration"',
  ]);
});

Deno.test("calibrate refuses data without items, and models with nothing to quantize", async () => {
  await assert.rejects(calibrated({ data: numbers({ dims: [4, 8, 8], values: [] }) }), {
    name: "UserError",
    message: 'The data set "inputs.calibration" has no items',
  });
  const builder = new GraphBuilder();
  builder.output(builder.op("Softmax", [builder.input("x", "float32", ["N", 4, 8, 8])]));
  await assert.rejects(calibrated({ model: builder.build() }), {
    name: "UserError",
    message: "The model has no activation that can be quantized",
  });
});

Deno.test("calibrate stops when it is interrupted", async () => {
  const interrupt = new AbortController();
  const listening = context({
    signal: interrupt.signal,
    progress: ({ phase }) => phase === "histograms" && interrupt.abort(),
  });
  await assert.rejects(calibrated({ settings: { batch: 4 }, context: listening }), {
    name: "AbortError",
  });
});

Deno.test("calibrate gives a model with a fixed batch that, and counts each item once", async () => {
  const fixed: Model = {
    ...network,
    graph: {
      ...network.graph,
      inputs: network.graph.inputs.map((input) => ({ ...input, dims: [8, 4, 8, 8] })),
    },
  };
  const { ranges } = await calibrated({ model: fixed });
  const { ranges: free } = await calibrated({ settings: { batch: 8 } });
  assert.deepEqual(ranges.tensors.x, free.tensors.x);
  for (const [name, { count }] of Object.entries(free.tensors)) {
    assert.equal(ranges.tensors[name]!.count, count, name);
  }
});

Deno.test("batchSize depends on the size of activations", () => {
  const builder = new GraphBuilder();
  builder.output(builder.op("Relu", [builder.input("x", "float32", ["N", 3, 512, 512])]));
  const { graph } = builder.build();
  assert.equal(batchSize(graph, ["x"]), Math.floor(2 ** 24 / elementCount([3, 512, 512])));
  assert.equal(batchSize(graph, ["unknown"]), 16);
  assert.equal(batchSize(smallNetwork().graph, ["x"]), 64);
});

/** Two convolutions with batch normalization, prepared: folded, with the statistics kept. */
async function normalized(): Promise<Model> {
  const builder = new GraphBuilder();
  const layer = (input: string, name: string) => {
    const weights = float32([3, 3, 1, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const conv = builder.op("Conv", [input, builder.constant(weights)], {}, { name });
    const constants = [[2, -1, 0.5], [1, 4, -3], [0, 0, 0], [1, 1, 1]];
    return builder.op(
      "BatchNormalization",
      [
        conv,
        ...constants.map((values) => builder.constant(float32([3], values))),
      ],
      {},
      { name: `${name}_norm` },
    );
  };
  const relu = builder.op(
    "Relu",
    [
      layer(builder.input("x", "float32", ["N", 3, 4, 4]), "a"),
    ],
    {},
    { name: "relu" },
  );
  builder.output(builder.op("Add", [layer(relu, "b"), relu], {}, { name: "sum" }));
  const { model } = await prepareModel(builder.build(), {
    shape: {},
    batch: "keep",
    opset: 21,
    fold_batch_norm: true,
    fold_arithmetic: true,
    fold_constants: true,
  });
  return model;
}

const WITHOUT_DATA = { method: "batchnorm", deviations: 3, input_range: [-1, 2], bins: 256 };

async function rangesWithoutData(model: Model, settings: JsonValue = WITHOUT_DATA) {
  const { outputs, metrics } = await run(
    fillDefaults(parameters as unknown as Schema, settings) as Parameters,
    { model: artifact("model", model, "prepare.model"), calibration: undefined },
    context(),
  );
  return { ranges: outputs.ranges as Ranges, metrics };
}

Deno.test("without data, ranges are deviations around the means of folded batch normalization", async () => {
  const model = await normalized();
  assert.ok(model.graph.nodes.every(({ opType }) => opType !== "BatchNormalization"));
  const { ranges, metrics } = await rangesWithoutData(model);
  assert.deepEqual(metrics, { items: 0, activations: 4 });
  const range = (name: string) => {
    const { min, max, histogram } = ranges.tensors[name]!;
    assert.ok(histogram!.counts.every((count) => Number.isInteger(count) && count >= 0));
    return [min, max];
  };
  assert.deepEqual(range("x"), [-1, 2]);
  // β ± 3|γ|, over all channels: 1 ± 6, 4 ± 3, −3 ± 1.5; Relu cuts at zero.
  assert.deepEqual(range("relu"), [0, 7]);
  assert.deepEqual(range("b_norm"), [-5, 7]);
  // Means and variances add: Relu hardly cuts N(4, 1²), so the greatest is 8 + 3√2.
  assert.ok(Math.abs(range("sum")[1]! - (8 + 3 * Math.SQRT2)) < 1e-3);
});

Deno.test("ranges found without data quantize a model, with any method for activations", async () => {
  const model = await normalized();
  const { ranges } = await rangesWithoutData(model);
  for (const range of ["calibrated", "mse", "percentile", "entropy", "aciq-grid"]) {
    const { outputs } = quantizeModel(
      model,
      ranges,
      fillDefaults(
        quantizeParameters as unknown as Schema,
        { activations: { bits: 4, range } },
      ) as QuantizeParameters,
      context(),
    );
    // The metadata has done what it was for.
    assert.equal(outputs.model.metadata.size, 0);
  }
});

Deno.test("a model that tells nothing of its activations asks for other data", async () => {
  await assert.rejects(rangesWithoutData(network), (error: UserError) => {
    assert.match(error.message, /of the model "prepare.model" cannot be found without data/);
    assert.match(
      error.problems[0]!.hint!,
      /folded before it came here.*Else calibrate with data: real, or noise .* method: range/,
    );
    return true;
  });
});

Deno.test("an activation that no statistics lead to is named", async () => {
  const model = await normalized();
  const relu = model.graph.nodes.find(({ opType }) => opType === "Relu")!;
  relu.opType = "Exp";
  await assert.rejects(
    rangesWithoutData(model),
    /Nothing is known of activation "relu", which Exp "relu"/,
  );
});

for (const method of RANGE_METHODS) {
  Deno.test(`what is told of the input's range counts for more than the data: ${method}`, async () => {
    const { tensors: { x: seen, ...others } } = (await calibrated({ settings: { method } })).ranges;
    const told = (await calibrated({ settings: { method, input_range: [-50, 150] } })).ranges;
    const { x, ...same } = told.tensors;
    assert.deepEqual(same, others);
    assert.deepEqual([x!.min, x!.max], [-50, 150]);
    assert.deepEqual(Object.keys(x!).sort(), Object.keys(seen!).sort());
    const { min, max } = chooseRange(x!, method, told.settings, grid(8));
    assert.ok(min <= -45 && max >= 135, `${min} to ${max}`);
  });
}

Deno.test("method batchnorm needs the range of the input, from the least to the greatest", () => {
  const problems = (settings: JsonValue) =>
    calibrate.validate!(fillDefaults(parameters as unknown as Schema, settings) as Parameters);
  assert.match(
    problems({ method: "batchnorm" })[0]!.message,
    /needs the range of the model's input/,
  );
  assert.deepEqual(problems({ input_range: [0, 1] }), []);
  assert.match(
    problems({ method: "batchnorm", input_range: [1, 1] })[0]!.message,
    /must go from the least to the greatest/,
  );
  assert.deepEqual(problems(WITHOUT_DATA), []);
});
