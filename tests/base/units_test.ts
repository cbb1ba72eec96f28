import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatAge,
  formatBound,
  formatBytes,
  formatNumber,
  formatQuantity,
  formatSeconds,
} from "../../src/base/units.ts";

Deno.test("sizes have three digits and a decimal unit", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [356_789, "357 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [4_950_244, "4.95 MB"],
    [12_300_000_000, "12.3 GB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

Deno.test("times use the unit that fits, and never show 60 of one", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [0.0123, "12 ms"],
    [0.0994, "99 ms"],
    [0.0996, "0.10 s"],
    [9.99, "9.99 s"],
    [9.996, "10.0 s"],
    [59.94, "59.9 s"],
    [59.96, "1 min 00 s"],
    [185, "3 min 05 s"],
    [3599.6, "1 h 00 min"],
    [7800, "2 h 10 min"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatSeconds(seconds), text);
});

Deno.test("a bound is never shown smaller than it is", () => {
  assert.equal(formatBound(0.0532026), "0.05321");
  assert.equal(formatBound(0.0532), "0.0532");
  assert.equal(formatBound(28_123.4), "28130");
  assert.equal(formatBound(0), "0");
  assert.equal(formatBound(Infinity), "∞");
  fc.assert(fc.property(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), (value) => {
    const shown = Number(formatBound(value));
    assert.ok(value <= shown && shown <= value * 1.0011);
  }));
});

Deno.test("metrics are shown with their unit", () => {
  assert.equal(formatQuantity(0.98834, "fraction"), "98.83 %");
  assert.equal(formatQuantity(29.914, "decibel"), "29.91 dB");
  assert.equal(formatQuantity(Infinity, "decibel"), "∞ dB");
  assert.equal(formatQuantity(4, "bits"), "4");
  assert.equal(formatQuantity(3.8125, "bits"), "3.813");
  assert.equal(formatQuantity(10_000, "count"), "10000");
  assert.equal(formatQuantity(0.000123456, "number"), "0.0001235");
  assert.equal(formatQuantity(NaN, "number"), "undefined");
  assert.equal(formatNumber(-0.5), "-0.5");
});

Deno.test("ages are told in the largest unit that fits", () => {
  const now = Date.parse("2026-03-10T12:00:00Z");
  for (
    const [time, text] of [
      ["2026-03-10T11:59:30Z", "just now"],
      ["2026-03-10T11:59:00Z", "1 minute ago"],
      ["2026-03-10T09:30:00Z", "2 hours ago"],
      ["2026-03-09T12:00:00Z", "1 day ago"],
      ["2026-01-02T12:00:00Z", "on 2026-01-02"],
    ] as const
  ) assert.equal(formatAge(time, now), text);
});
