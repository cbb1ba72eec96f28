import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { close, type ValueBounds } from "../../../src/verify/bounds/batch.ts";
import { relaxQuantize, roundingLines } from "../../../src/verify/bounds/quantize.ts";
import { newLines } from "../../../src/verify/bounds/line_pairs.ts";
import { newRelaxation } from "../../../src/verify/bounds/relu.ts";
import { roundToGrid } from "../../../src/verify/network/evaluate.ts";
import type { Quantizer } from "../../../src/verify/network/network.ts";

function grid(random: Random): Quantizer {
  const bits = 2 + random.integer(7);
  const qmax = 2 ** bits - 1;
  return {
    scale: Float64Array.of(Math.fround(Math.exp(random.normal()))),
    zeroPoint: Float64Array.of(random.integer(qmax + 1)),
    qmin: 0,
    qmax,
  };
}

/** Points between two bounds, with those where rounding jumps. */
function pointsOf(random: Random, { scale }: Quantizer, lower: number, upper: number): number[] {
  const points = [lower, upper];
  for (let trial = 0; trial < 10; trial++) {
    const v = lower + random.uniform() * (upper - lower);
    const jump = (Math.floor(v / scale[0]!) + 0.5) * scale[0]!;
    points.push(v, jump, jump * (1 + 2 ** -50), jump * (1 - 2 ** -50));
  }
  return points.filter((v) => v >= lower && v <= upper);
}

Deno.test("lines around rounding hold at every point, jumps among them", () => {
  const random = Random.from(30, "lines");
  const lines = {
    upperSlope: 0,
    upperConstant: 0,
    lowerSlope: 0,
    lowerConstant: 0,
    least: 0,
    greatest: 0,
  };
  let near = 0, checked = 0;
  for (let trial = 0; trial < 4000; trial++) {
    const q = grid(random);
    const s = q.scale[0]!;
    const lower = s * 20 * random.normal(), upper = lower + s * Math.exp(2 * random.normal());
    roundingLines(q, 0, lower, upper, 0, lines);
    for (const v of pointsOf(random, q, lower, upper)) {
      const r = roundToGrid(q, v, 0);
      const [above, below] = [
        lines.upperSlope * v + lines.upperConstant,
        lines.lowerSlope * v + lines.lowerConstant,
      ];
      assert.ok(
        above >= r - 1e-13 * s && below <= r + 1e-13 * s,
        `${lower} ${upper} ${v} ${JSON.stringify(lines)}`,
      );
      assert.ok(lines.least <= r && r <= lines.greatest);
      if (Math.min(above - r, r - below) < 1e-6 * s) near++;
      checked++;
    }
  }
  assert.ok(near > checked / 10);
});

Deno.test("a range that rounds to one number is a constant", () => {
  const q: Quantizer = {
    scale: Float64Array.of(0.5),
    zeroPoint: Float64Array.of(3),
    qmin: 0,
    qmax: 15,
  };
  const lines = {
    upperSlope: 1,
    upperConstant: 1,
    lowerSlope: 1,
    lowerConstant: 1,
    least: 0,
    greatest: 0,
  };
  roundingLines(q, 0, 0.8, 1.2, 0, lines);
  assert.deepEqual([lines.upperSlope, lines.lowerSlope], [0, 0]);
  assert.ok(Math.abs(lines.upperConstant - 1) < 1e-12 && Math.abs(lines.lowerConstant - 1) < 1e-12);
  // Beyond the ends of the grid everything is cut to them.
  roundingLines(q, 0, -9, -2, 0, lines);
  assert.ok(Math.abs(lines.upperConstant + 1.5) < 1e-12 && lines.upperSlope === 0);
});

Deno.test("relaxed differences hold with rounding on either side or on both", () => {
  const random = Random.from(31, "differences");
  for (let trial = 0; trial < 3000; trial++) {
    const [q1, q2] = [grid(random), grid(random)];
    const sides = {
      original: trial % 3 === 0 ? undefined : q1,
      quantized: trial % 3 === 1 ? undefined : q2,
    };
    const s = q2.scale[0]!;
    const zl = s * 4 * random.normal(), zu = zl + s * Math.exp(2 * random.normal());
    const el = 0.3 * s * random.normal(), eu = el + 0.5 * s * random.uniform();
    const bounds: ValueBounds = {
      zLower: Float64Array.of(zl),
      zUpper: Float64Array.of(zu),
      yLower: Float64Array.of(zl - eu),
      yUpper: Float64Array.of(zu - el),
      eLower: Float64Array.of(el),
      eUpper: Float64Array.of(eu),
    };
    close(bounds);
    const r = newRelaxation(1);
    const made = relaxQuantize(bounds, 1, sides, 1e-15, 0, r);
    for (let point = 0; point < 30; point++) {
      const z = zl + random.uniform() * (zu - zl), e = el + random.uniform() * (eu - el);
      const a = sides.original === undefined ? z : roundToGrid(sides.original, z, 0);
      const b = sides.quantized === undefined ? z - e : roundToGrid(sides.quantized, z - e, 0);
      const slack = 1e-12 * (1 + Math.abs(z) + s);
      const middle = r.gSlopeZ[0]! * z + r.gSlopeE[0]! * e + r.gConstant[0]!;
      const half = r.gSlopeZHalf[0]! * z + r.gSlopeEHalf[0]! * e + r.gConstantHalf[0]!;
      assert.ok(a - b <= middle + half + slack && a - b >= middle - half - slack);
      assert.ok(a - b <= made.eUpper[0]! + slack && a - b >= made.eLower[0]! - slack);
      assert.ok(a >= made.zLower[0]! - slack && a <= made.zUpper[0]! + slack);
      assert.ok(b >= made.yLower[0]! - slack && b <= made.yUpper[0]! + slack);
    }
  }
});

Deno.test("where a grid ends inside of a range, half of what it cuts off is lost at the middle", () => {
  const q = { scale: Float64Array.of(0.1), zeroPoint: Float64Array.of(0), qmin: 0, qmax: 100 };
  const lines = newLines();
  // R(v) goes from 0 to 10 and stays there up to 30, so no line under it is above 5 in the middle.
  roundingLines(q, 0, 0, 30, 0, lines);
  assert.ok(lines.lowerSlope * 15 + lines.lowerConstant > 5 - 0.1);
  // And from −20 to 0 it is 0.
  roundingLines(q, 0, -20, 10, 0, lines);
  assert.ok(lines.upperSlope * -5 + lines.upperConstant < 5 + 0.1);
});
