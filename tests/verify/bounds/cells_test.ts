import assert from "node:assert/strict";
import { compareExact, exactDifference } from "../../../bench/soundness/exact.ts";
import { Random } from "../../../src/base/random.ts";
import { CondensedBounder } from "../../../src/verify/bounds/condensed/bounder.ts";
import { HalfSpaces } from "../../../src/verify/bounds/condensed/half_spaces.ts";
import {
  type Reduced,
  reducedOf,
  reducedRow,
  relaxedCount,
} from "../../../src/verify/bounds/condensed/reduced.ts";
import { RelaxedNeurons } from "../../../src/verify/bounds/condensed/relaxed.ts";
import { RowRefiner } from "../../../src/verify/bounds/condensed/refine.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import { boundViews, packLayout } from "../../../src/verify/split/pack.ts";
import { boxes, chain } from "../chains.ts";

/** What half-spaces know of a network: the box and the unit of roundings. */
function boxOnly(center: Float64Array, half: Float64Array): Reduced {
  const none = new Float64Array(0);
  return {
    count: 0,
    starts: [0],
    inputs: center.length,
    unit: 1e-15,
    center,
    half,
    bounds: none,
    onInput: none,
    onNeurons: none,
    constants: none,
  };
}

/** The solution of three equations n·x + d = 0, by determinants; `undefined` where there is none. */
function meeting(planes: readonly (readonly number[])[]): number[] | undefined {
  const determinant = ([a, b, c]: readonly (readonly number[])[]) =>
    a![0]! * (b![1]! * c![2]! - b![2]! * c![1]!) - a![1]! * (b![0]! * c![2]! - b![2]! * c![0]!) +
    a![2]! * (b![0]! * c![1]! - b![1]! * c![0]!);
  const whole = determinant(planes);
  if (Math.abs(whole) < 1e-9) return undefined;
  return [0, 1, 2].map((input) =>
    determinant(planes.map((plane) => plane.with(input, -plane[3]!))) / whole
  );
}

Deno.test("least values on half-spaces are those of the best of all corners", () => {
  const random = Random.from(41, "half-spaces");
  let [empty, cut] = [0, 0];
  for (let trial = 0; trial < 400; trial++) {
    const center = Float64Array.from({ length: 3 }, () => random.normal());
    const half = Float64Array.from({ length: 3 }, () => 0.1 + random.uniform());
    const count = random.integer(9);
    const spaces = new HalfSpaces(boxOnly(center, half), 9);
    const planes: number[][] = [];
    for (let at = 0; at < count; at++) {
      const normal = Float64Array.from({ length: 3 }, () => random.normal());
      const middle = normal.reduce((sum, each, input) => sum + each * center[input]!, 0);
      const constant = -middle - 0.7 * random.normal() - 0.2;
      spaces.set(at, normal.map((each) => -each), -constant);
      planes.push([...normal, constant]);
    }
    const all = [...planes];
    center.forEach((middle, input) => {
      const normal = [0, 0, 0].with(input, 1);
      all.push([...normal, half[input]! - middle], [
        ...normal.map((n) => -n),
        half[input]! + middle,
      ]);
    });
    const isInside = (x: readonly number[]) =>
      all.every(([a, b, c, d]) => a! * x[0]! + b! * x[1]! + c! * x[2]! + d! >= -1e-9);
    const corners: number[][] = [];
    for (let a = 0; a < all.length; a++) {
      for (let b = 0; b < a; b++) {
        for (let c = 0; c < b; c++) {
          const x = meeting([all[a]!, all[b]!, all[c]!]);
          if (x !== undefined && isInside(x)) corners.push(x);
        }
      }
    }
    for (let which = 0; which < 3; which++) {
      const c = Float64Array.from({ length: 3 }, () => random.normal());
      const value = (x: ArrayLike<number>) => c.reduce((sum, each, at) => sum + each * x[at]!, 0.5);
      const least = spaces.least(c, 0.5);
      if (corners.length === 0) {
        empty++;
        assert.ok(least > 5, `${least} where nothing is left`);
        continue;
      }
      const wanted = Math.min(...corners.map(value));
      assert.ok(Math.abs(least - wanted) < 1e-7, `${least} is not ${wanted}`);
      assert.ok(Math.abs(value(spaces.point) - wanted) < 1e-7);
      const corner = value(center.map((middle, at) => middle - Math.sign(c[at]!) * half[at]!));
      if (wanted > corner + 1e-6) cut++;
    }
  }
  assert.ok(empty > 50 && cut > 300, `${empty} empty, ${cut} cut`);
});

Deno.test("what overflows says nothing, and is never more than what is attained", () => {
  const cases = [
    [0, 1, 1e-300, -1e-310],
    [0, 1e-310, 1, -1e-320],
    [0, 1e-310, 1e300, -1e300],
    [0, 1, 1e-300, 1e-300],
    [0, 1, Infinity, 1],
    [0, 1, 1, NaN],
    [0, Infinity, 1, 0],
    [1e300, 1e290, 1e300, -1],
  ] as const;
  for (const [center, half, normal, offset] of cases) {
    for (const c of [1, -1, 1e300, -1e-300, Infinity, NaN]) {
      const spaces = new HalfSpaces(boxOnly(Float64Array.of(center), Float64Array.of(half)), 2);
      spaces.set(0, Float64Array.of(-normal), -offset);
      const least = spaces.least(Float64Array.of(c), 0);
      assert.ok(!Number.isNaN(least) && least < Infinity, `${least}`);
      // Points of the box that are in the half-space beyond doubt.
      for (const x of [center - half, center, center + half]) {
        if (normal * x + offset > 0) assert.ok(!(least > c * x), `${least} above ${c * x}`);
      }
    }
  }
});

Deno.test("half-spaces that are put back are those that were saved", () => {
  const spaces = new HalfSpaces(boxOnly(Float64Array.of(0, 0), Float64Array.of(1, 1)), 4);
  const c = Float64Array.of(1, 2);
  spaces.set(0, Float64Array.of(-1, 0), -0.5);
  const saved = spaces.save();
  const before = spaces.least(c, 0);
  assert.ok(Math.abs(before + 2.5) < 1e-12);
  spaces.set(1, Float64Array.of(0, -1), 0);
  assert.ok(Math.abs(spaces.least(c, 0) + 0.5) < 1e-12);
  spaces.restore(saved);
  assert.equal(spaces.least(c, 0), before);
});

const NETWORKS = [
  ["networks that are close", chain(42, [3, 10, 9, 8, 2], 1e-4), 0.3],
  ["networks that are not", chain(43, [3, 9, 8, 2], 0.1), 0.4],
] as const;

for (const [name, network, width] of NETWORKS) {
  for (const semantics of ["real", "float32"] as const) {
    // What is charged for arithmetic in float32 hides how near bounds of close networks come.
    const isNear = semantics === "real" || name.endsWith("not");
    Deno.test(`cells come nearer to what is attained, and not beyond: ${name}, ${semantics}`, async () => {
      await using propagator = new Propagator(network);
      const layout = packLayout(network, propagator.nonlinearInputs);
      const views = boundViews(layout, new Float64Array(layout.length));
      const bounder = new CondensedBounder(network, semantics);
      const random = Random.from(44, name);
      let [rows, near, plainNear, exact] = [0, 0, 0, 0];
      for (let trial = 0; trial < 20; trial++) {
        const { lower, upper } = boxes(random, 1, network.input.size, width);
        const box = bounder.bound(lower, upper, views, false, true);
        const count = relaxedCount(box);
        if (count === 0) continue;
        const reduced = reducedOf(box, bounder.unit);
        const options = { steps: 6, inner: 0, cells: 0, cellSteps: 4 };
        const plain = new RowRefiner(reduced, options);
        const refiner = new RowRefiner(reduced, { ...options, cells: 2000 });
        for (let output = 0; output < 2; output++) {
          for (const sign of [1, -1] as const) {
            const row = reducedRow(box, count, output, sign);
            let least = Infinity, where = lower;
            const see = (x: Float64Array) => {
              const value = -sign * evaluate(network, x).difference[output]!;
              if (value < least) least = value, where = x;
            };
            for (let sample = 0; sample < 200; sample++) {
              see(lower.map((from, at) => {
                const share = sample % 2 === 0 ? random.integer(2) : random.uniform();
                return share === 1 ? upper[at]! : from + share * (upper[at]! - from);
              }));
            }
            for (let step = 0.25; step > 1e-5; step /= 2) {
              for (let at = 0; at < 3 * lower.length; at++) {
                for (const way of [1, -1]) {
                  const x = where.slice(), input = at % lower.length;
                  const moved = x[input]! + way * step * (upper[input]! - lower[input]!);
                  x[input] = Math.min(Math.max(moved, lower[input]!), upper[input]!);
                  see(x);
                }
              }
            }
            const isEnough = () => least - 0.02 * Math.abs(least);
            const before = plain.refine(row, isEnough());
            let after = refiner.refine(row, isEnough());
            // Small parts of a box are hard to find otherwise.
            for (let again = 0; again < 4 && after < isEnough(); again++) {
              const { attained } = refiner;
              if (attained === undefined) break;
              const x = lower.slice();
              attained.forEach((each, at) => x[box.symbols.free[at]!] = each);
              see(x.map((each, at) => Math.min(Math.max(each, lower[at]!), upper[at]!)));
              after = refiner.refine(row, isEnough());
            }
            const enough = isEnough();
            assert.ok(after >= before || before >= enough, `${after} below ${before}`);
            assert.ok(after <= least + 1e-13, `${after} above ${least}`);
            if (semantics === "real" && trial % 4 === 0) {
              const is = exactDifference(network, where)[output]!;
              // f′ − f is at most −after where the sign is 1, and at least after where it is −1.
              assert.ok(sign > 0 ? compareExact(is, -after) <= 0 : compareExact(is, after) >= 0);
              exact++;
            }
            rows++;
            if (before >= enough) plainNear++;
            if (after >= enough) near++;
          }
        }
      }
      assert.ok(rows > 40 && (semantics === "float32" || exact > 6));
      if (!isNear) return;
      assert.ok(
        near > 0.8 * rows && near > plainNear + 0.2 * rows,
        `${plainNear}, then ${near} of ${rows}`,
      );
    });
  }
}

Deno.test("bounds that are infinite or not numbers leave values, bounds that crossed do not", () => {
  const made = (bounds: readonly number[]) =>
    new RelaxedNeurons({
      ...boxOnly(Float64Array.of(0), Float64Array.of(1)),
      count: 1,
      bounds: Float64Array.from(bounds),
    });
  assert.ok(made([-Infinity, Infinity, -Infinity, Infinity, -Infinity, Infinity]).close(0));
  assert.ok(made([NaN, 1, -1, 1, -1, 1]).close(0));
  assert.ok(made([-1, 1, -1, 1, -0.5, 0.5]).close(0));
  assert.ok(!made([2, 1, -1, 1, -1, 1]).close(0));
  assert.ok(!made([2, 3, -1, 1, -0.5, 0.5]).close(0));
});
