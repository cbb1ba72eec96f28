import assert from "node:assert/strict";
import { compareExact, exactDifference } from "../../../bench/soundness/exact.ts";
import { Random } from "../../../src/base/random.ts";
import { CondensedBounder } from "../../../src/verify/bounds/condensed/bounder.ts";
import {
  reducedOf,
  reducedRow,
  relaxedCount,
} from "../../../src/verify/bounds/condensed/reduced.ts";
import { RegionSearch } from "../../../src/verify/bounds/condensed/regions.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import { boundViews, packLayout } from "../../../src/verify/split/pack.ts";
import { boxes, chain } from "../chains.ts";

const NETWORKS = [
  ["networks that are close", chain(52, [3, 8, 7, 6, 2], 1e-4), 0.3],
  ["networks that are less so", chain(53, [3, 8, 6, 2], 1e-2), 0.4],
  ["networks that are not", chain(54, [3, 7, 6, 2], 0.3), 0.4],
] as const;

/** Points of a box: inside, at corners, and near where a Relu of either network has its kink. */
function pointsOf(random: Random, lower: Float64Array, upper: Float64Array): Float64Array[] {
  return Array.from({ length: 400 }, (_, sample) =>
    lower.map((from, at) => {
      const share = sample % 2 === 0 ? random.integer(2) : random.uniform();
      return share === 1 ? upper[at]! : from + share * (upper[at]! - from);
    }));
}

for (const [name, network, width] of NETWORKS) {
  for (const semantics of ["real", "float32"] as const) {
    Deno.test(`regions bound all that is not in a loose one, and come near: ${name}, ${semantics}`, async () => {
      await using propagator = new Propagator(network);
      const layout = packLayout(network, propagator.nonlinearInputs);
      const views = boundViews(layout, new Float64Array(layout.length));
      const bounder = new CondensedBounder(network, semantics);
      const random = Random.from(55, name);
      let [rows, near, exact, checked] = [0, 0, 0, 0];
      for (let trial = 0; trial < 20; trial++) {
        const { lower, upper } = boxes(random, 1, network.input.size, width);
        const box = bounder.bound(lower, upper, views, false, true);
        const count = relaxedCount(box);
        if (count === 0) continue;
        const free = box.symbols.free.slice(0, box.symbols.inputs);
        const points = pointsOf(random, lower, upper);
        const wanted = [0, 1, 2, 3].map((at) => ({ output: at >> 1, sign: at % 2 === 0 ? 1 : -1 }));
        const values = points.map((x) => evaluate(network, x).difference);
        const least = wanted.map(({ output, sign }) =>
          Math.min(...values.map((value) => -sign * value[output]!))
        );
        const search = new RegionSearch(reducedOf(box, bounder.unit));
        const reduced = wanted.map(({ output, sign }) => reducedRow(box, count, output, sign));
        const enough = least.map((value) => value - 0.1 * Math.abs(value));
        // What is found on the way counts.
        const look = (point: Float64Array) => {
          const x = lower.slice();
          point.forEach((value, at) => {
            const to = free[at]!;
            x[to] = Math.min(Math.max(value, lower[to]!), upper[to]!);
          });
          const { difference } = evaluate(network, x);
          wanted.forEach(({ output, sign }, at) => {
            least[at] = Math.min(least[at]!, -sign * difference[output]!);
            enough[at] = least[at]! - 0.1 * Math.abs(least[at]!);
          });
        };
        const found = search.bound(reduced, enough, 20_000, look);
        if (found === undefined) continue;
        wanted.forEach(({ output, sign }, at) => {
          rows++;
          const loose = found.loose.filter(({ rows }) => rows.some(({ row }) => row === at));
          if (loose.length === 0) near++;
          const bound = Math.min(
            found.least[at]!,
            ...loose.flatMap(({ rows }) => rows).filter(({ row }) => row === at)
              .map(({ bound }) => bound),
          );
          assert.ok(bound <= least[at]! + 1e-13, `${bound} above ${least[at]}`);
          points.forEach((x, which) => {
            const isLoose = loose.some(({ hull }) =>
              free.every((to, input) =>
                x[to]! >= hull[2 * input]! - 1e-9 && x[to]! <= hull[2 * input + 1]! + 1e-9
              )
            );
            if (isLoose) return;
            checked++;
            const value = -sign * values[which]![output]!;
            assert.ok(found.least[at]! <= value + 1e-13, `${found.least[at]} above ${value}`);
            if (semantics === "real" && which % 80 === 0 && Number.isFinite(found.least[at])) {
              const is = exactDifference(network, x)[output]!;
              assert.ok((sign > 0 ? 1 : -1) * compareExact(is, -sign * found.least[at]!) <= 0);
              exact++;
            }
          });
        });
      }
      assert.ok(rows > 20 && checked > 2000, `${rows} rows, ${checked} points`);
      assert.ok(semantics === "float32" || exact > 40, `${exact} exactly`);
      if (name.endsWith("close") && semantics === "real") {
        assert.ok(near > 0.5 * rows, `${near} of ${rows}`);
      }
    });
  }
}
