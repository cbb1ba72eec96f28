import assert from "node:assert/strict";
import fc from "fast-check";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import { gradientGraph, gradientName } from "../../../src/engine/autodiff/gradient.ts";
import { openSession } from "../../../src/engine/session.ts";
import { inferShapes } from "../../../src/engine/shapes.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { float32 } from "../../../src/onnx/tensor.ts";
import { dequantize } from "../../../src/quant/grid.ts";
import { type Layer, matchLayers, nearest } from "../../../src/quant/reconstruct/layers.ts";
import {
  emitRectified,
  emitRoundingTerm,
  emitScales,
  emitSoftWeights,
  hardValues,
  rectified,
  softGrid,
  softShare,
} from "../../../src/quant/reconstruct/rounding.ts";
import { quantized, residualNetwork } from "./network.ts";

const float = residualNetwork();
const layersOf = async (bits: number) =>
  matchLayers(await quantized(float, bits), float, "float").layers;

/** A layer with other weights. */
function withWeights(layer: Layer, weights: Float32Array): Layer {
  return { ...layer, float: weights };
}

Deno.test("Soft weights start as the float weights, wherever those lie inside the grid", async () => {
  for (const bits of [2, 3, 4]) {
    for (const layer of await layersOf(bits)) {
      const { lower, movable, start } = softGrid(layer);
      const { scale, zeroPoint, grid: { qmin, qmax } } = layer.parameters;
      layer.float.forEach((weight, index) => {
        const s = scale[layer.scaleOf[index]!]!;
        const z = zeroPoint[layer.scaleOf[index]!]!;
        const soft = s * (lower[index]! + movable[index]! * rectified(start[index]!));
        const clamped = Math.min(Math.max(weight, s * (qmin - z)), s * (qmax - z));
        assert.ok(Math.abs(soft - clamped) < 1e-5 * s * 2 ** bits, `${soft} for ${weight}`);
      });
    }
  }
});

Deno.test("Roundings that are not learned are those to nearest, ties included", async () => {
  const [layer] = await layersOf(3);
  const { scale } = layer!.parameters;
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.float({ noNaN: true, min: -6, max: 6 }),
          fc.constantFrom(-2.5, -0.5, 0.5, 1.5, 0),
        ),
        {
          minLength: layer!.float.length,
          maxLength: layer!.float.length,
        },
      ),
      (ratios) => {
        const weights = Float32Array.from(
          ratios,
          (ratio, index) => ratio * scale[layer!.scaleOf[index]!]!,
        );
        const grid = softGrid(withWeights(layer!, weights));
        assert.deepEqual(hardValues(grid, grid.start), nearest(grid.layer));
      },
    ),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("Wherever variables go, integers stay within the grid of the weights' own width", async () => {
  for (const layer of await layersOf(3)) {
    const grid = softGrid(layer);
    for (const alpha of [-5, 5]) {
      for (const value of hardValues(grid, new Float32Array(grid.start.length).fill(alpha))) {
        assert.ok(value >= -4 && value <= 3);
      }
    }
  }
});

Deno.test("The graph computes the same weights, with scales changed by factors", async () => {
  for (const layer of await layersOf(4)) {
    const grid = softGrid(layer);
    const count = layer.parameters.scale.length;
    const builder = new GraphBuilder();
    const alpha = builder.input("alpha", "float32", [grid.start.length]);
    const factors = builder.input("factors", "float32", [count]);
    const emit = new Emitter(builder.graph(), "test");
    const soft = emitSoftWeights(emit, grid, emitRectified(emit, alpha));
    const weights = builder.output(emit.mul(soft, emitScales(emit, layer, factors)));
    await using session = await openSession(builder.build());
    // Far out, all variables are decided.
    const decided = grid.start.map((value) => 1e3 * Math.sign(value || 1));
    const results = await session.run({
      alpha: float32([decided.length], decided),
      factors: float32([count], new Float32Array(count).fill(0.5)),
    });
    const expected = dequantize(hardValues(grid, decided), layer.reading.dims, {
      ...layer.parameters,
      scale: layer.parameters.scale.map((scale) => 0.5 * scale),
    });
    const actual = results[weights]!.data as Float32Array;
    assert.deepEqual(results[weights]!.dims, layer.dims);
    actual.forEach((value, index) => {
      assert.ok(Math.abs(value - expected[index]!) < 1e-6, `${value} is not ${expected[index]}`);
    });
  }
});

Deno.test("The rounding term is Σ (1 − |2h − 1|^β), and 0 for decided variables", async () => {
  const builder = new GraphBuilder();
  const h = builder.input("h", "float32", [3]);
  const beta = builder.input("beta", "float32", []);
  const emit = new Emitter(builder.graph(), "test");
  const term = builder.output(emitRoundingTerm(emit, h, 3, beta));
  await using session = await openSession(builder.build());
  for (
    const [values, exponent] of [[[0.1, 0.5, 0.8], 3], [[0, 1, 1], 20], [
      [0.3, 0.4, 0.9],
      2,
    ]] as const
  ) {
    const results = await session.run({ h: float32([3], values), beta: float32([], [exponent]) });
    const expected = values.reduce(
      (sum: number, v) => sum + 1 - Math.abs(2 * v - 1) ** exponent,
      0,
    );
    const actual = (results[term]!.data as Float32Array)[0]!;
    assert.ok(Math.abs(actual - expected) < 1e-5, `${actual} is not ${expected}`);
  }
});

Deno.test("The rounding term falls towards the nearer end, and stands still in the middle", async () => {
  const values = Float32Array.from({ length: 101 }, (_, index) => index / 100);
  const builder = new GraphBuilder();
  const h = builder.input("h", "float32", [values.length]);
  const beta = builder.input("beta", "float32", []);
  const emit = new Emitter(builder.graph(), "test");
  const term = builder.output(emitRoundingTerm(emit, h, values.length, beta));
  const model = builder.build();
  const types = await inferShapes(model);
  model.graph = gradientGraph(model, { loss: term, withRespectTo: [h], types });
  await using session = await openSession(model);
  for (const exponent of [2, 3.5, 20]) {
    const results = await session.run({
      h: float32([values.length], values),
      beta: float32([], [exponent]),
    });
    const gradient = results[gradientName(h)]!.data as Float32Array;
    values.forEach((value, index) => {
      const distance = 2 * value - 1;
      const expected = -2 * exponent * Math.sign(distance) *
        Math.abs(distance) ** (exponent - 1);
      const error = Math.abs(gradient[index]! - expected);
      assert.ok(error < 1e-4, `${gradient[index]} at ${value} is not ${expected}`);
    });
  }
});

Deno.test("Variables count as undecided between the ends", () => {
  assert.equal(softShare(Float32Array.of(-10, 10, 0, 0.1)), 0.5);
  assert.equal(softShare(new Float32Array()), 0);
});
