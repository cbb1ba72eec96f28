import assert from "node:assert/strict";
import { canonicalJson, type JsonValue } from "../../src/base/canonical_json.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount } from "../../src/onnx/tensor.ts";
import { observedValues } from "../../src/quant/placement.ts";
import type { Ranges } from "../../src/quant/ranges.ts";
import { fillDefaults } from "../../src/registry/defaults.ts";
import type { Schema } from "../../src/registry/schema.ts";
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
