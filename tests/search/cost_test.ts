import assert from "node:assert/strict";
import { UserError } from "../../src/base/errors.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { peakActivationMemory } from "../../src/search/cost/activation_memory.ts";
import {
  checkLatencyTable,
  LatencyLookup,
  type LatencyTable,
} from "../../src/search/cost/latency.ts";
import { addUp, type NodeCost, type WidthLayout } from "../../src/search/cost/node_cost.ts";
import { bitOperations, totalMacs } from "../../src/search/cost/operations.ts";
import { systolicLatency } from "../../src/search/cost/systolic.ts";
import { declaredShapes, workOf } from "../../src/search/cost/work.ts";

/** Shapes by hand: 2×6×6 → conv 3×3 → 4×6×6 → depthwise, stride 2 → 4×3×3 → transposed → 3×6×6 → Gemm. */
function model(): Model {
  const builder = new GraphBuilder();
  const constant = (...dims: number[]) =>
    builder.constant(float32(dims, new Float32Array(elementCount(dims))));
  const x = builder.input("x", "float32", ["N", 2, 6, 6]);
  const op = (
    opType: string,
    inputs: string[],
    name: string,
    attributes: Record<string, number | readonly number[]>,
  ) => builder.op(opType, inputs, attributes, { name, outputs: [`${name}.out`] });
  const a = op("Conv", [x, constant(4, 2, 3, 3)], "a", { pads: [1, 1, 1, 1] });
  const r = op("Relu", [a], "r", {});
  const b = op("Conv", [r, constant(4, 1, 3, 3)], "b", {
    pads: [1, 1, 1, 1],
    strides: [2, 2],
    group: 4,
  });
  const c = op("ConvTranspose", [b, constant(4, 3, 2, 2)], "c", { strides: [2, 2] });
  const f = op("Flatten", [c], "f", {});
  const y = op("Gemm", [f, constant(10, 108)], "d", { transB: 1 });
  builder.output(y, "float32", ["N", 10]);
  const built = builder.build();
  const shapes: Record<string, number[]> = {
    "a.out": [4, 6, 6],
    "r.out": [4, 6, 6],
    "b.out": [4, 3, 3],
    "c.out": [3, 6, 6],
    "f.out": [108],
  };
  for (const [name, dims] of Object.entries(shapes)) {
    built.graph.values.set(name, { name, type: "float32", dims: ["N", ...dims] });
  }
  return built;
}

const layers = ["a", "b", "c", "d"].map((name) => ({
  name,
  nodes: [name],
  elements: 1,
  entries: [],
}));
const works = workOf(model(), { layers });
/** A cost of the first layers where only weights get widths. */
function ofWeights(
  cost: NodeCost,
  widths: readonly number[],
  activationBits: number,
  count = works.length,
) {
  const rows = new Map(works.map(({ name }, row) => [name, row]));
  return addUp(cost, works.slice(0, count), {
    widths,
    allowed: works.slice(0, count).map(() => Uint8Array.from(widths.keys())),
    layerRow: (name) => rows.get(name),
    activationRow: () => undefined,
    weightBits: 8,
    activationBits,
  });
}

const MACS = [36 * 4 * 2 * 9, 9 * 4 * 9, 9 * 4 * 3 * 4, 108 * 10];

Deno.test("multiplications and bit operations of each layer, counted by hand", () => {
  assert.deepEqual(works.map(({ nodes }) => nodes[0]!.macs), MACS);
  assert.equal(totalMacs(works), MACS.reduce((a, b) => a + b));
  assert.deepEqual(
    [...ofWeights(bitOperations, [2, 8], 4).values],
    MACS.flatMap((macs) => [macs * 8, macs * 32]),
  );
  for (const { nodes: [node] } of works) {
    const { products, rows, depth, columns, macs } = node!;
    assert.equal(products * rows * depth * columns, macs);
  }
});

Deno.test("a cost of weights and activations is a sum of pairs, of activations alone, and a constant", () => {
  const widths = [2, 4, 8];
  const layout = (layers: boolean, activations: boolean): WidthLayout => ({
    widths,
    allowed: [[0, 2], [0, 1], [1, 2], [0, 2], [1, 2]].map((each) => Uint8Array.from(each)),
    layerRow: (name) => layers ? ["a", "b", "c"].indexOf(name) : undefined,
    activationRow: (value) => activations ? { "r.out": 3, "f.out": 4 }[value] : undefined,
    weightBits: 8,
    activationBits: 16,
  });
  const [a, b, c, d] = MACS as [number, number, number, number];
  const all = works.map((work) => work.name === "d" ? { ...work, name: "c" } : work);
  const both = addUp(bitOperations, all, layout(true, true));
  // a reads x and c reads b.out, which are no activations of the problem.
  assert.deepEqual([...both.values.subarray(0, 3)], [a * 2 * 16, 0, a * 8 * 16]);
  assert.deepEqual([...both.values.subarray(6, 9)], [0, c * 4 * 16, c * 8 * 16]);
  assert.deepEqual(both.pairs.map(({ first, second }) => [first, second]), [[1, 3], [2, 4]]);
  assert.deepEqual([...both.pairs[0]!.values], [b * 4, 0, b * 16, b * 8, 0, b * 32, 0, 0, 0]);
  assert.deepEqual([...both.pairs[1]!.values.subarray(4)], [d * 16, d * 32, 0, d * 32, d * 64]);
  assert.equal(both.constant, 0);
  const only = addUp(bitOperations, works, layout(false, true));
  assert.equal(only.constant, (a + c) * 8 * 16);
  assert.deepEqual([...only.values.subarray(9, 12)], [b * 8 * 2, 0, b * 8 * 8]);
  assert.deepEqual(only.pairs, []);
});

Deno.test("activation memory: the most that exists at one time", () => {
  const { graph } = model();
  const shapes = declaredShapes(graph);
  // a.out and r.out together are more than x and a.out.
  assert.deepEqual(peakActivationMemory(graph, shapes, () => 8), { bytes: 288, node: "r" });
  assert.equal(peakActivationMemory(graph, shapes, () => 4).bytes, 144);
});

Deno.test("activation memory: a value that is read late stays", () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [1, 100]);
  const a = builder.op("Relu", [x], {}, { name: "a" });
  const b = builder.op("Relu", [a], {}, { name: "b" });
  const c = builder.op("Add", [b, x], {}, { name: "c" });
  builder.output(c, "float32", [1, 100]);
  const { graph } = builder.build();
  const shapes = new Map([x, a, b, c].map((name) => [name, [1, 100]]));
  // x waits for the sum while a becomes b.
  assert.deepEqual(peakActivationMemory(graph, shapes, () => 8), { bytes: 300, node: "b" });
});

Deno.test("a model without shapes, or without a layer, is refused", () => {
  const bare = model();
  bare.graph.values.clear();
  assert.throws(
    () => workOf(bare, { layers }),
    /shape of value "a\.out" of the model is not known/,
  );
  assert.throws(
    () => workOf(model(), { layers: [{ ...layers[0]!, nodes: ["z"] }] }),
    /The model has no layer "z"/,
  );
});

Deno.test("latencies are looked up by operator, shapes and widths", () => {
  const [a, b, c, d] = works.map(({ nodes: [node] }) => node!);
  const entry = (node: typeof a, weight_bits: number, us: number) => {
    const { op, input, weight, output } = node!;
    return { op, input, weight, output, weight_bits, activation_bits: 8, us };
  };
  const table: LatencyTable = {
    version: 1,
    device: "made up",
    entries: [
      ...[a, b, c, d].map((node, index) => entry(node, 8, 10 + index)),
      ...[a, b, c].map((node, index) => entry(node, 4, 5 + index)),
    ],
    rest: { "8": 3 },
  };
  const lookup = new LatencyLookup(table);
  assert.deepEqual([...ofWeights(lookup.cost, [8], 8).values], [10, 11, 12, 13]);
  lookup.requireAll();
  ofWeights(lookup.cost, [4, 8], 8);
  assert.throws(
    () => lookup.requireAll(),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /no Gemm of weights \[10,108\].* at 4 bits .*layer "d"/);
      return true;
    },
  );
  assert.equal(checkLatencyTable(JSON.parse(JSON.stringify(table)), "t").entries.length, 7);
  assert.throws(() => checkLatencyTable({ version: 1, entries: [{}] }, "t"), /"t" has entry 0/);
  assert.throws(() => checkLatencyTable([], "t"), /"t" is none/);
});

Deno.test("a systolic array: cycles where it computes, bytes where it waits for memory", () => {
  const array = {
    rows: 8,
    columns: 4,
    clock_mhz: 100,
    bandwidth_gbs: 1e6,
    weight_lanes: 1,
    activation_lanes: 8,
  };
  // Layer a: depth 18 in 3 tiles of 8, 4 columns in one, 36 rows + 8 + 4 − 2 steps, one cycle a bit.
  const [two, eight] = ofWeights(systolicLatency(array), [2, 8], 8, 1).values;
  assert.equal(two, 3 * 46 * 2 / 100);
  assert.equal(eight, 3 * 46 * 8 / 100);
  const slow = ofWeights(
    systolicLatency({ ...array, bandwidth_gbs: 1e-3 }),
    [4],
    8,
    1,
  ).values;
  assert.equal(slow[0], 72 / 2 + 72 + 144);
});
