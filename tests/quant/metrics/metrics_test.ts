import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  argmax,
  fittingMetrics,
  type Metric,
  type MetricName,
  METRICS,
  PerClass,
  whyNot,
} from "../../../src/quant/metrics/mod.ts";
import { Divergence } from "../../../src/quant/metrics/divergence.ts";

const SETTINGS = { scores: "logits", peak: 2 } as const;

const ROWS = 3;
const WIDTH = 4;
const values = Float32Array.from({ length: 12 }, (_, index) => 2 * Math.sin(index * 1.3));
const reference = Float32Array.from({ length: 12 }, (_, index) => 2 * Math.sin(index * 1.3 + 0.2));
const targets = Float64Array.from({ length: 12 }, (_, index) => Math.cos(index * 0.7));
const whole = { size: ROWS, width: WIDTH, values, reference, targets };

function measured(name: MetricName, labels?: number[]): Record<string, number> {
  const metric: Metric = METRICS[name].create(SETTINGS);
  metric.add({ ...whole, ...(labels && { labels: Int32Array.from(labels) }) });
  return metric.result();
}

function near(actual: number | undefined, expected: number, tolerance = 1e-12): void {
  ok(Math.abs(actual! - expected) <= tolerance, `${actual} is not ${expected}`);
}

// Expected numbers are NumPy's and SciPy's for the same rows.
Deno.test("squared error, cosine, divergence and PSNR agree with NumPy and SciPy", () => {
  near(measured("mse").mse, 0.07946996769841268);
  near(measured("mse").sqnr, 14.0298114715642);
  near(measured("cosine").cosine, 0.9799797504145914);
  near(measured("kl").kl, 0.02328412759885416);
  const psnr = measured("psnr");
  near(psnr.psnr, 2.9414092224859982);
  near(psnr.reference_psnr, 3.0850280463962165);
  near(psnr.psnr_drop, 3.0850280463962165 - 2.9414092224859982);
});

Deno.test("batches add up to the whole", () => {
  const labels = Int32Array.of(1, 0, 3);
  for (const name of Object.keys(METRICS) as MetricName[]) {
    if (name === "top5") continue;
    const metric: Metric = METRICS[name].create(SETTINGS);
    for (let row = 0; row < ROWS; row++) {
      const [from, to] = [row * WIDTH, (row + 1) * WIDTH];
      metric.add({
        size: 1,
        width: WIDTH,
        values: values.subarray(from, to),
        reference: reference.subarray(from, to),
        targets: targets.subarray(from, to),
        labels: labels.subarray(row, row + 1),
      });
    }
    const expected = measured(name, [...labels]);
    for (const [key, value] of Object.entries(metric.result())) near(value, expected[key]!);
  }
});

Deno.test("accuracy counts labels among the largest outputs, with the float model's beside it", () => {
  // Both models answer 1, 2, 3 for the three items.
  deepEqual(measured("top1", [1, 2, 0]), { top1: 2 / 3, reference_top1: 2 / 3, top1_drop: 0 });
  deepEqual(measured("agreement"), { agreement: 1 });
  const worse = METRICS.top1.create();
  worse.add({
    size: 2,
    width: 2,
    values: Float32Array.of(0, 1, 0, 1),
    reference: Float32Array.of(1, 0, 0, 1),
    labels: Int32Array.of(0, 1),
  });
  deepEqual(worse.result(), { top1: 0.5, reference_top1: 1, top1_drop: 0.5 });
  const alone = METRICS.top5.create();
  const six = Float32Array.of(6, 5, 4, 3, 2, 1);
  alone.add({ size: 1, width: 6, values: six, labels: Int32Array.of(4) });
  alone.add({ size: 1, width: 6, values: six, labels: Int32Array.of(5) });
  deepEqual(alone.result(), { top5: 0.5 });
});

Deno.test("of equal outputs the first one wins, so a constant model is right for class 0 only", () => {
  const constant = new Float32Array(6);
  equal(argmax(constant, 0, 6), 0);
  for (const [name, k] of [["top1", 1], ["top5", 5]] as const) {
    for (let label = 0; label < 6; label++) {
      const metric = METRICS[name].create();
      metric.add({ size: 1, width: 6, values: constant, labels: Int32Array.of(label) });
      equal(metric.result()[name], label < k ? 1 : 0);
    }
  }
});

Deno.test("each class gets its own accuracy", () => {
  const metric = new PerClass();
  metric.add({ ...whole, labels: Int32Array.of(1, 1, 3) });
  deepEqual(metric.classes(), [{ label: 1, count: 2, top1: 0.5 }, { label: 3, count: 1, top1: 1 }]);
  deepEqual(metric.result(), { worst_class_top1: 0.5 });
});

Deno.test("a model compared with itself is perfect, and every number is one that JSON has", () => {
  const same = { ...whole, reference: values, targets: values, labels: Int32Array.of(1, 2, 3) };
  const results: Record<string, number> = {};
  for (const name of Object.keys(METRICS) as MetricName[]) {
    if (name === "top5") continue;
    const metric: Metric = METRICS[name].create(SETTINGS);
    metric.add(same);
    Object.assign(results, metric.result());
  }
  for (const value of Object.values(results)) ok(Number.isFinite(value));
  equal(results.kl, 0);
  equal(results.mse, 0);
  equal(results.sqnr, 200);
  equal(results.psnr_drop, 0);
  near(results.cosine, 1);
  equal(results.agreement, 1);
});

Deno.test("divergence is not negative, ignores a shift of logits and is finite for zero probabilities", () => {
  const row = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), {
    minLength: 3,
    maxLength: 3,
  });
  fc.assert(fc.property(row, row, fc.integer({ min: -20, max: 20 }), (own, other, shift) => {
    const kl = (values: number[]) => {
      const metric = new Divergence("logits");
      metric.add({
        size: 1,
        width: 3,
        values: Float64Array.from(values),
        reference: Float64Array.from(other),
      });
      return metric.result().kl!;
    };
    const plain = kl(own);
    ok(plain >= 0);
    near(kl(own.map((value) => value + shift)), plain, 1e-9 * (1 + plain));
  }));
  const probabilities = new Divergence("probabilities");
  probabilities.add({
    size: 1,
    width: 2,
    values: Float32Array.of(1, 0),
    reference: Float32Array.of(0.5, 0.5),
  });
  near(
    probabilities.result().kl,
    0.5 * Math.log(0.5) + 0.5 * (Math.log(0.5) - Math.log(1e-12)),
    1e-6,
  );
});

Deno.test("the metrics that fit are chosen, and it is said why others do not", () => {
  const labeled = new Set(["labels", "reference"] as const);
  const classifier = ["top1", "agreement", "kl", "per_class"];
  deepEqual(fittingMetrics({ has: labeled, width: 10 }), classifier);
  deepEqual(fittingMetrics({ has: labeled, width: 100 }).sort(), [...classifier, "top5"].sort());
  deepEqual(fittingMetrics({ has: new Set(["labels"]), width: 4 }), ["top1", "per_class"]);
  deepEqual(fittingMetrics({ has: new Set(["reference", "targets"]), width: 64 }), [
    "psnr",
    "mse",
    "cosine",
  ]);
  deepEqual(fittingMetrics({ has: new Set(), width: 64 }), []);
  equal(whyNot("top1", { has: new Set(), width: 10 }), "the data set has no labels");
  equal(whyNot("psnr", { has: labeled, width: 10 }), "the data set has no targets");
  equal(whyNot("kl", { has: new Set(), width: 10 }), "there is no float model to compare with");
  equal(
    whyNot("top5", { has: labeled, width: 5 }),
    "the model's output has 5 values an item, and at least 6 are needed",
  );
});
