import assert from "node:assert/strict";
import { loadRuntime } from "../../src/engine/runtime.ts";
import { openSession } from "../../src/engine/session.ts";
import { checkModel } from "../../src/onnx/check.ts";
import type { Model } from "../../src/onnx/model.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import { networkInput, type PlanOptions, quantizeMinMax, smallNetwork } from "./small_network.ts";

/** Runs a model in ONNX Runtime with nothing but its default options. */
async function runByDefault(model: Model): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
  const input = networkInput();
  const feed = new Tensor("float32", input.data, input.dims);
  const { y } = await session.run({ x: feed });
  await session.release();
  return y!.data as Float32Array;
}

async function simulate(model: Model): Promise<Float32Array> {
  await using session = await openSession(model, { arithmetic: "simulated" });
  const { y } = await session.run({ x: networkInput() });
  return y!.data as Float32Array;
}

function largestGap(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}

const WIDTHS = [8, 4, 2] as const;

for (const activationBits of ["none", "dynamic", 16, 8, 4, 3, 2] as const) {
  Deno.test(`every weight form loads by default beside activations: ${activationBits}`, async () => {
    const float = smallNetwork();
    for (const weightBits of activationBits === 3 ? [3] : WIDTHS) {
      for (const granularity of ["tensor", "channel", "group"] as const) {
        const results: Float32Array[] = [];
        for (const encoding of ["native", "container"] as const) {
          const options: PlanOptions = { weightBits, activationBits, granularity, encoding };
          const model = await quantizeMinMax(float, options);
          assert.deepEqual(checkModel(model), [], JSON.stringify(options));
          const byDefault = await runByDefault(model);
          const simulated = await simulate(model);
          // Probabilities of 12 classes; saturating products of 8-bit integers account for the rest.
          assert.ok(largestGap(byDefault, simulated) < 0.1, JSON.stringify(options));
          results.push(simulated);
        }
        assert.deepEqual(results[0], results[1], `native and container ${weightBits} differ`);
      }
    }
  });
}
