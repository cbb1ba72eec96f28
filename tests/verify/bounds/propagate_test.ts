import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { elementCount, float32, tensor } from "../../../src/onnx/tensor.ts";
import type { RowView } from "../../../src/verify/bounds/graphs/backward.ts";
import type { BoxBatch } from "../../../src/verify/bounds/batch.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { allRows } from "../../../src/verify/bounds/rows.ts";
import { Verifier } from "../../../src/verify/verify.ts";
import { box } from "../../../src/verify/box.ts";
import { evaluate, valuesOf } from "../../../src/verify/network/evaluate.ts";
import { type PairedNetwork, sizeOf } from "../../../src/verify/network/network.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";

type Weights = (dims: number[], scale?: number) => string;

/** A network and a copy with every weight a little different. */
function pair(
  dims: number[],
  error: number,
  make: (builder: GraphBuilder, x: string, weights: Weights) => string,
): PairedNetwork {
  const built = (which: number): Model => {
    const random = Random.from(7, "weights");
    const other = Random.from(8 + which, "errors");
    const builder = new GraphBuilder();
    const weights: Weights = (shape, scale = 1) =>
      builder.constant(float32(
        shape,
        Array.from({ length: elementCount(shape) }, () => {
          const value = random.normal() * scale;
          return value + which * error * scale * (other.uniform() - 0.5);
        }),
      ));
    builder.output(make(builder, builder.input("x", "float32", dims), weights));
    return builder.build({ opset: 17 });
  };
  return pairModels(built(0), built(1));
}

const dense = (hidden: number, depth: number, error: number) =>
  pair([1, 3], error, (b, x, weights) => {
    let value = x, width = 3;
    for (let layer = 0; layer < depth; layer++) {
      const z = b.op("Gemm", [
        value,
        weights([width, hidden], Math.sqrt(2 / width)),
        weights([hidden], 0.3),
      ]);
      value = b.op("Relu", [z]);
      width = hidden;
    }
    return b.op("Gemm", [value, weights([width, 2], 0.5), weights([2])]);
  });

const NETWORKS: Record<string, PairedNetwork> = {
  "dense layers": dense(9, 3, 0.05),
  "dense layers, far apart": dense(6, 3, 1.5),
  "convolutions, a residual, a pool and LeakyRelu": pair([1, 2, 6, 5], 0.05, (b, x, weights) => {
    const first = b.op("Relu", [
      b.op("Conv", [x, weights([4, 2, 3, 3], 0.3), weights([4])], {
        pads: [1, 1, 1, 1],
        strides: [2, 1],
      }),
    ]);
    const z = b.op("Conv", [first, weights([4, 2, 3, 3], 0.3), weights([4])], {
      pads: [1, 1, 1, 1],
      group: 2,
    });
    const sum = b.op("Add", [z, first]);
    const act = b.op("LeakyRelu", [
      b.op("AveragePool", [sum], { kernel_shape: [2, 2], strides: [1, 2] }),
    ]);
    const flat = b.op("Flatten", [b.op("Transpose", [act], { perm: [0, 2, 3, 1] })]);
    return b.op("Gemm", [b.op("Sub", [flat, weights([16])]), weights([16, 3], 0.4)]);
  }),
  "clipping, joined parts and stacked affine steps": pair([1, 4], 0.05, (b, x, weights) => {
    const z = b.op("Gemm", [
      b.op("Mul", [b.op("Add", [x, weights([4])]), weights([4])]),
      weights([4, 6]),
      weights([6]),
    ]);
    const six = b.op("Clip", [z, b.constant(0), b.constant(1)]);
    const joined = b.op("Concat", [
      six,
      b.op("Relu", [b.op("Slice", [z, b.constant([1]), b.constant([4]), b.constant([1])])]),
    ], { axis: 1 });
    return b.op("Gemm", [b.op("Relu", [b.op("Gemm", [joined, weights([9, 5])])]), weights([5, 2])]);
  }),
};

NETWORKS["max pools"] = pair([1, 1, 4, 6], 0.05, (b, x, weights) => {
  const first = b.op("MaxPool", [
    b.op("Conv", [x, weights([2, 1, 3, 3], 0.3), weights([2])], { pads: [1, 1, 1, 1] }),
  ], { kernel_shape: [2, 2], strides: [2, 2] });
  const second = b.op("MaxPool", [b.op("Relu", [first])], {
    kernel_shape: [2, 3],
    strides: [1, 2],
    pads: [1, 1, 0, 1],
  });
  return b.op("Gemm", [b.op("Flatten", [second]), weights([8, 2], 0.5)]);
});
NETWORKS["sigmoid and tanh"] = pair([1, 3], 0.05, (b, x, weights) => {
  const first = b.op("Sigmoid", [b.op("Gemm", [x, weights([3, 7], 1.5), weights([7])])]);
  const second = b.op("Tanh", [b.op("Gemm", [first, weights([7, 6]), weights([6])])]);
  return b.op("Gemm", [second, weights([6, 2])]);
});

NETWORKS["rounding, of the input too"] = (() => {
  return pair([1, 3], 0.05, (b, x, weights) => {
    const scale = b.constant(float32([], [0.05]));
    const zero = b.constant(tensor("uint8", [], Uint8Array.of(100)));
    const rounded = (value: string) =>
      b.op("DequantizeLinear", [b.op("QuantizeLinear", [value, scale, zero]), scale, zero]);
    const first = b.op("Relu", [b.op("Gemm", [rounded(x), weights([3, 7]), weights([7])])]);
    const sum = b.op("Add", [rounded(first), b.op("Gemm", [x, weights([3, 7]), weights([7])])]);
    return b.op("Gemm", [rounded(sum), weights([7, 2])]);
  });
})();

function batchOf(network: PairedNetwork, random: Random, count: number, width: number): BoxBatch {
  const { size } = network.input;
  const lower = Float64Array.from({ length: count * size }, () => random.normal());
  return { count, lower, upper: lower.map((from) => from + width * random.uniform()) };
}

function sample(
  { lower, upper }: BoxBatch,
  box: number,
  size: number,
  random: Random,
): Float64Array {
  return Float64Array.from({ length: size }, (_, at) => {
    const [from, to] = [lower[box * size + at]!, upper[box * size + at]!];
    const where = random.uniform();
    return where < 0.2 ? from : where > 0.8 ? to : from + (to - from) * random.uniform();
  });
}

for (const [name, given] of Object.entries(NETWORKS)) {
  const runs = [["real", 0, 0], ["float32", 2, 0], ["real", 0, 5], ["float32", 0, 2]] as const;
  for (const [semantics, reselect, refine] of runs) {
    const steps = `${reselect} and ${refine} steps`;
    Deno.test(`bounds hold at sampled points: ${name}, ${semantics}, ${steps}`, async () => {
      const random = Random.from(9, name);
      const memory = 2 ** 16;
      await using propagator = new Propagator(given, { semantics, reselect, refine, memory });
      const { network } = propagator;
      const outputs = sizeOf(network, network.output);
      for (const [rows, width] of [["none", 0.5], ["values", 0.2], ["differences", 0.5]] as const) {
        const batch = batchOf(network, random, 3, width);
        const state = await propagator.propagate(batch, rows);
        const wanted = allRows(batch.count, outputs);
        const bounds: Float64Array[] = [];
        for (const view of ["z", "y", "joint", "merged"] as RowView[]) {
          bounds.push((await propagator.boundRows(network.output, view, wanted, state)).bounds);
        }
        for (let box = 0; box < batch.count; box++) {
          for (let trial = 0; trial < 60; trial++) {
            const x = sample(batch, box, network.input.size, random);
            const z = valuesOf(network, "original", x);
            const y = valuesOf(network, "quantized", x);
            for (const [value, known] of state.bounds) {
              const size = sizeOf(network, value);
              for (let at = 0; at < size; at++) {
                const place = box * size + at;
                const [a, b] = [z[value]![at]!, y[value]![at]!];
                const slack = 1e-12 * (1 + Math.abs(a) + Math.abs(b));
                assert.ok(a >= known.zLower[place]! - slack && a <= known.zUpper[place]! + slack);
                assert.ok(b >= known.yLower[place]! - slack && b <= known.yUpper[place]! + slack);
                assert.ok(
                  a - b >= known.eLower[place]! - slack && a - b <= known.eUpper[place]! + slack,
                );
              }
            }
            const [a, b] = [z[network.output]!, y[network.output]!];
            evaluate(given, x).difference.forEach((value, at) =>
              assert.ok(Math.abs(b[at]! - a[at]! - value) < 1e-12)
            );
            for (let place = 0; place < wanted.index.length; place++) {
              if (wanted.group[Math.floor(place / wanted.width)] !== box) continue;
              const at = wanted.index[place]!, sign = wanted.sign[place]!;
              const values = [a[at]!, b[at]!, a[at]! - b[at]!, a[at]! - b[at]!];
              values.forEach((value, view) =>
                assert.ok(sign * value >= bounds[view]![place]! - 1e-12)
              );
            }
          }
        }
      }
    });
  }

  Deno.test(`a box without width gives the difference itself: ${name}`, async () => {
    const random = Random.from(10, name);
    await using propagator = new Propagator(given);
    const { network } = propagator;
    const batch = batchOf(network, random, 4, 0);
    const state = await propagator.propagate(batch, "values");
    const outputs = sizeOf(network, network.output);
    const rows = allRows(batch.count, outputs);
    const { bounds } = await propagator.boundRows(network.output, "joint", rows, state);
    for (let box = 0; box < batch.count; box++) {
      const { difference } = evaluate(network, sample(batch, box, network.input.size, random));
      difference.forEach((value, at) => {
        assert.ok(Math.abs(-value - bounds[box * rows.width + 2 * at]!) < 1e-9);
        assert.ok(Math.abs(value - bounds[box * rows.width + 2 * at + 1]!) < 1e-9);
      });
    }
  });
}

Deno.test("inherited bounds are used, and the joint choice is tighter than the merged network", async () => {
  const network = NETWORKS["dense layers"]!;
  await using propagator = new Propagator(network);
  const batch = batchOf(network, Random.from(11, "inherit"), 6, 0.4);
  const rows = allRows(batch.count, 2);
  const plain = await propagator.propagate(batch, "none");
  const narrow = await propagator.propagate(batch, "values");
  const again = await propagator.propagate(batch, "none", narrow.bounds);
  const total = async (view: RowView, state: typeof plain) =>
    (await propagator.boundRows(network.output, view, rows, state)).bounds.reduce(
      (sum, each) => sum - each,
      0,
    );
  const [loose, tight, given] = [
    await total("joint", plain),
    await total("joint", narrow),
    await total("joint", again),
  ];
  assert.ok(tight < 0.9 * loose);
  assert.ok(Math.abs(given - tight) < 1e-6 * tight);
  assert.ok(tight < 0.8 * await total("merged", narrow));
});

Deno.test("slopes that each row chooses tighten wide boxes", async () => {
  const network = NETWORKS["dense layers"]!;
  await using fixed = new Propagator(network);
  await using chosen = new Propagator(network, { reselect: 4 });
  const batch = batchOf(network, Random.from(12, "slopes"), 6, 2);
  const width = async (propagator: Propagator) => {
    const { bounds } = await propagator.propagate(batch, "values");
    const { zLower, zUpper } = bounds.get(5)!;
    return zUpper.reduce((sum, upper, at) => sum + upper - zLower[at]!, 0);
  };
  assert.ok(await width(chosen) < 0.97 * await width(fixed));
});

Deno.test("a verifier brackets a network with max pools", async () => {
  const network = NETWORKS["max pools"]!;
  const { lower, upper } = batchOf(network, Random.from(13, "pools"), 1, 0.2);
  await using verifier = new Verifier(network, { method: "differential", split: false });
  const { outputs } = await verifier.verify(box(lower, upper));
  const random = Random.from(14, "points");
  for (let trial = 0; trial < 200; trial++) {
    const x = sample({ count: 1, lower, upper }, 0, network.input.size, random);
    evaluate(network, x).difference.forEach((value, at) =>
      assert.ok(value >= outputs[at]!.lower && value <= outputs[at]!.upper)
    );
  }
  assert.ok(outputs.every(({ proven, found }) => proven < 10 * found));
});
