import assert from "node:assert/strict";
import { runWithIntermediates } from "../../src/engine/intermediates.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32, type Tensor } from "../../src/onnx/tensor.ts";
import {
  type CalibrationFeed,
  type CalibrationOptions,
  collectStatistics,
} from "../../src/quant/calibration.ts";
import { Counter } from "../../src/quant/calibration/count.ts";
import { extent, histogramOf } from "../../src/quant/histogram.ts";
import { observedValues } from "../../src/quant/placement.ts";
import type { TensorStatistics } from "../../src/quant/ranges.ts";
import { prepareModel } from "../../src/stages/prepare/run.ts";
import { testWithSharedData } from "../shared_data.ts";
import { networkInput, smallNetwork } from "./small_network.ts";

const OPTIONS: CalibrationOptions = { needs: "histogram", bins: 2048, momentum: 0.1 };

/** Calls of a model, one for each tensor. */
function feedsOf(name: string, tensors: readonly Tensor[]) {
  return async function* (): AsyncGenerator<CalibrationFeed> {
    for (const [index, tensor] of tensors.entries()) {
      const rows = tensor.dims[0]!;
      yield { feeds: { [name]: tensor }, rows, size: rows, name: `call ${index}` };
    }
    await Promise.resolve();
  };
}

const network = smallNetwork();
const inputs = [1, 2, 3, 4, 5].map((seed) => networkInput(seed));

/** Every element of every value, all at once: what calibration never keeps. */
async function everything(model: Model, names: readonly string[]) {
  const seen = new Map<string, number[]>(names.map((name) => [name, []]));
  await runWithIntermediates(model, names, () => inputs.map((x) => ({ x })), (values) => {
    for (const [name, { data }] of Object.entries(values)) {
      for (const value of data as Float32Array) seen.get(name)!.push(value);
    }
  });
  return seen;
}

Deno.test("collectStatistics finds, call by call, what all values at once show", async () => {
  const names = observedValues(network);
  const statistics = await collectStatistics(network, names, feedsOf("x", inputs), OPTIONS);
  assert.deepEqual([...statistics.keys()], names);
  for (const [name, values] of await everything(network, names)) {
    const expected: TensorStatistics = {
      ...extent(values),
      count: values.length,
      histogram: histogramOf(values, 2048),
    };
    assert.deepEqual(statistics.get(name), expected, name);
  }
});

Deno.test("collectStatistics does not depend on threads and memory", async () => {
  const names = observedValues(network);
  const collect = (more: Partial<CalibrationOptions>) =>
    collectStatistics(network, names, feedsOf("x", inputs), { ...OPTIONS, ...more });
  const plain = await collect({});
  assert.deepEqual(await collect({ threads: 2 }), plain);
  assert.deepEqual(await collect({ memory: 5000 }), plain);
  assert.deepEqual(await collect({ memory: 1, threads: 2 }), plain);
});

testWithSharedData(
  "statistics of a residual network do not depend on threads and memory",
  "models/cifar10_resnet20.onnx",
  async (path) => {
    const { model } = await prepareModel(await readModel(path), {
      shape: {},
      batch: "keep",
      opset: 21,
      fold_batch_norm: true,
      fold_arithmetic: true,
      fold_constants: true,
    });
    const names = observedValues(model);
    const input = model.graph.inputs[0]!.name;
    const images = [1, 2].map((seed) => {
      const data = Float32Array.from(
        { length: 8 * 3072 },
        (_, index) => Math.sin(index * index * seed) * 2,
      );
      return float32([8, 3, 32, 32], data);
    });
    const collect = (threads: number, memory: number) =>
      collectStatistics(model, names, feedsOf(input, images), { ...OPTIONS, threads, memory });
    const plain = await collect(1, Infinity);
    assert.equal(plain.size, 31);
    assert.deepEqual(await collect(2, 3_000_000), plain);
  },
);

Deno.test("collectStatistics reads the data once where no histogram is needed", async () => {
  let reads = 0;
  const feeds = feedsOf("x", inputs);
  const counted = () => {
    reads++;
    return feeds();
  };
  const extents = await collectStatistics(network, ["x"], counted, { ...OPTIONS, needs: "extent" });
  assert.equal(reads, 1);
  const all = inputs.flatMap((input) => [...input.data]);
  assert.deepEqual(extents.get("x"), { ...extent(all), count: all.length });
});

Deno.test("collectStatistics averages the extremes of calls", async () => {
  const [first, second] = inputs.map(({ data }) => extent(data));
  const options: CalibrationOptions = { ...OPTIONS, needs: "average", momentum: 0.25 };
  const feeds = feedsOf("x", inputs.slice(0, 2));
  const statistics = await collectStatistics(network, ["x"], feeds, options);
  assert.deepEqual(statistics.get("x")!.average, {
    min: first!.min + 0.25 * (second!.min - first!.min),
    max: first!.max + 0.25 * (second!.max - first!.max),
  });
});

Deno.test("items that only fill a call up do not count", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [4, 2]);
  const y = builder.op("Relu", [x]);
  builder.output(y);
  const model = builder.build();
  // Two items of four: the last one is repeated.
  const tensor = float32([4, 2], [1, -2, 3, -4, 3, -4, 3, -4]);
  const feeds = async function* (): AsyncGenerator<CalibrationFeed> {
    yield await Promise.resolve({ feeds: { x: tensor }, rows: 4, size: 2, name: "call" });
  };
  const statistics = await collectStatistics(model, ["x", y], feeds, { ...OPTIONS, bins: 256 });
  const [own, relu] = [statistics.get("x")!, statistics.get(y)!];
  assert.deepEqual([own.min, own.max, own.count], [-4, 3, 4]);
  assert.deepEqual(own.histogram, histogramOf([1, -2, 3, -4], 256));
  assert.deepEqual(relu.histogram, histogramOf([1, 0, 3, 0], 256));
});

Deno.test("collectStatistics takes models of older operator sets", async () => {
  const builder = new GraphBuilder();
  const y = builder.op("Relu", [builder.input("x", "float32", ["N", 2])]);
  builder.output(y);
  const model = builder.build({ opset: 13, ir: 8 });
  const feeds = feedsOf("x", [float32([1, 2], [-1, 5])]);
  const statistics = await collectStatistics(model, [y], feeds, OPTIONS);
  assert.deepEqual([statistics.get(y)!.min, statistics.get(y)!.max], [0, 5]);
});

/** A model whose inner value is `x / d`. */
function division(): { model: Model; inner: string } {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", ["N", 3]);
  const inner = builder.op("Div", [x, builder.constant(float32([3], [1, 0, 1e-30]))], {}, {
    name: "ratio",
  });
  builder.output(builder.op("Relu", [inner]));
  return { model: builder.build(), inner };
}

Deno.test("collectStatistics names activations and inputs that are not finite", async () => {
  const { model, inner } = division();
  const collect = (...values: number[]) =>
    collectStatistics(
      model,
      ["x", inner],
      feedsOf("x", [float32([1, 3], [1, 1, 0]), float32([1, 3], values)].slice(-1)),
      OPTIONS,
    );
  await assert.rejects(collect(1, 0, 1), {
    name: "UserError",
    message: 'Activation "ratio" has 1 NaN of 3 elements for call 0',
  });
  await assert.rejects(collect(1, -1, 1e10), {
    message: 'Activation "ratio" has 2 infinite of 3 elements for call 0',
  });
  await assert.rejects(collect(NaN, 1, Infinity), {
    message: 'Input "x" has 1 NaN and 1 infinite of 3 elements for call 0',
  });
});

Deno.test("collectStatistics takes finite values whose sum is not", async () => {
  const builder = new GraphBuilder();
  const y = builder.op("Relu", [builder.input("x", "float32", ["N", 3])]);
  builder.output(y);
  const feeds = feedsOf("x", [float32([1, 3], [3e38, 3e38, 3e38])]);
  const statistics = await collectStatistics(builder.build(), [y], feeds, OPTIONS);
  assert.equal(statistics.get(y)!.max, Math.fround(3e38));
});

Deno.test("Counter counts arrays of any length and alignment", () => {
  const buffer = Uint16Array.from({ length: 103 }, (_, index) => index * index % 50);
  for (const start of [0, 1, 2, 3]) {
    for (const end of [start, start + 1, start + 5, 100, 103]) {
      const counter = new Counter(50);
      const values = buffer.subarray(start, end);
      counter.add(values);
      counter.add(values);
      const expected = new Array<number>(50).fill(0);
      for (const value of values) expected[value]! += 2;
      assert.deepEqual(counter.counts(), expected);
    }
  }
});

Deno.test("Counter refuses integers that it has no place for", () => {
  assert.throws(() => new Counter(4).add(Uint16Array.of(1, 3, 9, 2, 65_535)), {
    name: "RangeError",
    message: "2 integers are not below 4",
  });
});
