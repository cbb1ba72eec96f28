import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../../src/base/random.ts";
import { largestDifference } from "../../../src/engine/compare.ts";
import { runWithIntermediates } from "../../../src/engine/intermediates.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { float } from "../../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { cloneModel, nameEverything } from "../../../src/onnx/edit.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32 } from "../../../src/onnx/tensor.ts";
import {
  foldedStatistics,
  setFoldedStatistics,
} from "../../../src/quant/distributions/batch_norm.ts";
import { channelPeaks } from "../../../src/quant/pruning/activity.ts";
import { findRemovable } from "../../../src/quant/pruning/removable.ts";
import { removeChannels, silenceChannels } from "../../../src/quant/pruning/remove.ts";

/** Every way that channels can take: depthwise layers, branches, PRelu, pooling, Flatten, both forms of Gemm. */
async function network(): Promise<Model> {
  const random = Random.from(5, "pruning");
  const builder = new GraphBuilder();
  const constant = (dims: number[]) =>
    builder.constant(
      float32(dims, Float32Array.from({ length: elementCount(dims) }, () => random.normal())),
    );
  const conv = (name: string, input: string, dims: number[], attributes = {}) =>
    builder.op("Conv", [input, constant(dims), constant([dims[0]!])], attributes, { name });
  const pads = [1, 1, 1, 1];
  const x = builder.input("x", "float32", ["N", 3, 8, 8]);
  const a = builder.op("Relu", [conv("a", x, [6, 3, 3, 3], { pads })]);
  const depthwise = conv("b", a, [6, 1, 3, 3], { group: 6, pads, strides: [2, 2] });
  const b = builder.op("Clip", [depthwise, builder.constant(0), builder.constant(6)]);
  const c = conv("c", b, [4, 6, 1, 1]);
  // What is added to something else stays: c, and e.
  const d = builder.op("PRelu", [conv("d", c, [7, 4, 1, 1]), constant([7, 1, 1])]);
  const sum = builder.op("Add", [conv("e", d, [4, 7, 1, 1]), c]);
  const f = builder.op("LeakyRelu", [conv("f", sum, [5, 4, 1, 1])], { alpha: float(0.1) });
  const joined = builder.op("Concat", [
    conv("g", f, [3, 5, 1, 1]),
    conv("h", f, [3, 5, 3, 3], { pads }),
  ], { axis: 1 });
  const i = builder.op("Relu", [conv("i", joined, [4, 6, 1, 1])]);
  const pooled = builder.op("MaxPool", [i], { kernel_shape: [2, 2], strides: [2, 2] });
  const flat = builder.op("Reshape", [pooled, builder.constant([0, 16])]);
  const j = builder.op("Relu", [
    builder.op("Gemm", [flat, constant([16, 7]), constant([7])], {}, { name: "j" }),
  ]);
  const k = builder.op("Gemm", [j, constant([3, 7]), constant([3])], { transB: 1 }, { name: "k" });
  builder.output(k, "float32", ["N", 3]);
  const model = builder.build();
  nameEverything(model.graph);
  for (const [name, { type, dims }] of await inferShapes(model, { x: [2, 3, 8, 8] })) {
    if (model.graph.initializers.has(name)) continue;
    model.graph.values.set(name, { name, type, dims: ["N", ...dims.slice(1)] });
  }
  return model;
}

/** Which channels of which layers stay; at least one of each. */
const masks = (groups: readonly { first: { outputs: number } }[]) =>
  fc.tuple(
    ...groups.map(({ first: { outputs } }) =>
      fc.array(fc.boolean(), { minLength: outputs, maxLength: outputs })
        .filter((stays) => stays.includes(true))
    ),
  );

Deno.test("channels are followed through all that treats them one by one, up to what adds them up", async () => {
  const found = findRemovable((await network()).graph);
  assert.deepEqual(
    found.map(({ first, depthwise, readers }) => ({
      first: first.node.name,
      depthwise: depthwise.map(({ node }) => node.name),
      readers: readers.map(({ layer, positions }) => `${layer.node.name} ${positions}`),
    })),
    [
      { first: "a", depthwise: ["b"], readers: ["c 1"] },
      { first: "d", depthwise: [], readers: ["e 1"] },
      { first: "f", depthwise: [], readers: ["g 1", "h 1"] },
      { first: "i", depthwise: [], readers: ["j 4"] },
      { first: "j", depthwise: [], readers: ["k 1"] },
    ],
  );
});

Deno.test("a network without channels computes what it does when nothing reads them", async () => {
  const model = await network();
  await fc.assert(
    fc.asyncProperty(masks(findRemovable(model.graph)), fc.nat(), async (stays, seed) => {
      const change = (how: typeof removeChannels) => {
        const changed = cloneModel(model);
        how(
          changed,
          findRemovable(changed.graph).map((channels, index) => ({
            channels,
            stays: stays[index]!,
          })),
        );
        return changed;
      };
      const [silenced, removed] = [change(silenceChannels), change(removeChannels)];
      assert.ok(await largestDifference(silenced, removed, seed) < 3e-6);
      // What is declared of values is what they are.
      for (const [name, { dims }] of await inferShapes(removed, { x: [2, 3, 8, 8] })) {
        if (removed.graph.initializers.has(name)) continue;
        assert.deepEqual(removed.graph.values.get(name)?.dims?.slice(1), dims.slice(1), name);
      }
      const all = stays.flat();
      if (all.every(Boolean)) assert.equal(await largestDifference(model, removed, seed), 0);
    }),
    { numRuns: 60, seed: 1 },
  );
});

Deno.test("silencing a channel that matters changes the function", async () => {
  const model = await network();
  const silenced = cloneModel(model);
  const [channels] = findRemovable(silenced.graph);
  silenceChannels(silenced, [{
    channels: channels!,
    stays: Array.from({ length: 6 }, (_, channel) => channel !== 2),
  }]);
  assert.ok(await largestDifference(model, silenced, 0) > 1e-3);
});

Deno.test("what batch normalization knew of a channel goes with it", async () => {
  const model = await network();
  const [channels] = findRemovable(model.graph);
  const name = channels!.values[0]!;
  const known = {
    mean: Float64Array.of(1, 2, 3, 4, 5, 6),
    deviation: Float64Array.of(6, 5, 4, 3, 2, 1),
  };
  setFoldedStatistics(model, new Map([[name, known]]));
  removeChannels(model, [{ channels: channels!, stays: [true, false, true, true, false, true] }]);
  const { mean, deviation } = foldedStatistics(model).get(name)!;
  assert.deepEqual([[...mean], [...deviation]], [[1, 3, 4, 6], [6, 4, 3, 1]]);
});

Deno.test("weights that other layers read too keep their channels", () => {
  const builder = new GraphBuilder();
  const weights = builder.constant(
    float32([4, 4, 1, 1], Float32Array.from({ length: 16 }, (_, i) => i)),
  );
  const x = builder.input("x", "float32", ["N", 4, 2, 2]);
  const first = builder.op("Relu", [builder.op("Conv", [x, weights])]);
  builder.output(builder.op("Conv", [first, weights]));
  assert.deepEqual(findRemovable(builder.build().graph), []);
});

Deno.test("a slope of PRelu that is no channel's keeps the channels", async () => {
  const slopes = async (dims: number[]) => {
    const builder = new GraphBuilder();
    const constant = (dims: number[]) =>
      builder.constant(float32(dims, new Float32Array(elementCount(dims))));
    const x = builder.input("x", "float32", ["N", 2, 4, 4]);
    const first = builder.op("Conv", [x, constant([4, 2, 1, 1])]);
    const bent = builder.op("PRelu", [first, constant(dims)]);
    builder.output(builder.op("Conv", [bent, constant([3, 4, 1, 1])]));
    const model = builder.build();
    for (const [name, { type, dims }] of await inferShapes(model, { x: [1, 2, 4, 4] })) {
      model.graph.values.set(name, { name, type, dims: [...dims] });
    }
    return findRemovable(model.graph).length;
  };
  assert.deepEqual(
    [
      await slopes([1]),
      await slopes([4, 1, 1]),
      await slopes([1, 4, 1, 1]),
      await slopes([4]),
      await slopes([4, 4, 4]),
    ],
    [1, 1, 1, 0, 0],
  );
});

Deno.test("peaks are the largest magnitudes that readers are given, over all batches", async () => {
  const model = await network();
  const groups = findRemovable(model.graph);
  const random = Random.from(3, "peaks");
  const feeds = Array.from({ length: 3 }, () => ({
    x: float32([2, 3, 8, 8], Float32Array.from({ length: 384 }, () => random.normal())),
  }));
  async function* batches() {
    yield* feeds;
  }
  const peaks = await channelPeaks(model, groups, batches(), {
    threads: 1,
    signal: new AbortController().signal,
  });
  const expected = groups.map(({ first }) => new Float64Array(first.outputs));
  const names = groups.flatMap(({ readers }) => readers.map(({ layer }) => layer.node.inputs[0]!));
  await runWithIntermediates(model, [...new Set(names)], () => feeds, (values) => {
    groups.forEach(({ first, readers }, group) => {
      for (const { layer } of readers) {
        const { dims, data } = values[layer.node.inputs[0]!]!;
        const width = elementCount(dims.slice(1)) / first.outputs;
        (data as Float32Array).forEach((value, index) => {
          const channel = Math.floor(index / width) % first.outputs;
          expected[group]![channel] = Math.max(expected[group]![channel]!, Math.abs(value));
        });
      }
    });
  });
  assert.deepEqual(peaks, expected);
});
