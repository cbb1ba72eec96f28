import assert from "node:assert/strict";
import fc from "fast-check";
import { histogramChart } from "../../src/report/charts/histogram.ts";
import { placeLabels } from "../../src/report/charts/labels.ts";
import { fittingScale, linearScale, logScale, tickText } from "../../src/report/charts/scale.ts";

const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
const positive = fc.array(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), { minLength: 1 });

Deno.test("an axis has round numbers around its values", () => {
  const scale = linearScale([3, 17], 0, 100);
  assert.deepEqual(scale.ticks, [0, 5, 10, 15, 20]);
  assert.deepEqual(scale.ticks.map((tick) => scale.at(tick)), [0, 25, 50, 75, 100]);
  assert.deepEqual(linearScale([0.1, 0.7], 0, 1).ticks, [0, 0.2, 0.4, 0.6, 0.8]);
  assert.deepEqual(linearScale([5], 0, 1).ticks.includes(5), true);
  assert.deepEqual(logScale([0.002, 30], 0, 1).ticks, [0.001, 0.01, 0.1, 1, 10, 100]);
  assert.deepEqual(logScale([7600, 112_000], 0, 1).ticks, [5000, 1e4, 2e4, 5e4, 1e5, 2e5]);
  assert.deepEqual(logScale([1e-20, 1], 0, 1).ticks, [1e-20, 1e-16, 1e-12, 1e-8, 1e-4, 1]);
});

Deno.test("every value lies on its axis, in order, whatever the direction", () => {
  fc.assert(fc.property(numbers, (values) => {
    for (const [from, to] of [[10, 200], [200, 10]] as const) {
      const scale = linearScale(values, from, to);
      for (const value of values) {
        const at = scale.at(value);
        assert.ok(at >= 10 - 1e-6 && at <= 200 + 1e-6, `${value} at ${at}`);
      }
      assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= 9, scale.ticks.join());
      const places = scale.ticks.map((tick) => scale.at(tick));
      assert.deepEqual(places, places.toSorted((a, b) => from < to ? a - b : b - a));
    }
  }));
  fc.assert(fc.property(positive, (values) => {
    const scale = fittingScale(values, 0, 100);
    for (const value of values) {
      const at = scale.at(value);
      assert.ok(at >= -1e-6 && at <= 100 + 1e-6, `${value} at ${at}`);
    }
    assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= 10, scale.ticks.join());
  }));
});

Deno.test("values that are far apart get a logarithmic axis, if they have logarithms", () => {
  assert.equal(fittingScale([1, 100], 0, 1).kind, "log");
  assert.equal(fittingScale([1, 40], 0, 1).kind, "linear");
  assert.equal(fittingScale([0, 100], 0, 1).kind, "linear");
  assert.equal(fittingScale([-1, 100], 0, 1).kind, "linear");
});

Deno.test("ticks are short", () => {
  assert.deepEqual([0, 0.5, 20, 1e-5, 100000, -2e7].map(tickText), [
    "0",
    "0.5",
    "20",
    "1e-5",
    "1e5",
    "-2e7",
  ]);
});

Deno.test("labels hide no point and no other label", () => {
  const inside = { left: 0, top: 0, right: 400, bottom: 300 };
  const point = fc.record({
    x: fc.integer({ min: 0, max: 400 }),
    y: fc.integer({ min: 0, max: 300 }),
    text: fc.constantFrom("a", "w4.model", "a longer name"),
  });
  fc.assert(fc.property(fc.array(point, { maxLength: 20 }), (points) => {
    const places = placeLabels(points, inside);
    const boxes = places.flatMap((place, index) =>
      place === undefined ? [] : [{
        left: place.x,
        right: place.x + 7 * points[index]!.text.length,
        top: place.y - 11,
        bottom: place.y + 3,
      }]
    );
    boxes.forEach((a, index) => {
      assert.ok(a.left >= 0 && a.right <= 400 && a.top >= 0 && a.bottom <= 300);
      for (const { x, y } of points) {
        assert.ok(x <= a.left || x >= a.right || y <= a.top || y >= a.bottom);
      }
      for (const b of boxes.slice(0, index)) {
        assert.ok(
          a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom,
        );
      }
    });
  }));
  const [alone] = placeLabels([{ x: 100, y: 100, text: "a" }], inside);
  assert.deepEqual(alone, { x: 108, y: 104 });
  assert.deepEqual(placeLabels([{ x: 100, y: 100, text: "" }], inside), [undefined]);
});

Deno.test("a grid of few values has a mark for each", () => {
  const marks = (bits: number) => {
    const steps = 2 ** bits - 1;
    const grid = { models: ["w4.model"], bits, min: 0, max: steps, scale: 1 };
    const { markup } = histogramChart("Values of x", [0, steps], undefined, [grid]);
    return markup.match(/v7/g)!.length;
  };
  assert.equal(marks(2), 4);
  assert.equal(marks(4), 16);
  assert.equal(marks(8), 2);
});
