import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { gradientGraph, gradientName } from "../../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../../src/engine/session.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { float32, type Tensor, tensor } from "../../../src/onnx/tensor.ts";
import { pick, sample, shape } from "./gradient_check.ts";

/**
 * Esser et al., 2020, equation 3: the gradients of a fake-quantized value by its input and its step, where
 * values round before they saturate.
 */
function learnedStep(x: number, step: number, zero: number, low: number, high: number) {
  const level = x / step + zero;
  if (level < low - 0.5 || level > high + 0.5) {
    return { byX: 0, byStep: (level < low ? low : high) - zero };
  }
  return { byX: 1, byStep: Math.round(x / step) - x / step };
}

interface FakeQuantizer {
  readonly dims: readonly number[];
  /** Shape of scales and zero points. */
  readonly scaleDims: readonly number[];
  readonly attributes: Record<string, number>;
  /** Which scale an element has. */
  scaleOf(index: readonly number[]): number;
}

function granularity(random: Random): FakeQuantizer {
  const dims = shape(random, 2 + random.integer(3));
  const axis = random.integer(dims.length);
  const size = dims[axis]!;
  switch (pick(random, ["tensor", "channel", "group"])) {
    case "tensor":
      return { dims, scaleDims: [], attributes: {}, scaleOf: () => 0 };
    case "channel":
      return { dims, scaleDims: [size], attributes: { axis }, scaleOf: (index) => index[axis]! };
    default: {
      const block = 2;
      const scaleDims = dims.map((dim, at) => at === axis ? Math.ceil(dim / block) : dim);
      return {
        dims,
        scaleDims,
        attributes: { axis, block_size: block },
        scaleOf: (index) =>
          index.reduce(
            (flat, i, at) => flat * scaleDims[at]! + (at === axis ? Math.floor(i / block) : i),
            0,
          ),
      };
    }
  }
}

const TYPES = {
  int8: [-128, 127],
  uint8: [0, 255],
  int4: [-8, 7],
  uint4: [0, 15],
} as const;

Deno.test("quantizers have the straight-through gradients of learned step size quantization", async () => {
  const random = Random.from(3);
  const cases = Array.from({ length: 200 }, () => {
    const quantizer = granularity(random);
    const type = pick(random, ["int8", "uint8", "int4", "uint4"] as const);
    const scales = sample(random, quantizer.scaleDims, (r) => 0.05 + 0.2 * r.uniform()).values
      .map(Math.fround);
    return { quantizer, type, scales, zero: type.startsWith("u") ? 5 : 0 };
  });
  const builder = new GraphBuilder();
  const terms: string[] = [];
  const feeds: Record<string, Tensor> = {};
  const weights = cases.map(({ quantizer, type, scales, zero }, index) => {
    const { dims, scaleDims, attributes } = quantizer;
    const x = builder.input(`x${index}`, "float32", dims);
    const s = builder.input(`s${index}`, "float32", scaleDims);
    // Off the ties and off the ends of the grid, where the estimator jumps.
    const values = sample(random, dims, (r) => 3 * r.normal()).values;
    feeds[x] = float32(dims, values);
    feeds[s] = float32(scaleDims, scales);
    const stored = Math.ceil(scales.length * (type.endsWith("4") ? 4 : 8) / 8);
    const packed = type.endsWith("4") ? zero | (zero << 4) : zero;
    const data = type === "int8"
      ? new Int8Array(stored).fill(packed)
      : new Uint8Array(stored).fill(packed);
    const z = builder.constant(tensor(type, scaleDims, data as Uint8Array & Int8Array));
    const q = builder.op("QuantizeLinear", [x, s, z], attributes);
    const y = builder.op("DequantizeLinear", [q, s, z], attributes);
    const w = sample(random, dims).values.map(Math.fround);
    const product = builder.op("Mul", [y, builder.constant(float32(dims, w))]);
    terms.push(builder.op("ReduceSum", [product], { keepdims: 0 }));
    return w;
  });
  const loss = builder.output(builder.op("Sum", terms), "float32", []);
  const model = builder.build();
  const names = cases.flatMap((_, index) => [`x${index}`, `s${index}`]);
  const graph = gradientGraph(model, {
    loss,
    withRespectTo: names,
    types: await inferShapes(model),
  });
  await using session = await openSession({ ...model, graph }, { optimization: "basic" });
  const results = await session.run(feeds);

  cases.forEach(({ quantizer, type, scales, zero }, index) => {
    const [low, high] = TYPES[type];
    const x = feeds[`x${index}`]!.data as Float32Array;
    const byScale = new Float64Array(scales.length);
    const byX = results[gradientName(`x${index}`)]!.data as Float32Array;
    x.forEach((value, flat) => {
      let rest = flat;
      const position = quantizer.dims.toReversed().map((dim) => {
        const at = rest % dim;
        rest = Math.floor(rest / dim);
        return at;
      }).reverse();
      const scale = quantizer.scaleOf(position);
      const expected = learnedStep(value, scales[scale]!, zero, low, high);
      const w = weights[index]![flat]!;
      assert.ok(Math.abs(byX[flat]! - w * expected.byX) < 1e-4, `case ${index}, ${type}, by x`);
      byScale[scale]! += w * expected.byStep;
    });
    const found = results[gradientName(`s${index}`)]!.data as Float32Array;
    byScale.forEach((expected, scale) => {
      const size = Math.max(1, Math.abs(expected));
      assert.ok(
        Math.abs(found[scale]! - expected) < 1e-3 * size,
        `case ${index}, ${type}, by scale ${scale}: ${
          found[scale]
        } where the paper says ${expected}`,
      );
    });
  });
});

Deno.test("Div, Clip, Round and Mul in this order are the paper's own formula", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "float32", [7]);
  const s = builder.input("s", "float32", []);
  const levels = builder.op("Clip", [
    builder.op("Div", [x, s]),
    builder.constant(-2),
    builder.constant(1),
  ]);
  const y = builder.op("Mul", [builder.op("Round", [levels]), s]);
  const loss = builder.output(builder.op("ReduceSum", [y], { keepdims: 0 }), "float32", []);
  const model = builder.build();
  const graph = gradientGraph(model, {
    loss,
    withRespectTo: [x, s],
    types: await inferShapes(model),
  });
  await using session = await openSession({ ...model, graph });
  const values = [-3, -1.05, -0.7, -0.2, 0.3, 0.55, 2];
  const results = await session.run({ x: float32([7], values), s: float32([], [0.5]) });
  const inside = values.map((value) => value / 0.5 > -2 && value / 0.5 < 1);
  assert.deepEqual([...results[gradientName(x)]!.data as Float32Array], inside.map(Number));
  const byStep = values.map((value, index) =>
    inside[index] ? Math.round(value / 0.5) - value / 0.5 : value < 0 ? -2 : 1
  );
  const found = Number(results[gradientName(s)]!.data[0]);
  assert.ok(Math.abs(found - byStep.reduce((sum, part) => sum + part)) < 1e-5);
});
