import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { allRows } from "../../../src/verify/bounds/rows.ts";
import { gridEndsOf, wantedRows } from "../../../src/verify/bounds/wanted.ts";
import { valuesOf } from "../../../src/verify/network/evaluate.ts";
import { boxes, chain } from "../chains.ts";

Deno.test("rows are made where a value that is never negative can pass the end of a grid", () => {
  const bounds = {
    zLower: Float64Array.of(1, 1, 1, -1),
    zUpper: Float64Array.of(3, 5, 3.9, 5),
    yLower: Float64Array.of(1, 1, 1, -1),
    yUpper: Float64Array.of(3, 5, 4.1, 5),
    eLower: new Float64Array(4).fill(-0.2),
    eUpper: new Float64Array(4).fill(0.2),
  };
  const gridEnds = { original: undefined, quantized: new Float64Array(4).fill(4) };
  const rowsOf = (view: "z" | "y" | "joint", isKnownByDifference: boolean) => [
    ...wantedRows(bounds, view, { onlyRelu: true, isKnownByDifference, gridEnds }),
  ];
  assert.deepEqual(rowsOf("z", false), [0, 0, 0, 1, 0, 1, 1, 1]);
  assert.deepEqual(rowsOf("joint", false), [0, 0, 1, 0, 1, 0, 1, 1]);
  assert.deepEqual(rowsOf("y", true), [0, 0, 0, 1, 0, 1, 0, 1]);
});

Deno.test("values that only intervals take beyond the end of a grid are known not to pass it", async () => {
  const network = chain(8, [6, 12, 12, 3], 0.02, 0.02);
  const random = Random.from(63, "boxes");
  const ends = gridEndsOf(network);
  assert.deepEqual([...ends.keys()], [1, 4]);
  await using propagator = new Propagator(network);
  let passed = 0, kept = 0;
  for (let trial = 0; trial < 60; trial++) {
    const batch = boxes(random, 1, 6, 1);
    const [plain, state] = [
      await propagator.propagate(batch, "none"),
      await propagator.propagate(batch, "differences"),
    ];
    const { bounds: rows } = await propagator.boundRows(4, "y", allRows(1, 12), state);
    const end = ends.get(4)!.quantized!;
    const [before, after] = [plain.bounds.get(4)!, state.bounds.get(4)!];
    for (let neuron = 0; neuron < 12; neuron++) {
      if (before.yUpper[neuron]! <= end[neuron]! || before.yLower[neuron]! < 0) continue;
      passed++;
      if (after.yUpper[neuron]! > end[neuron]!) {
        assert.ok(after.yUpper[neuron]! <= -rows[2 * neuron + 1]!);
      } else kept++;
    }
    for (let point = 0; point < 50; point++) {
      const x = batch.lower.map((from, at) => from + random.uniform() * (batch.upper[at]! - from));
      const [z, y] = [valuesOf(network, "original", x)[4]!, valuesOf(network, "quantized", x)[4]!];
      for (let neuron = 0; neuron < 12; neuron++) {
        assert.ok(z[neuron]! <= after.zUpper[neuron]! && y[neuron]! <= after.yUpper[neuron]!);
        assert.ok(z[neuron]! - y[neuron]! >= after.eLower[neuron]!);
      }
    }
  }
  assert.ok(passed > 20 && kept > passed / 4, `${kept} of ${passed}`);
});
