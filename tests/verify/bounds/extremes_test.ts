import assert from "node:assert/strict";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { float32, tensor } from "../../../src/onnx/tensor.ts";
import { ExecutedPair } from "../../../src/verify/attack/executed.ts";
import { type Box, box } from "../../../src/verify/box.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";
import { METHODS, Verifier } from "../../../src/verify/verify.ts";
import { zonotopeBounds } from "../../../src/verify/zonotope/propagate.ts";

type Make = (b: GraphBuilder, x: string, isCopy: boolean) => string;

function pairOf(inputs: number, make: Make): [Model, Model] {
  const [first, second] = [false, true].map((isCopy) => {
    const b = new GraphBuilder();
    b.output(make(b, b.input("x", "float32", [1, inputs]), isCopy));
    return b.build({ opset: 17 });
  });
  return [first!, second!];
}

/** Bounds of the first output by every method. */
async function bounds(
  models: readonly [Model, Model],
  whole: Box,
  semantics: "real" | "float32",
): Promise<{ name: string; lower: number; upper: number }[]> {
  const network = pairModels(...models);
  const found = [];
  for (const method of METHODS) {
    for (const split of method === "differential" ? [false, true] : [false]) {
      await using verifier = new Verifier(network, { method, split, semantics, boxes: 10 });
      const { lower, upper } = (await verifier.verify(whole)).outputs[0]!;
      found.push({ name: `${method}${split ? ", split" : ""}`, lower, upper });
    }
  }
  return [...found, { name: "zonotope", ...zonotopeBounds(network, whole, semantics)[0]! }];
}

const matrix = (b: GraphBuilder, rows: number, columns: number, ...weights: number[]) =>
  b.constant(float32([rows, columns], weights));

const OVERFLOWING: [string, number, Make][] = [
  ["a layer's sum", 1, (b, x, isCopy) => {
    const h = b.op("Relu", [b.op("MatMul", [x, matrix(b, 1, 1, 1e38)])]);
    return b.op("MatMul", [h, matrix(b, 1, 1, isCopy ? 1.001e-38 : 1e-38)]);
  }],
  ["many layers", 1, (b, x, isCopy) => {
    let value = x;
    for (let layer = 0; layer < 4; layer++) {
      value = b.op("Relu", [b.op("MatMul", [value, matrix(b, 1, 1, 1e12)])]);
    }
    return b.op("MatMul", [value, matrix(b, 1, 1, isCopy ? 1.001e-38 : 1e-38)]);
  }],
  ["what a weight of 0 reads", 1, (b, x, isCopy) => {
    const h = b.op("Relu", [b.op("MatMul", [x, matrix(b, 1, 2, 1e38, 1)])]);
    return b.op("MatMul", [h, matrix(b, 2, 1, 0, isCopy ? 1.001 : 1)]);
  }],
  ["what cancels, in front of a quantizer", 2, (b, x, isCopy) => {
    const h = b.op("Relu", [b.op("MatMul", [x, matrix(b, 2, 1, 1e38, -1e38)])]);
    const grid = [b.constant(1), b.constant(tensor("uint8", [], Uint8Array.of(0)))];
    const rounded = b.op("DequantizeLinear", [b.op("QuantizeLinear", [h, ...grid]), ...grid]);
    return b.op("MatMul", [rounded, matrix(b, 1, 1, isCopy ? 1.001 : 1)]);
  }],
  ["a factor that another one takes back", 1, (b, x, isCopy) => {
    const z = b.op("MatMul", [x, matrix(b, 1, 1, isCopy ? 1.001 : 1)]);
    return b.op("Mul", [b.op("Mul", [z, b.constant(1e38)]), b.constant(1e-38)]);
  }],
  ["weights that factors make small", 1, (b, x, isCopy) => {
    const z = b.op("MatMul", [x, matrix(b, 1, 1, isCopy ? 1.001e38 : 1e38)]);
    return b.op("Mul", [z, b.constant(1e-38)]);
  }],
];

for (const [name, inputs, make] of OVERFLOWING) {
  Deno.test(`nothing is claimed of float32 numbers that overflow: ${name}`, async () => {
    const models = pairOf(inputs, make);
    const whole = box(new Array(inputs).fill(5), new Array(inputs).fill(10));
    await using pair = await ExecutedPair.open(...models, { optimization: "none" });
    const [executed] = await pair.difference(whole.upper);
    // The sum that cancels overflows in one order of additions only, which is up to the runtime.
    if (!name.includes("cancels")) assert.ok(!Number.isFinite(executed!), `${executed}`);
    for (const { name, lower, upper } of await bounds(models, whole, "float32")) {
      assert.ok(lower === -Infinity && upper === Infinity, `${name}: ${lower} … ${upper}`);
    }
    // Real numbers do not overflow.
    for (const { name, lower, upper } of await bounds(models, whole, "real")) {
      assert.ok(Number.isFinite(lower) && Number.isFinite(upper), `${name}: ${lower} … ${upper}`);
    }
  });
}

Deno.test("nothing is claimed of real numbers that bounds cannot be computed of", async () => {
  const [original, quantized] = [1e-300, 1.001e-300].map((last) => {
    const b = new GraphBuilder();
    const x = b.input("x", "float64", [1, 1]);
    const weight = (value: number) => b.constant(tensor("float64", [1, 1], Float64Array.of(value)));
    b.output(b.op("MatMul", [b.op("Relu", [b.op("MatMul", [x, weight(1e300)])]), weight(last)]));
    return b.build({ opset: 17 });
  });
  for (const each of await bounds([original!, quantized!], box([-1e8], [1e8]), "real")) {
    assert.ok(each.lower === -Infinity && each.upper === Infinity, each.name);
  }
});

/** A number near 1 whose use rounds as far up, or down, as any of some. */
function steepest(i: number, sign: number, error: (constant: number) => number): number {
  let [best, most] = [1, -Infinity];
  for (let trial = 0; trial < 200; trial++) {
    const share = (trial * 7919 + i * 104_729) % 100_003 / 100_003;
    const constant = Math.fround(0.55 + 0.9 * share);
    if (sign * error(constant) > most) [best, most] = [constant, sign * error(constant)];
  }
  return best;
}

const START = Math.fround(1.2345678);

const FOLDED: [string, Make][] = [
  ["factors", (b, x, isCopy) => {
    let [z, value] = [b.op("MatMul", [x, matrix(b, 1, 1, 1)]), START];
    for (let i = 0; i < 60; i++) {
      const factor = steepest(
        i,
        isCopy ? 1 : -1,
        (factor) => Math.fround(value * factor) / (value * factor),
      );
      value = Math.fround(value * factor);
      z = b.op("Mul", [z, b.constant(factor)]);
    }
    return b.op("Mul", [z, b.constant(Math.fround(1 / value))]);
  }],
  ["addends", (b, x, isCopy) => {
    let [z, value, sum] = [b.op("MatMul", [x, matrix(b, 1, 1, 1)]), START, 0];
    for (let i = 0; i < 60; i++) {
      const addend = steepest(
        i,
        isCopy ? 1 : -1,
        (addend) => Math.fround(value + addend / 128) - (value + addend / 128),
      ) / 128;
      value = Math.fround(value + addend);
      sum += addend;
      z = b.op("Add", [z, b.constant(addend)]);
    }
    return b.op("Sub", [z, b.constant(Math.fround(sum))]);
  }],
];

for (const [name, make] of FOLDED) {
  Deno.test(`float32 bounds hold where many ${name} follow one another`, async () => {
    const models = pairOf(1, make);
    const point = box([START], [START]);
    await using pair = await ExecutedPair.open(...models, { optimization: "none" });
    const [executed] = await pair.difference(point.lower);
    for (const { name, lower, upper } of await bounds(models, point, "float32")) {
      assert.ok(lower <= executed! && executed! <= upper, `${name}: ${lower} ${executed} ${upper}`);
    }
  });
}

const LAST: [string, (b: GraphBuilder, z: string) => string][] = [
  ["Relu", (b, z) => b.op("Relu", [z])],
  ["Sigmoid", (b, z) => b.op("Sigmoid", [z])],
  ["rounding", (b, z) => {
    const grid = [b.constant(0.125), b.constant(tensor("int8", [], Int8Array.of(-128)))];
    return b.op("DequantizeLinear", [b.op("QuantizeLinear", [z, ...grid]), ...grid]);
  }],
];

for (const [name, last] of LAST) {
  Deno.test(`outputs can be what is not affine: ${name}`, async () => {
    const models = pairOf(2, (b, x, isCopy) => {
      const h = b.op("Relu", [b.op("MatMul", [x, matrix(b, 2, 2, 1, -0.5, 0.25, 2)])]);
      return last(b, b.op("MatMul", [h, matrix(b, 2, 1, 0.5, isCopy ? -0.3 : -0.25)]));
    });
    const whole = box([-1, -1], [1, 1]);
    await using pair = await ExecutedPair.open(...models, { optimization: "none" });
    const seen: number[] = [];
    for (let at = 0; at < 81; at++) {
      const point = Float64Array.of(at % 9 / 4 - 1, Math.floor(at / 9) / 4 - 1);
      seen.push((await pair.difference(point))[0]!);
    }
    const network = pairModels(...models);
    for (const method of METHODS) {
      const split = method === "differential";
      const options = { method, split, semantics: "float32", boxes: 50 } as const;
      await using verifier = new Verifier(network, options);
      const { lower, upper } = (await verifier.verify(whole)).outputs[0]!;
      for (const value of seen) assert.ok(lower <= value && value <= upper, method);
      if (split) assert.ok(upper - lower < 0.8, `${lower} … ${upper}`);
    }
  });
}

Deno.test("networks without anything that bends can be split", async () => {
  const models = pairOf(1, (b, x, isCopy) =>
    b.op("Sub", [
      b.op("MatMul", [x, matrix(b, 1, 1, 2)]),
      b.op("MatMul", [x, matrix(b, 1, 1, isCopy ? 1.5 : 1)]),
    ]));
  for (const { name, lower, upper } of await bounds(models, box([-1], [3]), "real")) {
    assert.ok(lower <= -1.5 && upper >= 0.5, name);
  }
});
