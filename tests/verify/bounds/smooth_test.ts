import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { newLines } from "../../../src/verify/bounds/line_pairs.ts";
import { slopePlanes, SMOOTH, smoothLines } from "../../../src/verify/bounds/smooth.ts";

/** Wide enough for roundings of this test, and a small part of what the lines leave as room. */
const ROUNDING = 1e-15;

for (const [name, f] of Object.entries(SMOOTH)) {
  Deno.test(`lines around ${name} hold, and touch it`, () => {
    const random = Random.from(40, name);
    const lines = newLines();
    for (let trial = 0; trial < 3000; trial++) {
      const scale = Math.exp(2 * random.normal());
      const lower = scale * random.normal();
      const upper = lower + scale * random.uniform();
      smoothLines(f, lower, upper, 0, lines);
      let [above, below] = [Infinity, Infinity];
      for (let at = 0; at <= 200; at++) {
        const x = at === 200 ? upper : lower + (upper - lower) * at / 200;
        const value = f.value(x);
        const roundings = ROUNDING * (1 + Math.abs(x));
        const [over, under] = [
          lines.upperSlope * x + lines.upperConstant - value,
          value - lines.lowerSlope * x - lines.lowerConstant,
        ];
        if (over < -roundings || under < -roundings) {
          assert.fail(`${lower} … ${upper} at ${x}: ${over}, ${under}`);
        }
        above = Math.min(above, over);
        below = Math.min(below, under);
        assert.ok(value >= lines.least && value <= lines.greatest);
      }
      // Between two of the points, a curve that is touched is this near.
      const near = 1e-4 * (f.value(upper) - f.value(lower)) + 1e-9 * (1 + scale);
      assert.ok(above <= near && below <= near, `${lower} … ${upper}: ${above}, ${below}`);
    }
  });

  Deno.test(`a line of a slope that is wrong by two percent is told: ${name}`, () => {
    const lines = newLines();
    smoothLines(f, -1, 2, 0, lines);
    const wrong = (x: number) => 0.98 * lines.upperSlope * x + lines.upperConstant < f.value(x);
    assert.ok(Array.from({ length: 201 }, (_, at) => -1 + at * 0.015).some(wrong));
  });

  Deno.test(`planes around differences of ${name} hold`, () => {
    const random = Random.from(41, name);
    for (let trial = 0; trial < 20000; trial++) {
      const scale = Math.exp(random.normal());
      const from = scale * random.normal(), to = from + scale * random.uniform();
      const eLower = 0.3 * random.normal(), eUpper = eLower + random.uniform();
      const { upper, lower } = slopePlanes(f, [from, to], eLower, eUpper, 0);
      for (let point = 0; point < 10; point++) {
        const z = from + (to - from) * random.uniform();
        const e = eLower + (eUpper - eLower) * random.uniform();
        if (z - e < from || z - e > to) continue;
        const g = f.value(z) - f.value(z - e);
        assert.ok(g <= upper.q * e + upper.c + ROUNDING, `${from} ${to} ${z} ${e}`);
        assert.ok(g >= lower.q * e + lower.c - ROUNDING, `${from} ${to} ${z} ${e}`);
      }
    }
  });
}
