import assert from "node:assert/strict";
import fc from "fast-check";
import { type GridLines, gridLines } from "../../src/checker/grid.ts";
import { roundHalfEven } from "../../src/quant/grid.ts";

const lines = (): GridLines => ({
  upperSlope: 0,
  upperConstant: 0,
  lowerSlope: 0,
  lowerConstant: 0,
  least: 0,
  most: 0,
});

const unit = fc.double({ noNaN: true, min: 0, max: 1 });

/** A grid, an interval in steps of the grid, and a point of the interval; ends and points are often ties. */
const places = fc.record({
  scale: fc.constantFrom(1, 0.1, Math.fround(0.037), 3e-7, 250),
  first: fc.integer({ min: -20, max: 0 }),
  levels: fc.integer({ min: 0, max: 30 }),
  start: fc.oneof(
    fc.double({ noNaN: true, min: -30, max: 30 }),
    fc.integer({ min: -60, max: 60 }).map((at) => at / 2),
  ),
  length: fc.oneof(
    fc.double({ noNaN: true, min: 0, max: 12 }),
    fc.integer({ min: 0, max: 24 }).map((at) => at / 2),
  ),
  share: unit,
  tie: fc.boolean(),
});

Deno.test("rounding to a grid is between its lines", () => {
  const out = lines();
  fc.assert(
    fc.property(places, ({ scale, first, levels, start, length, share, tie }) => {
      const last = first + levels;
      const [lower, upper] = [start * scale, (start + length) * scale];
      gridLines(scale, first, last, lower, upper, 0, out);
      let v = lower + share * (upper - lower);
      if (tie) v = (Math.floor(v / scale) + 0.5) * scale;
      if (v < lower || v > upper) return;
      const level = roundHalfEven(v / scale);
      // Either level of a tie, as runtimes differ.
      const ties = Math.abs(v / scale - level) === 0.5
        ? [level, level + (v / scale > level ? 1 : -1)]
        : [level];
      for (const each of ties) {
        const r = Math.min(Math.max(each, first), last) * scale;
        const slack = 1e-14 * (Math.abs(v) + Math.abs(r));
        assert.ok(r <= out.most + slack && r >= out.least - slack);
        assert.ok(
          r <= out.upperSlope * v + out.upperConstant + slack,
          `${r} at ${v} over ${JSON.stringify(out)}`,
        );
        assert.ok(
          r >= out.lowerSlope * v + out.lowerConstant - slack,
          `${r} at ${v} under ${JSON.stringify(out)}`,
        );
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("lines touch the staircase: moved by a little they are wrong", () => {
  const out = lines();
  for (
    const [lower, upper] of [[-0.2, 0.9], [0.4, 3.3], [-4, 9], [-0.7, 0.2], [1.45, 1.55]] as const
  ) {
    gridLines(1, -2, 5, lower, upper, 0, out);
    let [over, under] = [Infinity, Infinity];
    const count = 4000;
    const points = Array.from(
      { length: count + 1 },
      (_, at) => lower + at / count * (upper - lower),
    );
    for (let tie = -1.5; tie < 5; tie++) points.push(tie - 1e-12, tie + 1e-12);
    for (const v of points.filter((each) => each >= lower && each <= upper)) {
      const r = Math.min(Math.max(Math.round(v), -2), 5);
      over = Math.min(over, out.upperSlope * v + out.upperConstant - r);
      under = Math.min(under, r - out.lowerSlope * v - out.lowerConstant);
    }
    assert.ok(over >= 0 && over < 1e-9 && under >= 0 && under < 1e-9, `${over} ${under}`);
  }
});

Deno.test("where all of an interval rounds to one level, the lines are that level", () => {
  const out = lines();
  gridLines(0.1, -128, 127, 0.16, 0.24, 0, out);
  assert.ok(out.most - out.least < 1e-12 && Math.abs(out.most - 0.2) < 1e-12);
  gridLines(0.1, 0, 15, 7, 9, 0, out);
  assert.ok(out.upperSlope === 0 && Math.abs(out.upperConstant - 1.5) < 1e-12);
});

Deno.test("slack moves the rises: both levels are possible next to one", () => {
  const out = lines();
  gridLines(0.1, -128, 127, 12.5499999, 12.5499999, 1e-6, out);
  assert.ok(out.least < 12.51 && out.most > 12.59);
  gridLines(0.1, -128, 127, 12.5499999, 12.5499999, 0, out);
  assert.ok(out.most < 12.51);
});
