import assert from "node:assert/strict";
import { UserError } from "../../../src/base/errors.ts";
import { openSession } from "../../../src/engine/session.ts";
import { float, tensorAttribute } from "../../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import type { Model } from "../../../src/onnx/model.ts";
import { float32, tensor } from "../../../src/onnx/tensor.ts";
import { evaluate } from "../../../src/verify/network/evaluate.ts";
import type { PairedStep } from "../../../src/verify/network/network.ts";
import { pairModels } from "../../../src/verify/network/pair.ts";

function model(
  dims: number[],
  make: (b: GraphBuilder, x: string) => string,
  opset = 21,
): Model {
  const b = new GraphBuilder();
  b.output(make(b, b.input("x", "float32", dims)));
  return b.build({ opset });
}

const refuses = (made: Model, message: RegExp) =>
  assert.throws(
    () => pairModels(made, made),
    (error) => error instanceof UserError && message.test(error.message),
  );

/** Holds what a model is read as against what ONNX Runtime computes. */
async function assertSameAsRuntime(made: Model, points: readonly number[][]): Promise<void> {
  const network = pairModels(made, made);
  await using session = await openSession(made, { threads: 1, optimization: "none" });
  for (const point of points) {
    const { data } = Object.values(await session.run({ x: float32([1, point.length], point) }))[0]!;
    const found = evaluate(network, Float64Array.from(point)).original;
    (data as Float32Array).forEach((value, at) =>
      assert.ok(Math.abs(found[at]! - value) <= 1e-6 * Math.abs(value), `${found[at]} ${value}`)
    );
  }
}

const rounds = (b: GraphBuilder, x: string, scale: number, zero?: string, type?: number) => {
  const inputs = [b.constant(float32([], [scale])), ...(zero === undefined ? [] : [zero])];
  const levels = b.op(
    "QuantizeLinear",
    [x, ...inputs],
    type === undefined ? {} : { output_dtype: type },
  );
  return b.op("DequantizeLinear", [levels, ...inputs]);
};

Deno.test("the grid of a quantizer is that of its zero point, wherever that stands", async () => {
  const zero = tensorAttribute(tensor("int8", [], Int8Array.of(3)));
  const points = [[-20, 0.04], [-1, 13], [0.05, -0.1]];
  const grids = [
    model([1, 2], (b, x) => rounds(b, x, 0.1, b.op("Constant", [], { value: zero }))),
    model(
      [1, 2],
      (b, x) =>
        rounds(b, x, 0.1, b.op("Identity", [b.constant(tensor("int8", [], Int8Array.of(3)))])),
    ),
    model([1, 2], (b, x) => rounds(b, x, 0.1, undefined, 3)),
  ];
  for (const each of grids) {
    const isRounding = (step: PairedStep) => step.kind === "quantize";
    const step = pairModels(each, each).steps.find(isRounding);
    assert.ok(step?.kind === "quantize" && step.quantizer.original?.qmin === -128);
    await assertSameAsRuntime(each, points);
  }
});

Deno.test("scales that are not above 0 are refused", () => {
  for (const scale of [0, -0.1, NaN, Infinity]) {
    refuses(model([1, 2], (b, x) => rounds(b, x, scale)), /scales must be numbers above 0/);
  }
});

Deno.test("weights that a model casts are those that it computes with", async () => {
  const numbers = [0.1234567, 1.1111111, 0.3333333, 0.777777];
  const casts = (b: GraphBuilder, types: number[]) =>
    types.reduce((made, to) => b.op("Cast", [made], { to }), b.constant(float32([2, 2], numbers)));
  await assertSameAsRuntime(
    model([1, 2], (b, x) => b.op("MatMul", [x, casts(b, [10, 1])])),
    [[1, 0], [0, 1]],
  );
  await assertSameAsRuntime(
    model([1, 2], (b, x) => b.op("MatMul", [x, casts(b, [16, 1])])),
    [[1, 0], [0, 1]],
  );
  refuses(model([1, 2], (b, x) => b.op("MatMul", [x, casts(b, [3, 1])])), /computes a constant/);
});

Deno.test("integers times half-precision scales are off by what a cast of them rounded", () => {
  const levels = Int8Array.of(127, 113, 101, 89);
  const scale = new Float16Array([0.0123]);
  const exact = Float32Array.from(levels, (level) => level * scale[0]!);
  const original = model([1, 2], (b, x) => b.op("MatMul", [x, b.constant(float32([2, 2], exact))]));
  const quantized = model([1, 2], (b, x) => {
    const half = b.constant(tensor("float16", [], new Uint16Array(scale.buffer)));
    const weights = b.op("DequantizeLinear", [b.constant(tensor("int8", [2, 2], levels)), half]);
    return b.op("MatMul", [x, b.op("Cast", [weights], { to: 1 })]);
  });
  const [step] = pairModels(original, quantized).steps;
  assert.ok(step?.kind === "affine");
  const { map } = step.terms[0]!;
  assert.notEqual(map.original, map.quantized);
  const allowed = map.quantized.relativeError!;
  assert.ok(allowed <= 2 ** -10);
  const rounded = Float16Array.from(exact);
  assert.ok(rounded.some((value, at) => Math.abs(value - exact[at]!) > 2 ** -13 * exact[at]!));
  rounded.forEach((value, at) =>
    assert.ok(Math.abs(value - exact[at]!) <= allowed * Math.abs(value))
  );
});

Deno.test("errors of computed weights are kept", () => {
  const quotient = (b: GraphBuilder) =>
    b.op("Div", [b.constant(float32([2, 2, 1, 1], [1, 2, 3, 4])), b.constant(3)]);
  const models = [
    model(
      [1, 2],
      (b, x) => b.op("MatMul", [x, b.op("Reshape", [quotient(b), b.constant([2, 2])])]),
    ),
    model([1, 2, 2, 2], (b, x) => b.op("Conv", [x, quotient(b)])),
    model(
      [1, 2, 2, 2],
      (b, x) => b.op("Mul", [b.op("Relu", [x]), b.op("Div", [b.constant(1), b.constant(3)])]),
    ),
    model([1, 2, 2, 2], (b, x) =>
      b.op("Mul", [
        b.op("Conv", [x, b.constant(float32([2, 2, 1, 1], [1, 2, 3, 4]))]),
        b.op("Div", [b.constant(1), b.constant(3)]),
      ])),
  ];
  for (const each of models) {
    const { steps } = pairModels(each, each);
    const last = steps.at(-1)!;
    assert.ok(last.kind === "affine" && last.terms[0]!.map.original.relativeError! >= 2 ** -53);
  }
  const third = (b: GraphBuilder) => b.op("Div", [b.constant(1), b.constant(3)]);
  refuses(model([1, 2], (b, x) => b.op("PRelu", [x, third(b)])), /slopes must be exact/);
  refuses(model([1, 2], (b, x) => b.op("Clip", [x, third(b)])), /limits must be exact/);
});

Deno.test("what would be computed otherwise than it is read is refused", () => {
  refuses(
    model([1, 3], (b, x) =>
      b.op("Add", [
        b.op("Reshape", [x, b.constant([1, 3, 1])]),
        b.op("Reshape", [x, b.constant([1, 1, 3])]),
      ])),
    /must be the same/,
  );
  const yes = tensor("bool", [], Uint8Array.of(1));
  refuses(
    model([1, 3], (b, x) => b.op("Dropout", [x, b.constant(0.5), b.constant(yes)])),
    /training mode/,
  );
  const full = (b: GraphBuilder) => b.constant(float32([3], [1, 1, 1]));
  refuses(
    model([1, 3], (b, x) =>
      b.op("BatchNormalization", [x, full(b), full(b), full(b), full(b)], {
        training_mode: 1,
        epsilon: float(1e-5),
      })),
    /training_mode/,
  );
  refuses(model([1, 3], (b, x) => b.op("Clip", [x, b.constant(NaN)])), /limits/);
});
