import assert from "node:assert/strict";
import { RunArtifacts } from "../../src/report/read/artifacts.ts";
import { readCalibrations } from "../../src/report/read/calibrations.ts";
import type { ReportModel } from "../../src/report/document.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { temporaryStore } from "../store/fixture.ts";
import { digest, record, stage } from "./records.ts";

/** 1000 bins of width 0.01 from −1 on; bin i holds i values. */
const HISTOGRAM = {
  binWidth: 0.01,
  zeroBin: 100,
  counts: Array.from({ length: 1000 }, (_, bin) => bin),
};
const COUNT = 999 * 500;

function model(name: string, min: number, max: number, scale: number): ReportModel {
  return {
    name,
    digest: digest("b"),
    calibration: "calibrate.ranges",
    layers: [],
    activations: [{ value: "second", bits: 8, min: -1, max: 1, scale: 2 / 255 }, {
      value: "first",
      bits: 8,
      min,
      max,
      scale,
    }],
  };
}

Deno.test("grids of a calibration are told with what they clip, once for all models that share one", async () => {
  await using t = temporaryStore();
  const statistics = { min: -1, max: 8.99, count: COUNT, histogram: HISTOGRAM };
  const ranges = {
    version: 1,
    method: "mse",
    settings: {},
    tensors: { first: statistics, other: statistics, second: { min: 0, max: 1, count: 3 } },
  };
  const text = new TextEncoder().encode(JSON.stringify(ranges satisfies JsonValue));
  const blob = await t.store.putBlob(text);
  const run = record([
    stage("calibrate", "calibrate", { outputs: { ranges: { kind: "ranges", ...blob } } }),
  ]);
  const [calibration] = await readCalibrations(new RunArtifacts(t.store, run), [
    model("a.model", 0, 5.1, 0.03),
    model("b.model", 0, 5.1, 0.03),
    model("c.model", -1, 8.99, 0.04),
    { ...model("d.model", 0, 1, 0.1), calibration: "another.ranges" },
  ]);
  assert.equal(calibration!.name, "calibrate.ranges");
  assert.deepEqual(calibration!.activations.map(({ value }) => value), [
    "second",
    "first",
    "other",
  ]);
  const [second, first] = calibration!.activations;
  assert.deepEqual(second!.grids[0]!.clipped, undefined);
  assert.deepEqual(first!.grids.map(({ models }) => models), [["a.model", "b.model"], ["c.model"]]);
  // Outside of 0 … 5.1, more than half a step of 0.03 away.
  let outside = 0;
  for (let bin = 0; bin < 1000; bin++) {
    const hundredths = bin - 100;
    if (hundredths < -1 || hundredths > 511) outside += bin;
  }
  assert.ok(Math.abs(first!.grids[0]!.clipped! - outside / COUNT) < 1e-12);
  assert.equal(first!.grids[1]!.clipped, 0);
  const { start, width, counts } = first!.histogram!;
  assert.ok(counts.length <= 80);
  assert.equal(counts.reduce((sum, count) => sum + count), COUNT);
  assert.ok(Math.abs(start + 1.005) < 1e-12);
  const bins = Math.round(width / 0.01);
  assert.equal(
    counts[2],
    Array.from({ length: bins }, (_, at) => 2 * bins + at).reduce((a, b) => a + b),
  );
});
