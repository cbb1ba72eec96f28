import assert from "node:assert/strict";
import fc from "fast-check";
import { BOUND_FIELDS, emptyBounds } from "../../../src/verify/bounds/batch.ts";
import {
  packBounds,
  packBox,
  type PackLayout,
  unpackBounds,
  waysOf,
} from "../../../src/verify/split/pack.ts";

const LAYOUT: PackLayout = { values: [1], sizes: [1], length: BOUND_FIELDS.length };

const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1e39, max: 1e39 }),
  fc.double({ noNaN: true, min: -1e-44, max: 1e-44 }),
  fc.constantFrom(7, 0, -0, 1e40, -1e40, 3.4028234663852886e38, -3.4028235e38, 5e-324, -5e-324),
);

Deno.test("what parts inherit encloses what was known, also beyond the range of float32", () => {
  fc.assert(
    fc.property(fc.array(numbers, { minLength: 6, maxLength: 6 }), (values) => {
      // Nothing may be known.
      values = values.map((value, at) =>
        value === 7 ? (at % 2 === 0 ? -Infinity : Infinity) : value
      );
      const given = emptyBounds(1);
      BOUND_FIELDS.forEach((field, at) => given[field][0] = values[at]!);
      const flat = new Float32Array(LAYOUT.length);
      packBox(Float64Array.from(values), waysOf(LAYOUT), flat, 0);
      for (const packed of [packBounds(LAYOUT, 1, new Map([[1, given]])), flat]) {
        const found = unpackBounds(LAYOUT, 1, packed).get(1)!;
        BOUND_FIELDS.forEach((field, at) => {
          const [value, own] = [values[at]!, found[field][0]!];
          assert.ok(field.endsWith("Lower") ? own <= value : own >= value, `${value} ${own}`);
          // As near as float32 allows, but for what is too small to matter.
          const off = Math.abs(own - value);
          const isNear = Number.isFinite(own) && Math.abs(own) < 3e38;
          assert.ok(!isNear || off <= 2 ** -22 * Math.abs(value) + 2e-40, `${value} ${own}`);
        });
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
});
