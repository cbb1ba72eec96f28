import assert from "node:assert/strict";
import { openSession } from "../../../src/engine/session.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { float32, tensor } from "../../../src/onnx/tensor.ts";
import { Random } from "../../../src/base/random.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import type { PairedNetwork } from "../../../src/verify/network/network.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";

interface Variant {
  readonly quantized?: boolean;
  /** Whether rounded activations are rounded once more. */
  readonly twice?: boolean;
  readonly relu?: boolean;
  readonly swapped?: boolean;
  readonly hidden?: number;
  readonly extra?: boolean;
}

const WEIGHTS = Int8Array.from({ length: 12 }, (_, at) => (at * 37) % 21 - 10);

/** x → Gemm → Relu → Add(a branch) → Gemm, with stored integers and rounded activations when quantized. */
function model(
  { quantized = false, twice = false, relu = true, swapped = false, hidden = 4, extra = false }:
    Variant,
): Model {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", [1, 3]);
  const scale = b.constant(float32([], [0.05]));
  const zero = b.constant(tensor("uint8", [], Uint8Array.of(0)));
  const values = WEIGHTS.slice(0, 3 * hidden);
  const weights = quantized
    ? b.op("DequantizeLinear", [
      b.constant(tensor("int8", [3, hidden], values)),
      b.constant(float32([hidden], Array.from({ length: hidden }, (_, at) => 0.11 + at / 64))),
    ], { axis: 1 })
    : b.constant(float32([3, hidden], Array.from(values, (value) => value / 9)));
  const z = b.op("Gemm", [x, weights, b.constant(float32([hidden], new Array(hidden).fill(0.3)))]);
  let a = relu ? b.op("Relu", [z], {}, { name: "a" }) : z;
  if (quantized) {
    const integers = b.op("QuantizeLinear", [a, scale, zero]);
    a = b.op("DequantizeLinear", [integers, scale, zero], {}, { name: "rounded" });
    if (twice) {
      const more = b.op("QuantizeLinear", [b.op("Flatten", [a]), scale, zero]);
      a = b.op("DequantizeLinear", [more, scale, zero]);
    }
  }
  const square = b.constant(
    float32([hidden, hidden], Array.from({ length: hidden ** 2 }, (_, at) => Math.sin(at))),
  );
  const branch = b.op("MatMul", [a, square], {}, { name: "branch" });
  let total = b.op("Add", swapped ? [branch, a] : [a, branch]);
  if (extra) total = b.op("Tanh", [total], {}, { name: "more" });
  b.output(b.op("Relu", [total]));
  return b.build({ opset: 19 });
}

async function assertSameAsRuntime(network: PairedNetwork, original: Model, quantized: Model) {
  for (const [side, model] of [["original", original], ["quantized", quantized]] as const) {
    const random = Random.from(2, "pair");
    await using session = await openSession(model, { threads: 1, optimization: "none" });
    for (let trial = 0; trial < 20; trial++) {
      const x = float32([1, 3], [random.normal(), random.normal(), random.normal()]);
      const expected = (await session.run({ x }))[model.graph.outputs[0]!.name]!
        .data as Float32Array;
      const found = evaluate(network, Float64Array.from(x.data))[side];
      expected.forEach((value, at) => assert.ok(Math.abs(found[at]! - value) < 1e-5));
    }
  }
}

Deno.test("a float model pairs with its quantized form", async () => {
  const [original, quantized] = [model({}), model({ quantized: true })];
  const network = pairModels(original, quantized);
  assert.deepEqual(network.steps.map(({ kind }) => kind), [
    "affine",
    "relu",
    "quantize",
    "affine",
    "affine",
    "relu",
    // The output's own: bounds are those of affine steps.
    "affine",
  ]);
  const [first, , rounding] = network.steps;
  assert.ok(
    first?.kind === "affine" && first.terms[0]!.map.original !== first.terms[0]!.map.quantized,
  );
  assert.ok(first.offset.original === first.offset.quantized);
  assert.ok(rounding?.kind === "quantize" && rounding.quantizer.original === undefined);
  await assertSameAsRuntime(network, original, quantized);
});

Deno.test("either model can be the quantized one", async () => {
  const [original, quantized] = [model({ quantized: true }), model({})];
  await assertSameAsRuntime(pairModels(original, quantized), original, quantized);
});

Deno.test("operands of an addition are told apart by their names", async () => {
  const [original, quantized] = [model({}), model({ quantized: true, swapped: true })];
  await assertSameAsRuntime(pairModels(original, quantized), original, quantized);
});

Deno.test("a quantizer that starts at its zero point stands for a Relu", async () => {
  const [original, quantized] = [model({}), model({ quantized: true, relu: false })];
  await assertSameAsRuntime(pairModels(original, quantized), original, quantized);
});

Deno.test("a quantizer behind another one does not stand for the Relu in front of both", async () => {
  const [original, quantized] = [model({}), model({ quantized: true, twice: true })];
  const network = pairModels(original, quantized);
  assert.deepEqual(network.steps.map(({ kind }) => kind).slice(0, 4), [
    "affine",
    "relu",
    "quantize",
    "quantize",
  ]);
  await assertSameAsRuntime(network, original, quantized);
});

Deno.test("models that differ are refused with both places", () => {
  assert.throws(
    () => pairModels(model({}), model({ hidden: 3 })),
    /The two models differ: ".+" \(\w+, shape \[1,4\]\) in the original stands where ".+" \(\w+, shape \[1,3\]\)/,
  );
  assert.throws(() => pairModels(model({}), model({ extra: true })), /stands where "more" \(tanh/);
});

Deno.test("an operator without bounds is named", () => {
  const b = new GraphBuilder();
  b.output(b.op("Erf", [b.input("x", "float32", [1, 2])], {}, { name: "strange" }));
  const unknown = b.build({ opset: 17 });
  assert.throws(() => pairModels(unknown, unknown), /"strange" \(Erf\) cannot be verified/);
});
