import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { pairModels } from "../../src/checker/check.ts";
import { facetSlopes } from "../../src/checker/facet.ts";
import { chooseSlopes, intercept } from "../../src/checker/planes.ts";
import { Prover } from "../../src/checker/prover.ts";
import type { Model } from "../../src/onnx/model.ts";
import { middlePlane } from "../../src/verify/bounds/planes.ts";
import { Propagator } from "../../src/verify/bounds/propagate.ts";
import { allRows } from "../../src/verify/bounds/rows.ts";
import { pairModels as pairForEvaluation } from "../../src/verify/network/pair.ts";
import { neuron } from "../verify/neurons.ts";
import { files, pairOf, rounding } from "./networks.ts";

Deno.test("the checker's planes are as good in the middle as the search's, which finds them in another way", () => {
  const random = Random.from(81, "facets");
  let open = 0;
  for (let trial = 0; trial < 3000; trial++) {
    const { bounds, points } = neuron(random);
    if (points.length === 0) continue;
    const numbers = Object.fromEntries(Object.entries(bounds).map(([name, [x]]) => [name, x!]));
    const region = numbers as unknown as Parameters<typeof intercept>[0];
    const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = region;
    if ((zLower >= 0 || zUpper <= 0) && (yLower >= 0 || yUpper <= 0)) continue;
    const { p, q } = chooseSlopes(region, 1);
    const plane = { p: 0, q: 0, c: 0 };
    middlePlane(zLower, zUpper, yLower, yUpper, eLower, eUpper, plane);
    const [z, e] = [(zLower + zUpper) / 2, (eLower + eUpper) / 2];
    const own = p * z + q * e + intercept(region, p, q, 1);
    const other = plane.p * z + plane.q * e + plane.c;
    assert.ok(Math.abs(own - other) <= 1e-6 * (eUpper - eLower) + 1e-11 * (zUpper - zLower));
    open++;
  }
  assert.ok(open > 1000, `${open}`);
});

Deno.test("a region without area has no facet", () => {
  assert.equal(facetSlopes(-1, 1, -1, 1, 0, 0), undefined);
  assert.equal(facetSlopes(-Infinity, 1, -1, 1, -1, 1), undefined);
});

/** Layers of which a copy rounds the last but one to a grid of a given step. */
function rounded(step: number): [Model, Model] {
  return pairOf(15, [1, 6], 0.02, (b, x, weights, isCopy) => {
    const layer = (value: string, size: number) =>
      b.op("Relu", [b.op("Gemm", [value, weights([size, 12], 0.6), weights([12], 1)])]);
    const second = layer(layer(x, 6), 12);
    const a = isCopy ? rounding(b, second, [step], 0) : second;
    return b.op("Gemm", [a, weights([12, 2], 0.5)]);
  });
}

Deno.test("values that only intervals take beyond the end of a grid are known not to pass it", async () => {
  const lower = Float64Array.from({ length: 6 }, (_, at) => Math.sin(at + 1) - 0.3);
  const upper = lower.map((from) => from + 0.6);
  await using wide = new Propagator(pairForEvaluation(...rounded(1)));
  const before = wide.network.steps.findLastIndex(({ kind }) => kind === "relu");
  const state = await wide.propagate({ count: 1, lower, upper }, "values");
  const intervals = state.bounds.get(before)!;
  const { bounds: rows } = await wide.boundRows(before, "y", allRows(1, 12), state);
  const uppers = Array.from(intervals.yUpper, (_, at) => -rows[2 * at + 1]!);
  const end = 1.001 * Math.max(...uppers);
  const passes = intervals.yUpper.some((most, at) => most > end && intervals.yLower[at]! > 0);
  assert.ok(passes, "some neuron has to be on, and pass the end by intervals");
  const proven = (models: [Model, Model]) => {
    const { lower: least, upper: most } = new Prover(pairModels(files(models)))
      .prove(lower, upper, { differences: true });
    return Math.max(...most, ...least.map((each) => -each));
  };
  // A grid of the same step whose end is far away costs nothing less.
  const [cut, free] = [proven(rounded(end / 255)), proven(rounded(1.02 * end / 255))];
  assert.ok(cut <= 1.02 * free, `${cut} against ${free}`);
});
