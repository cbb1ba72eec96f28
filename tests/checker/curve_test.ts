import assert from "node:assert/strict";
import fc from "fast-check";
import { type CurveLines, curveLines, CURVES, slopesOn } from "../../src/checker/curve.ts";
import type { PairedCurve } from "../../src/checker/pair.ts";
import { relaxCurve } from "../../src/checker/relaxed_curve.ts";
import { Relaxation } from "../../src/checker/relaxation.ts";
import { ValueState } from "../../src/checker/value_state.ts";

/** The functions and their derivatives, by exponentials. */
const FUNCTIONS = {
  Sigmoid: {
    value: (v: number) => v >= 0 ? 1 / (1 + Math.exp(-v)) : Math.exp(v) / (1 + Math.exp(v)),
    slope: (v: number) => Math.exp(-Math.abs(v)) / (1 + Math.exp(-Math.abs(v))) ** 2,
  },
  Tanh: {
    value: (v: number) =>
      Math.sign(v) * -Math.expm1(-2 * Math.abs(v)) / (1 + Math.exp(-2 * Math.abs(v))),
    slope: (v: number) => 1 / Math.cosh(v) ** 2,
  },
} as const;

const name = fc.constantFrom("Sigmoid" as const, "Tanh" as const);
const end = fc.oneof(
  fc.double({ noNaN: true, min: -6, max: 6 }),
  fc.double({ noNaN: true, min: -200, max: 200 }),
  fc.constantFrom(0, 1e-9, -1e-9, 1e5),
);
const share = fc.double({ noNaN: true, min: 0, max: 1 });

/** Float64 evaluation of the functions here is off by less than this. */
const EVALUATION = 1e-14;

Deno.test("Sigmoid and Tanh are between their lines", () => {
  const out: CurveLines = { upperSlope: 0, upperConstant: 0, lowerSlope: 0, lowerConstant: 0 };
  fc.assert(
    fc.property(name, end, end, share, (which, a, b, s) => {
      const [lower, upper] = [Math.min(a, b), Math.max(a, b)];
      curveLines(CURVES[which], lower, upper, out);
      const places = [lower, upper, lower + s * (upper - lower), 0, 2 * s, -2 * s];
      for (const v of places) {
        if (!(v >= lower && v <= upper)) continue;
        const value = FUNCTIONS[which].value(v);
        const slack = EVALUATION * (1 + Math.abs(v));
        assert.ok(value <= out.upperSlope * v + out.upperConstant + slack, `over ${v}`);
        assert.ok(value >= out.lowerSlope * v + out.lowerConstant - slack, `under ${v}`);
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("lines touch the function: moved by a little they are wrong", () => {
  const out: CurveLines = { upperSlope: 0, upperConstant: 0, lowerSlope: 0, lowerConstant: 0 };
  for (const which of ["Sigmoid", "Tanh"] as const) {
    for (const [lower, upper] of [[-3, 2], [-0.5, 4], [0.2, 1.5], [-4, -1], [-1, 1]] as const) {
      curveLines(CURVES[which], lower, upper, out);
      let [over, under] = [Infinity, Infinity];
      for (let at = 0; at <= 20_000; at++) {
        const v = lower + at / 20_000 * (upper - lower);
        const value = FUNCTIONS[which].value(v);
        over = Math.min(over, out.upperSlope * v + out.upperConstant - value);
        under = Math.min(under, value - out.lowerSlope * v - out.lowerConstant);
      }
      assert.ok(over < 1e-7 && under < 1e-7, `${which} ${lower} … ${upper}: ${over} ${under}`);
    }
  }
});

Deno.test("slopes on an interval are between their ends", () => {
  fc.assert(
    fc.property(name, end, end, share, (which, a, b, s) => {
      const [lower, upper] = [Math.min(a, b), Math.max(a, b)];
      const [least, most] = slopesOn(CURVES[which], lower, upper);
      const slope = FUNCTIONS[which].slope(lower + s * (upper - lower));
      assert.ok(least <= slope + EVALUATION && slope <= most + EVALUATION);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("differences are between their planes, which come near", () => {
  let near = 0;
  fc.assert(
    fc.property(
      name,
      fc.array(fc.double({ noNaN: true, min: 0, max: 1 }), { minLength: 8, maxLength: 8 }),
      (which, [a, b, c, d, f, g, s, t]) => {
        const state = new ValueState(1);
        const [z, e] = [8 * a! - 4, 0.4 * b! - 0.2];
        const y = z - e;
        // Any bounds around a point.
        state.zLower[0] = z - c!;
        state.zUpper[0] = z + d!;
        state.yLower[0] = y - f!;
        state.yUpper[0] = y + g!;
        state.eLower[0] = e - 0.1 * s!;
        state.eUpper[0] = e + 0.1 * t!;
        state.measure();
        const [to, out] = [new ValueState(1), new Relaxation(1)];
        const step: PairedCurve = { kind: "curve", size: 1, input: 0, function: which };
        relaxCurve(step, 0, state, to, out);
        const { value } = FUNCTIONS[which];
        const [first, second] = [value(z), value(y)];
        const difference = first - second;
        const over = out.gUpperZ[0]! * z + out.gUpperE[0]! * e + out.gUpperConstant[0]!;
        const under = out.gLowerZ[0]! * z + out.gLowerE[0]! * e + out.gLowerConstant[0]!;
        assert.ok(under <= difference + EVALUATION && difference <= over + EVALUATION);
        assert.ok(to.eLower[0]! <= difference && difference <= to.eUpper[0]!);
        assert.ok(to.zLower[0]! <= first && first <= to.zUpper[0]!);
        assert.ok(to.yLower[0]! <= second && second <= to.yUpper[0]!);
        if (over - under < 0.05) near++;
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(near > 300, `${near}`);
});
