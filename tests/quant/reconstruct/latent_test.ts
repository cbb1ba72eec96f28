import assert from "node:assert/strict";
import fc from "fast-check";
import { Emitter } from "../../../src/engine/autodiff/emitter.ts";
import { openSession } from "../../../src/engine/session.ts";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { float32 } from "../../../src/onnx/tensor.ts";
import { dequantize } from "../../../src/quant/grid.ts";
import {
  emitRounded,
  latentWeights,
  roundedValues,
} from "../../../src/quant/reconstruct/latent.ts";
import { matchLayers } from "../../../src/quant/reconstruct/layers.ts";
import { quantized, residualNetwork } from "./network.ts";

const float = residualNetwork();
const layersOf = async (bits: number) =>
  matchLayers(await quantized(float, bits), float, "float").layers;

Deno.test("Weights begin at their integers, and at the float weights where those round to them", async () => {
  for (const bits of [2, 3, 4]) {
    for (const layer of await layersOf(bits)) {
      const { scale, zeroPoint } = layer.parameters;
      const weights = latentWeights(layer);
      assert.deepEqual(roundedValues(weights, weights.start), layer.reading.values);
      let same = 0;
      layer.float.forEach((weight, index) => {
        const where = layer.scaleOf[index]!;
        const integer = layer.reading.values[index]! - zeroPoint[where]!;
        const ratio = weight / scale[where]!;
        assert.ok(Math.abs(weights.start[index]! - integer) <= 0.45 + 1e-6);
        if (Math.abs(ratio - integer) > 0.45) return;
        assert.ok(Math.abs(weights.start[index]! - ratio) < 1e-5);
        same++;
      });
      assert.ok(same > 0.4 * layer.float.length);
    }
  }
});

Deno.test("The graph gives the weights of the integers to which values round, wherever they go", async () => {
  for (const layer of await layersOf(3)) {
    const weights = latentWeights(layer);
    const builder = new GraphBuilder();
    const latent = builder.input("latent", "float32", layer.dims);
    const emit = new Emitter(builder.graph(), "test");
    const rounded = builder.output(emitRounded(emit, weights, latent));
    await using session = await openSession(builder.build());
    const count = layer.float.length;
    const cases = fc.sample(
      fc.array(fc.float({ noNaN: true, min: -12, max: 12 }), {
        minLength: count,
        maxLength: count,
      }),
      { numRuns: 20, seed: 3 },
    );
    for (const values of cases) {
      const given = Float32Array.from(values);
      const actual = (await session.run({ latent: float32(layer.dims, given) }))[rounded]!;
      const integers = roundedValues(weights, given);
      assert.ok(integers.every((value) => value >= -4 && value <= 3));
      const expected = dequantize(integers, layer.reading.dims, layer.parameters);
      (actual.data as Float32Array).forEach((value, index) => assert.ok(value === expected[index]));
    }
  }
});
